"""Settings of a training: the network, what its batches hold, how it is optimised and where it operates."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.tissue_training import TissueComposeSettings
from qc.config.training import AugmentSettings, ComposeSettings, LabelNoiseSettings


class NetworkSettings(Settings):
    """What the network is; its output is coarser than its input, for QC needs no pixel-sharp borders."""

    encoder: str = Field(
        default="tu-test_resnet", description="Encoder known to segmentation-models-pytorch, from scratch."
    )
    pyramid_channels: int = Field(default=64, ge=8, le=512, description="Channels of the feature pyramid.")
    segmentation_channels: int = Field(
        default=32, ge=32, le=512, multiple_of=32, description="Channels of the merged pyramid."
    )
    upsampling: int = Field(default=1, ge=1, le=4, description="1 for an output of a quarter of the input, 4 for all.")


class SamplingSettings(Settings):
    """What a batch holds."""

    batch_tiles: int = Field(default=16, ge=1, le=4096, description="Tiles in a batch.")
    batches: int = Field(default=100, ge=1, description="Batches in an epoch.")
    artefact_share: float | None = Field(
        default=0.5, ge=0, le=1, description="Share of artefact tiles in a batch, 0-1; without it tiles come at random."
    )
    annotated_share: float | None = Field(
        default=0.3, ge=0, le=1, description="Chance that an artefact tile is an annotated one where there are any."
    )
    composed_tiles: int = Field(default=1200, ge=0, description="Tiles composed for each class of artefact.")
    validation_batches: int = Field(default=16, ge=1, description="Batches of the same kind for validation.")


class OptimiserSettings(Settings):
    """A warm-up and a cosine, averaged weights, early stop."""

    method: Literal["adamuon", "adamw"] = Field(
        default="adamuon",
        description="adamuon: convolutions change along orthogonalised momentum (Si et al. 2025, arXiv:2507.11005), "
        "which learns in fewer steps; norms and biases by NAdamW at the same rate. adamw: everything by AdamW.",
    )
    class_balance: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="How much more cells of rarer classes weigh, a power of their inverse share: 0 all cells weigh "
        "alike, 1 all classes.",
    )
    epochs: int = Field(default=30, ge=1, description="Epochs at most.")
    learning_rate: float = Field(default=2e-3, gt=0, lt=1, description="Highest learning rate.")
    weight_decay: float = Field(default=1e-2, ge=0, lt=1, description="Decoupled weight decay.")
    warm_up: float = Field(default=0.1, ge=0, lt=1, description="Share of all steps with a rising rate, 0-1.")
    patience: int = Field(default=8, ge=1, description="Epochs without a better validation loss before it stops.")
    averaging: float = Field(default=0.99, ge=0, lt=1, description="Decay per step of the averaged weights.")
    kept: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of the weights that a training starts from that is kept at its end, so that it forgets less "
        "of what they knew (Wortsman et al. 2022, arXiv:2109.01903).",
    )
    weak_weight: float = Field(default=0.5, ge=0, description="Weight of tiles whose pixels are not labelled.")


class OperatingSettings(Settings):
    """Where probabilities become classes."""

    tnr: float = Field(default=0.98, gt=0.5, lt=1, description="Wanted share of clean tissue that stays clean.")
    suspicion_min: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="Least calibrated suspicion that is ever called, 0-1: of calls there, about this share is right.",
    )
    prevalence: float = Field(
        default=0.075,
        gt=0,
        lt=1,
        description="Share of artefacts in tissue that probabilities are corrected to, 0-1.",
    )


class TrainSettings(Settings):
    """Everything that decides a network's weights."""

    sources: str = Field(description="TOML file of training sources, beside this file.")
    seed: int = Field(default=1, ge=0, description="Of the split, of everything drawn and of the first weights.")
    start: str = Field(
        default="",
        description="Network whose weights the training starts from: one that comes with the product, or a folder. "
        "With folds, the parts of that folder's own training with the same names. Empty for weights drawn by seed.",
    )
    hold_out: tuple[str, ...] = Field(default=(), description="Slides that are left for measuring.")
    folds: int = Field(
        default=0, ge=0, le=20, description="Parts of a cross-validation by patient; below 2 there is none."
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings, description="The network.")
    sampling: SamplingSettings = Field(default_factory=SamplingSettings, description="Batches.")
    optimiser: OptimiserSettings = Field(default_factory=OptimiserSettings, description="Optimisation.")
    operating: OperatingSettings = Field(default_factory=OperatingSettings, description="Calibration and thresholds.")
    compose: ComposeSettings = Field(default_factory=ComposeSettings, description="Composed artefacts.")
    overview: TissueComposeSettings = Field(
        default_factory=TissueComposeSettings, description="What is laid on overviews, for tissue networks."
    )
    augment: AugmentSettings = Field(default_factory=AugmentSettings, description="Variation of tiles.")
    noise: LabelNoiseSettings = Field(default_factory=LabelNoiseSettings, description="Imperfect labels.")

    @model_validator(mode="after")
    def _one_fold_is_none(self) -> Self:
        if self.folds == 1:
            raise ValueError("a cross-validation needs at least 2 folds")
        return self
