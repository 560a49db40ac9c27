"""Settings of models that count or measure cells and end in a few values of each patient."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.lymphocytosis.cells import PixelSettings
from qc.config.lymphocytosis.features import FeatureSettings
from qc.config.lymphocytosis.fit import BoostingSettings, PaceSettings

_RATE = 1e-3


class PooledSettings(Settings):
    """Logistic regression on clinical values and on means and deviations of what was measured of the cells."""

    kind: Literal["pooled"] = Field(default="pooled", description="Name of this model.")
    clinical: tuple[Literal["count", "age", "sex"], ...] = Field(
        default=("count", "age"), description="Clinical values used."
    )
    count_cap: float = Field(
        default=10.0, gt=0, description="Lymphocyte count (10^9 per litre) from which more tells nothing more."
    )
    uses_images: bool = Field(default=True, description="Whether cells are used.")
    cells_as: Literal["score", "summaries"] = Field(
        default="score",
        description="score: a regression on all means and deviations makes one number of them, which stands beside the "
        "clinical values. summaries: those that best explain what clinical values do not stand there themselves.",
    )
    score_strength: float = Field(
        default=0.03, gt=0, description="Inverse of the penalty of the score's regression: small is cautious."
    )
    inner_folds: int = Field(
        default=5, ge=2, le=20, description="Folds by which patients that are trained on get a score from others."
    )
    inner_repeats: int = Field(default=3, ge=1, description="How often that is done, for a mean.")
    summaries_max: int = Field(default=12, ge=1, description="Summaries used at most, where cells are summaries.")
    correlation_max: float = Field(
        default=0.9, gt=0, le=1, description="Largest correlation between two of those that are used."
    )
    strength: float = Field(default=1.0, gt=0, description="Inverse of the penalty of the last regression (C).")

    @model_validator(mode="after")
    def _something_is_used(self) -> Self:
        if not (self.clinical or self.uses_images):
            raise ValueError("neither clinical values nor images are used")
        return self


class MiSvmSettings(Settings):
    """MI-SVM; the share of positive cells may go on to gradient boosting together with count and age."""

    kind: Literal["mi_svm"] = Field(default="mi_svm", description="Name of this model.")
    features: FeatureSettings = Field(default_factory=FeatureSettings, description="What a cell is.")
    c: float = Field(default=50.0, gt=0, description="Penalty of what is on the wrong side.")
    rounds_max: int = Field(default=20, ge=1, description="Machines trained at most.")
    negative_cells_max: int = Field(
        default=0, ge=0, description="Cells of each reactive patient that are learnt from at most; 0 takes all."
    )
    boosting: BoostingSettings | None = Field(default=None, description="Gradient boosting after it.")
    inner_folds: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Folds that shares for boosting come from; 0 takes those of training itself.",
    )


class OneClassSvmSettings(Settings):
    """A one-class machine learns cells of reactive patients; a patient is judged by the share of cells unlike them."""

    kind: Literal["one_class_svm"] = Field(default="one_class_svm", description="Name of this model.")
    features: FeatureSettings = Field(default_factory=FeatureSettings, description="What a cell is.")
    nu: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the cells learnt from (0-1) that may count as others at most."
    )
    negative_cells_max: int = Field(
        default=0, ge=0, description="Cells of each reactive patient that are learnt from at most; 0 takes all."
    )
    inner_folds: int = Field(
        default=5, ge=2, le=20, description="Folds by which patients that are trained on get a share from others."
    )
    boosting: BoostingSettings | None = Field(
        default=None,
        description="Gradient boosting of share, count and age after it; without it the share alone decides, at the "
        "border that parts the patients that are trained on.",
    )


class BoostedSettings(Settings):
    """Gradient boosting on lymphocyte count and age alone."""

    kind: Literal["boosted"] = Field(default="boosted", description="Name of this model.")
    boosting: BoostingSettings = Field(default_factory=BoostingSettings, description="Gradient boosting.")


class PseudoLabelSettings(Settings):
    """The surest cells of tumoral patients are learnt from in turn; then cells are counted, and counts boosted."""

    kind: Literal["pseudo_labels"] = Field(default="pseudo_labels", description="Name of this model.")
    learner: Literal["network", "logistic"] = Field(
        default="logistic", description="What tells cells apart: a network on pixels, or a regression on features."
    )
    features: FeatureSettings = Field(default_factory=FeatureSettings, description="What a cell is to the regression.")
    encoder: str = Field(default="vgg19_bn", description="Network known to timm; starts from random weights.")
    encoder_weights: str | None = Field(default=None, description="Path of pre-trained weights of that network.")
    pixels: PixelSettings = Field(default_factory=PixelSettings, description="What the network sees.")
    epochs: int = Field(default=5, ge=1, description="Passes of the network over the chosen cells in a round.")
    learning_rate: float = Field(
        default=_RATE, gt=0, lt=1, exclude_if=lambda rate: rate == _RATE, description="Highest rate of the network."
    )
    pace: PaceSettings | None = Field(
        default=None, exclude_if=lambda pace: pace is None, description="Another optimiser or schedule of the network."
    )
    start_folder: str | None = Field(
        default=None,
        description="Folder of cells that are labelled themselves, in `0` (healthy) and `1` (malignant), such as "
        "ALL-IDB2; without it the start is drawn from patients, with their labels.",
    )
    start_cells: int = Field(default=130, ge=2, description="Cells of each label at the start, without a folder.")
    matches_colours: bool = Field(
        default=True,
        description="Whether mean and deviation of each colour are brought to those of the start's folder.",
    )
    rounds: int = Field(default=23, ge=1, description="Rounds.")
    careful_rounds: int = Field(default=5, ge=0, description="First rounds, in which few cells are added.")
    careful_cells: int = Field(default=2, ge=1, description="Cells of each label added in one of these.")
    cells: int = Field(default=5, ge=1, description="Cells of each label added in a later round.")
    boosting: BoostingSettings = Field(default_factory=BoostingSettings, description="What counts are given to.")

    @model_validator(mode="after")
    def _nobody_is_held_out(self) -> Self:
        if self.pace and self.pace.held_out_share:
            raise ValueError("no patient can be held out of rounds of pseudo-labels, so nothing can be watched")
        return self
