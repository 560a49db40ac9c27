"""Settings of downstream tasks: what a classifier sees of a tile, how it learns, what two arms differ in."""

from typing import Literal

from pydantic import Field

from qc.config.base import Settings
from qc.config.training import AugmentSettings

StainMethod = Literal["none", "reinhard", "macenko"]

GEOMETRY_ONLY = AugmentSettings(
    stain_gain=0.0,
    stain_shift=0.0,
    recolour=0.0,
    hue=0.0,
    saturation=0.0,
    gamma=0.0,
    white_balance=0.0,
    scale_min=0.9,
    scale_max=1.1,
    jpeg_min=60,
    noise=2.0,
    chance=0.5,
)
"""Turns, mirrors, slight scaling, compression and noise: colours are left to stain normalisation."""


class StainSettings(Settings):
    """How colours of laboratories are brought together."""

    method: StainMethod = Field(
        default="reinhard",
        description="reinhard: mean and deviation in CIELAB. macenko: stain vectors and densities. none: as scanned.",
    )
    per: Literal["slide", "tile"] = Field(
        default="slide",
        description="What statistics are taken of. Of single tiles, pale follicles and dark cortex come to look alike.",
    )


class FitSettings(Settings):
    """AdamW with a rising, then falling rate; classes, slides of a class and tiles of a slide are equally likely."""

    epochs: int = Field(default=10, ge=1, description="Passes over the tiles.")
    batch_tiles: int = Field(default=32, ge=2, description="Tiles in a batch.")
    epoch_tiles_max: int = Field(default=1024, ge=1, description="Tiles drawn in an epoch at most.")
    learning_rate: float = Field(default=1e-3, gt=0, lt=1, description="Highest learning rate.")
    weight_decay: float = Field(default=1e-2, ge=0, lt=1, description="Decoupled weight decay.")
    dropout: float = Field(default=0.3, ge=0, lt=1, description="Share of features dropped before the last layer.")
    mixup_alpha: float = Field(
        default=0.2,
        ge=0,
        description="Parameter of the beta distribution that weights are drawn from; 0 mixes nothing.",
    )
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5, description="Share of a label given to all classes.")


class ClassifierSettings(Settings):
    """Everything that decides a tile classifier's weights but tiles and seed."""

    negative: str = Field(default="FH", min_length=1, description="Label of the slides that are not called.")
    positive: str = Field(default="FL", min_length=1, description="Label of the slides that are called.")
    input_px: int = Field(default=128, ge=32, le=1024, description="Side of a tile as the network sees it, pixels.")
    encoder: str = Field(default="resnet18", description="Network known to timm.")
    encoder_weights: str = Field(
        default="",
        description="File of the encoder's first weights (safetensors, or a state that torch saved); empty for weights "
        "drawn by seed.",
    )
    stain: StainSettings = Field(default_factory=StainSettings, description="Stain normalisation.")
    fit: FitSettings = Field(default_factory=FitSettings, description="Optimisation.")
    augment: AugmentSettings = Field(default=GEOMETRY_ONLY, description="How tiles are varied.")


class CompareSettings(Settings):
    """How two arms are compared."""

    seeds: tuple[int, ...] = Field(default=(1, 2, 3), min_length=1, description="Trainings of each arm.")
    folds: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Parts of a cross-validation by patient that are dealt here; 0 goes by patients and split.",
    )
    test_patients: tuple[str, ...] = Field(
        default=(), description="Patients tested on; without them the manifest's split says who."
    )
    test_split: str = Field(
        default="",
        description="Part of the manifest's split that is tested on, such as `fold-2`. By default `test`, or without "
        "it each fold in turn.",
    )
    test_share: float = Field(
        default=0.3, gt=0, lt=1, description="Share of patients tested on where nothing says who, 0-1."
    )
    repeats: int = Field(default=2000, ge=100, description="Resamples of patients for an interval.")


class DownstreamSettings(Settings):
    """A downstream experiment on a manifest."""

    classifier: ClassifierSettings = Field(default_factory=ClassifierSettings, description="The classifier.")
    compare: CompareSettings = Field(default_factory=CompareSettings, description="Seeds, parts and intervals.")


class SheetSpec(Settings):
    """Numbered tile files that lie together on one sheet, as those of one slide."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="Name of the sheet.")
    label: str = Field(min_length=1, description="What its tissue shows.")
    folder: str = Field(min_length=1, description="Folder of the files under the data folder; stems are numbers.")
    numbers: tuple[tuple[int, int], ...] = Field(min_length=1, description="First and last number of each run.")


class SheetsSettings(Settings):
    """Loose tiles laid on sheets."""

    tile_px: int = Field(default=224, ge=16, description="Side of a tile file, pixels.")
    sheets: tuple[SheetSpec, ...] = Field(min_length=1, description="The sheets.")


class BlurStudySettings(Settings):
    """What a classifier owes to blur, on tiles of which one label is softer."""

    manifest: str = Field(description="Manifest under the data folder.")
    compare: CompareSettings = Field(default_factory=lambda: CompareSettings(folds=3), description="Seeds and parts.")
    soft_centile: float = Field(
        default=8.0, gt=0, lt=50, description="Sharpness that tiles are blurred to: this centile of all tiles, percent."
    )
    bins: int = Field(default=6, ge=2, description="Bins of sharpness that hold as many tiles of either label.")


class ArtefactStudySettings(Settings):
    """What filtering gives back, on the same slides with more and more artefacts."""

    manifests: dict[str, str] = Field(min_length=1, description="Share of artefacts, as text, to manifest.")
    compare: CompareSettings = Field(default_factory=CompareSettings, description="Seeds and parts.")
    arms_at: str = Field(description="Share of artefacts, one of the manifests, at which all arms are trained.")


class StudySettings(Settings):
    """The experiments of reports/downstream-follicular.md."""

    commands: tuple[str, ...] = Field(default=(), description="What has to be typed, for the report.")
    notes: tuple[str, ...] = Field(default=(), description="What somebody who read the figures has to say about them.")
    phantoms: ArtefactStudySettings | None = Field(default=None, description="Synthetic slides.")
    real: BlurStudySettings | None = Field(default=None, description="Real tiles.")
    classifier: ClassifierSettings = Field(default_factory=ClassifierSettings, description="That of phantoms.")
    real_classifier: ClassifierSettings = Field(default_factory=ClassifierSettings, description="That of real tiles.")
