"""Settings of the segmentation of glands: what the network sees, how it learns, how glands are told apart."""

from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.training import AugmentSettings

GLAND_LOOKS = AugmentSettings(
    stain_gain=0.25,
    recolour=0.0,
    hue=0.03,
    saturation=0.2,
    gamma=0.2,
    white_balance=0.05,
    scale_min=0.8,
    scale_max=1.25,
    jpeg_min=60,
    noise=3.0,
    chance=0.6,
)
"""Turns, mirrors, scale and the stains of other laboratories; no immunostain, for glands are sought in H&E."""


class UnetSettings(Settings):
    """A U-Net (Ronneberger et al. 2015, arXiv:1505.04597) on an encoder."""

    encoder: str = Field(default="tu-resnet10t", description="Encoder known to segmentation-models-pytorch.")
    decoder_channels: tuple[int, ...] = Field(
        default=(128, 64, 48, 32, 16),
        min_length=3,
        max_length=5,
        description="Channels of the decoder, coarse to fine.",
    )
    encoder_weights: str = Field(
        default="",
        description="File of the encoder's first weights (safetensors, or a state that torch saved); drawn by seed "
        "without. Nothing is downloaded.",
    )


class GlandFitSettings(Settings):
    """AdamW with a rising, then falling rate, on crops drawn from images in proportion to their area."""

    epochs: int = Field(default=30, ge=1, description="Epochs.")
    epoch_crops: int = Field(default=128, ge=1, description="Crops in an epoch.")
    batch_crops: int = Field(default=8, ge=1, description="Crops in a batch.")
    crop_px: int = Field(default=256, ge=32, le=2048, multiple_of=32, description="Side of a crop, pixels at `mpp`.")
    learning_rate: float = Field(default=2e-3, gt=0, lt=1, description="Highest learning rate.")
    weight_decay: float = Field(default=1e-2, ge=0, lt=1, description="Decoupled weight decay.")


class InstanceSettings(Settings):
    """From probabilities to glands."""

    gland_from: float = Field(default=0.5, gt=0, lt=1, description="Probability of gland, inside or border, 0-1.")
    core_from: float = Field(default=0.7, gt=0, lt=1, description="Probability of inside from which a gland starts.")
    core_mm2_min: float = Field(default=0.0004, ge=0, description="Least area of such a start, mm2.")
    area_mm2_min: float = Field(default=0.0012, ge=0, description="Least area of a gland, mm2.")


class GlandSettings(Settings):
    """Everything that decides what is found in an image but its pixels."""

    image_mpp: float = Field(
        default=0.62, gt=0.05, le=5, description="Micrometres per pixel of the images, which do not say it themselves."
    )
    mpp: float = Field(default=1.24, gt=0.05, le=8, description="Micrometres per pixel at which the network sees them.")
    border_um: float = Field(
        default=5.0, gt=0, description="Width of the band inside a gland's outline that is learnt as its border."
    )
    turned: bool = Field(default=True, description="Average what is said of an image turned and mirrored in 8 ways.")
    seed: int = Field(default=1, ge=0, description="Of first weights, crops and variation.")
    network: UnetSettings = Field(default_factory=UnetSettings, description="The network.")
    fit: GlandFitSettings = Field(default_factory=GlandFitSettings, description="Optimisation.")
    augment: AugmentSettings = Field(default=GLAND_LOOKS, description="How crops are varied.")
    instances: InstanceSettings = Field(default_factory=InstanceSettings, description="How glands are told apart.")

    @model_validator(mode="after")
    def _is_not_enlarged(self) -> Self:
        if self.mpp < self.image_mpp:
            raise ValueError(f"mpp {self.mpp} is finer than the images' {self.image_mpp}; nothing is seen by enlarging")
        return self


class PublishedFigures(Settings):
    """Figures of others for one part of the images."""

    who: str = Field(min_length=1, description="Team or authors.")
    part: str = Field(min_length=1, description="Part of the images.")
    f1: float = Field(ge=0, le=1, description="Object-level F1.")
    dice: float = Field(ge=0, le=1, description="Object-level Dice.")
    hausdorff_px: float = Field(ge=0, description="Object-level Hausdorff distance, pixels.")
    source: str = Field(min_length=1, description="Where it was published.")


class GlandStudySettings(Settings):
    """The experiment of reports/downstream-glands.md."""

    train: str = Field(default="train", description="Folder trained on, under the data folder.")
    test: tuple[str, ...] = Field(default=("testA", "testB"), min_length=1, description="Folders tested on.")
    patients: str = Field(
        default="grades.csv", description="Table under the data folder that gives each image's patient and grade."
    )
    validation_patients: tuple[str, ...] = Field(
        default=(), description="Patients of `train` on which settings were chosen; the report gives figures for them."
    )
    refit: bool = Field(
        default=True,
        description="Train once more on all images of `train` for the test; otherwise the model that did not see the "
        "validation patients is tested.",
    )
    blur_um: tuple[float, ...] = Field(
        default=(1.5, 3.0, 6.0), description="Radii of the blur discs laid on test images, micrometres."
    )
    blurred_share: float = Field(default=0.3, gt=0, lt=1, description="Share of the test images that are blurred, 0-1.")
    sharp_centile: float = Field(
        default=2.0,
        gt=0,
        lt=50,
        description="Images less sharp than this centile of the trained ones go back, percent.",
    )
    annotator_um: tuple[float, ...] = Field(
        default=(2.0, 5.0), description="How imprecisely true glands are drawn anew, micrometres."
    )
    annotator_missing: float = Field(default=0.2, ge=0, le=1, description="Share of true glands left out, 0-1.")
    repeats: int = Field(default=2000, ge=100, description="Resamples of patients for an interval.")
    commands: tuple[str, ...] = Field(default=(), description="What has to be typed, for the report.")
    notes: tuple[str, ...] = Field(default=(), description="What somebody who read the figures has to say about them.")
    published: tuple[PublishedFigures, ...] = Field(default=(), description="What others reached.")
    glands: GlandSettings = Field(default_factory=GlandSettings, description="The segmentation.")
