"""Settings of the lymphocytosis task: which cells are seen, how, by which model, and how it is judged."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings

Aggregation = Literal["attention", "mean", "max", "mean_std"]


class CellSettings(Settings):
    """Finding the lymphocyte in the middle of an image; lengths in pixels of the image file."""

    smoothing_px: int = Field(default=3, ge=1, description="Side of the median filter before clustering; odd.")
    opening_px: int = Field(default=3, ge=1, description="Width of the disc that takes away specks.")
    closing_px: int = Field(default=7, ge=1, description="Width of the disc that closes gaps.")
    grow_px: int = Field(default=3, ge=0, description="Pixels added on each side where only lymphocytes are shown.")
    reach_px: int = Field(default=18, ge=0, description="How far cytoplasm reaches from the nucleus at most.")
    density_min: float = Field(
        default=0.25, ge=0, description="Optical density, summed over colours, from which a place is not glass."
    )
    blue_share_max: float = Field(
        default=0.185, gt=0, lt=1, description="Share of blue in the optical density up to which a place is lymphocyte."
    )


class QualitySettings(Settings):
    """Which images of cells are left out before a classifier sees them."""

    is_on: bool = Field(default=True, description="Whether any are.")
    sharpness_min: float = Field(
        default=6.6, description="Least sharpness of the cell: logarithm of the variance of the Laplacian."
    )
    covered_max: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Largest share of the image (0-1) that is not glass: stained over, crowded.",
    )
    glass_min: float = Field(
        default=190.0, ge=0, le=255, description="Least brightness of the brightest tenth of the image, 0-255."
    )
    nucleus_area_min_px: int = Field(default=150, ge=0, description="Least area of a nucleus, square pixels.")
    nucleus_area_max_px: int = Field(
        default=2500, ge=1, description="Largest area of a nucleus, square pixels; larger ones are several in a clump."
    )
    nucleus_contrast_min: float = Field(
        default=1.0, ge=0, description="Least optical density, summed over colours, of the nucleus above the rest."
    )


class PixelSettings(Settings):
    """What a network sees of an image."""

    crop_px: int = Field(default=112, ge=16, description="Side of the middle that is cut out, pixels of the file.")
    input_px: int = Field(default=64, ge=16, le=512, description="Side it is brought to, pixels.")
    only_lymphocytes: bool = Field(default=False, description="Black where no lymphocyte is.")


class BagFitSettings(Settings):
    """AdamW with a rising, then falling rate over bags; the last weights are taken."""

    epochs: int = Field(default=20, ge=1, description="Passes over the patients.")
    batch_patients: int = Field(default=8, ge=1, description="Patients in a batch.")
    cells_max: int = Field(default=16, ge=1, description="Cells drawn of a patient in an epoch at most.")
    learning_rate: float = Field(default=1e-3, gt=0, lt=1, description="Highest learning rate.")
    weight_decay: float = Field(default=1e-4, ge=0, lt=1, description="Decoupled weight decay.")
    reactive_weight: float = Field(default=1.0, gt=0, description="Weight of a reactive patient in the loss.")
    tumoral_weight: float = Field(default=1.0, gt=0, description="Weight of a tumoral patient in the loss.")


class BoostingSettings(Settings):
    """Gradient boosting over a few values of each patient."""

    trees: int = Field(default=100, ge=1, description="Number of trees.")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="Share of each tree that counts.")
    depth: int = Field(default=3, ge=1, le=10, description="Questions asked in a row by a tree.")
    positive_weight: float = Field(
        default=98 / 142, gt=0, description="Weight of a tumoral patient against a reactive one; 98/142 as published."
    )


class AutoEncoderSettings(Settings):
    """Four blocks of convolution, ReLU, norm and average pooling; seven of transposed convolution, ReLU and norm."""

    pixels: PixelSettings = Field(default_factory=PixelSettings, description="What it sees.")
    features: int = Field(
        default=1024, ge=16, description="Numbers in the code of a cell: a multiple of (input_px / 16) squared."
    )
    widths: tuple[int, int, int] = Field(default=(16, 32, 64), description="Channels of the first three blocks.")
    seed: int = Field(default=1, ge=0, description="Of first weights and batches.")
    epochs: int = Field(default=5, ge=1, description="Passes over the cells.")
    batch_cells: int = Field(default=64, ge=1, description="Cells in a batch.")
    cells_max: int = Field(default=64, ge=1, description="Cells of a patient that are learnt from at most.")
    learning_rate: float = Field(default=1e-3, gt=0, lt=1, description="Highest learning rate of Adam.")
    weight_decay: float = Field(default=0.0, ge=0, lt=1, description="Decoupled weight decay; 0 is Adam.")

    @model_validator(mode="after")
    def _codes_are_squares(self) -> Self:
        side = self.pixels.input_px // 16
        if self.pixels.input_px % 16 or self.features % side**2:
            raise ValueError(f"input_px must be a multiple of 16, and features one of {side**2}")
        return self


class FeatureSettings(Settings):
    """What a cell is to models that read features."""

    source: Literal["autoencoder", "morphology"] = Field(
        default="autoencoder", description="Codes of an auto-encoder, or measured size, shape, colour and grain."
    )
    autoencoder: AutoEncoderSettings = Field(default_factory=AutoEncoderSettings, description="The auto-encoder.")
    is_standardised: bool = Field(default=True, description="Whether each feature gets mean 0 and deviation 1.")
    components: int = Field(default=100, ge=0, description="Principal components kept at most; 0 keeps all features.")


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


class AttentionMilSettings(Settings):
    """A convolutional network for each cell, attention over cells, a branch for clinical values, one linear layer."""

    kind: Literal["attention_mil"] = Field(default="attention_mil", description="Name of this model.")
    encoder: str = Field(default="resnet34", description="Network known to timm; starts from random weights.")
    encoder_weights: str | None = Field(
        default=None,
        description="Path of pre-trained weights of that network: safetensors, or a state dict of PyTorch.",
    )
    pixels: PixelSettings = Field(default_factory=PixelSettings, description="What it sees.")
    uses_images: bool = Field(default=True, description="Whether cells are used.")
    clinical: Literal["branch", "direct", "none"] = Field(
        default="branch", description="Through layers of their own, straight into the last layer, or not at all."
    )
    aggregation: Aggregation = Field(default="attention", description="How cells become one vector.")
    attention_width: int = Field(default=128, ge=1, description="Hidden units of the attention.")
    branch_width: int = Field(default=64, ge=1, description="Width of the clinical layers.")
    branch_layers: int = Field(default=3, ge=1, description="Number of clinical layers.")
    branch_dropout: float = Field(default=0.2, ge=0, lt=1, description="Dropout between clinical layers.")
    fit: BagFitSettings = Field(
        default_factory=lambda: BagFitSettings(weight_decay=0.0), description="Optimisation; without decay it is Adam."
    )

    @model_validator(mode="after")
    def _something_is_used(self) -> Self:
        if not self.uses_images and self.clinical == "none":
            raise ValueError("neither clinical values nor images are used")
        return self


class DeepMilSettings(Settings):
    """D-MIL: features of cells aggregated, clinical values, two layers each, one linear layer; weighted loss."""

    kind: Literal["deep_mil"] = Field(default="deep_mil", description="Name of this model.")
    features: FeatureSettings = Field(
        default_factory=lambda: FeatureSettings(components=3000), description="What a cell is."
    )
    uses_clinical: bool = Field(default=True, description="Whether count and age are used.")
    aggregation: Aggregation = Field(default="attention", description="How cells become one vector.")
    attention_width: int = Field(default=64, ge=1, description="Hidden units of the attention.")
    width: int = Field(default=128, ge=1, description="Width of all layers.")
    dropout: float = Field(default=0.05, ge=0, lt=1, description="Dropout after each layer.")
    fit: BagFitSettings = Field(
        default_factory=lambda: BagFitSettings(
            epochs=40, cells_max=64, reactive_weight=44 / 142, tumoral_weight=98 / 142
        ),
        description="Optimisation; the published weights of patients are 98/142 for tumoral and 44/142 for reactive.",
    )


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


SingleSettings = Annotated[
    PooledSettings | AttentionMilSettings | DeepMilSettings | MiSvmSettings | PseudoLabelSettings | BoostedSettings,
    Field(discriminator="kind"),
]


class VoteSettings(Settings):
    """Several models asked at once."""

    kind: Literal["vote"] = Field(default="vote", description="Name of this model.")
    members: tuple[SingleSettings, ...] = Field(min_length=1, description="The models.")
    rule: Literal["majority", "mean"] = Field(
        default="majority", description="Share of models that say tumoral, or mean of their chances."
    )


class SelectSettings(Settings):
    """The candidate that does best in a cross-validation within what is trained on."""

    kind: Literal["select"] = Field(default="select", description="Name of this model.")
    candidates: tuple[SingleSettings, ...] = Field(min_length=1, description="The candidates; the first wins a tie.")
    folds: int = Field(default=5, ge=2, le=20, description="Inner folds.")
    repeats: int = Field(default=3, ge=1, description="Inner repeats.")


ModelSettings = Annotated[
    PooledSettings
    | AttentionMilSettings
    | DeepMilSettings
    | MiSvmSettings
    | PseudoLabelSettings
    | BoostedSettings
    | VoteSettings
    | SelectSettings,
    Field(discriminator="kind"),
]


class LymphocytosisSettings(Settings):
    """What `qc downstream lymphocytosis train` learns, and from what."""

    seed: int = Field(default=1, ge=0, description="Of everything that is drawn.")
    cells: CellSettings = Field(default_factory=CellSettings, description="How cells are found.")
    quality: QualitySettings = Field(default_factory=QualitySettings, description="Which cells are left out.")
    model: ModelSettings = Field(default_factory=PooledSettings, description="The model.")


class ArmSettings(Settings):
    """One line of a table: a model, cross-validated; beside it what others published."""

    name: str = Field(min_length=1, description="Name of the line.")
    model: ModelSettings = Field(description="The model.")
    repeats: int = Field(default=1, ge=1, description="Cross-validations, each with folds of its own.")
    published: dict[str, float] = Field(
        default={}, description="Figures of others for the same arm: balanced accuracy, F1, recall, precision (0-1)."
    )


class TableSettings(Settings):
    """A table of arms."""

    title: str = Field(min_length=1, description="Heading.")
    text: str = Field(default="", description="What stands above it.")
    source: str = Field(default="", description="Where the published figures are from.")
    folds: int = Field(default=0, ge=0, le=20, description="Folds of its cross-validations; 0: as the study.")
    arms: tuple[ArmSettings, ...] = Field(min_length=1, description="Lines.")


class LymphocytosisStudySettings(Settings):
    """The experiments of reports/downstream-lymphocytosis.md."""

    commands: tuple[str, ...] = Field(default=(), description="What has to be typed, for the report.")
    notes: tuple[str, ...] = Field(default=(), description="What somebody who read the figures has to say about them.")
    folds: int = Field(default=5, ge=2, le=20, description="Folds of each cross-validation.")
    cells: CellSettings = Field(default_factory=CellSettings, description="How cells are found.")
    quality: QualitySettings = Field(default_factory=QualitySettings, description="Which cells are left out.")
    tables: tuple[TableSettings, ...] = Field(min_length=1, description="Tables of arms.")
    spoilt_shares: tuple[float, ...] = Field(
        default=(0.0, 0.3),
        description="Shares of cells that are spoilt on purpose before raw and filtered are compared.",
    )
    compare_repeats: int = Field(default=5, ge=1, description="Cross-validations of that comparison.")
    resamples: int = Field(default=2000, ge=100, description="Resamples of patients for an interval.")
