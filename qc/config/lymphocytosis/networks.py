"""Settings of networks that read bags of cells."""

from typing import Literal, Self, TypeVar

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.lymphocytosis.cells import PixelSettings
from qc.config.lymphocytosis.features import FeatureSettings
from qc.config.lymphocytosis.fit import BagFitSettings, BoostingSettings

Aggregation = Literal["attention", "mean", "max", "mean_std", "transformer"]


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
    attention_width: int = Field(
        default=128, ge=1, description="Hidden units of the attention; of a transformer its width, a multiple of 4."
    )
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
        return _with_heads(self)


class JointSettings(Settings):
    """D-MIL's auto-encoder learns with it: from the pictures that it gives back, and from the patients' labels."""

    turns: Literal["together", "alternating"] = Field(
        default="alternating",
        description="together: both losses, all weights and one rate in every step. alternating: in one epoch the "
        "auto-encoder is frozen and the rest learns labels, in the next the rest is frozen and the auto-encoder learns "
        "both losses, at its own rate.",
    )
    picture_weight: float = Field(
        default=1.0, gt=0, description="Weight of the pictures' loss, a binary cross-entropy, beside that of labels."
    )
    alone_epochs: int = Field(
        default=10, ge=0, description="First epochs, in which the auto-encoder alone learns, from pictures alone."
    )


class DeepMilSettings(Settings):
    """D-MIL: features of cells aggregated, clinical values, two layers each, one linear layer; weighted loss."""

    kind: Literal["deep_mil"] = Field(default="deep_mil", description="Name of this model.")
    features: FeatureSettings = Field(
        default_factory=lambda: FeatureSettings(components=3000), description="What a cell is."
    )
    uses_clinical: bool = Field(default=True, description="Whether count and age are used.")
    aggregation: Aggregation = Field(default="attention", description="How cells become one vector.")
    attention_width: int = Field(
        default=64, ge=1, description="Hidden units of the attention; of a transformer its width, a multiple of 4."
    )
    width: int = Field(default=128, ge=1, description="Width of all layers.")
    dropout: float = Field(default=0.05, ge=0, lt=1, description="Dropout after each layer.")
    fit: BagFitSettings = Field(
        default_factory=lambda: BagFitSettings(
            epochs=40, cells_max=64, reactive_weight=44 / 142, tumoral_weight=98 / 142
        ),
        description="Optimisation; the published weights of patients are 98/142 for tumoral and 44/142 for reactive.",
    )
    joint: JointSettings | None = Field(
        default=None,
        exclude_if=lambda joint: joint is None,
        description="Whether and how the auto-encoder learns with it; its codes are then read as they are.",
    )

    @model_validator(mode="after")
    def _codes_can_learn(self) -> Self:
        told = self.features
        if self.joint and (told.source != "autoencoder" or told.is_standardised or told.components):
            raise ValueError(
                'an auto-encoder that learns with D-MIL needs features of source "autoencoder", is_standardised = '
                "false and components = 0"
            )
        if self.joint and self.joint.alone_epochs >= self.fit.epochs:
            raise ValueError("alone_epochs must be fewer than the epochs of fit")
        return _with_heads(self)


class InstanceMilSettings(Settings):
    """A network judges each cell; the patient's chance is the mean or the maximum of the cells', and learnt as such."""

    kind: Literal["instance_mil"] = Field(default="instance_mil", description="Name of this model.")
    encoder: str = Field(default="resnet18", description="Network known to timm; starts from random weights.")
    encoder_weights: str | None = Field(default=None, description="Path of pre-trained weights of that network.")
    pixels: PixelSettings = Field(default_factory=PixelSettings, description="What it sees.")
    pooling: Literal["mean", "max"] = Field(default="mean", description="How chances of cells become the patient's.")
    fit: BagFitSettings = Field(
        default_factory=lambda: BagFitSettings(weight_decay=0.0), description="Optimisation; without decay it is Adam."
    )
    boosting: BoostingSettings | None = Field(
        default=None, description="Gradient boosting after it, of the patient's chance, count and age."
    )
    inner_folds: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Folds that chances for boosting come from; 0 takes those of training itself.",
    )


T = TypeVar("T", AttentionMilSettings, DeepMilSettings)


def _with_heads(settings: T) -> T:
    if settings.aggregation == "transformer" and settings.attention_width % 4:
        raise ValueError(f"a transformer has 4 heads, and attention_width {settings.attention_width} is no multiple")
    return settings
