"""Settings of an ablation: which choices around the network vary, how long a run trains, what it is judged on."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.train import NetworkSettings
from qc.config.training import LabelNoiseSettings

Sampling = Literal["random"] | float
"""Share of artefact tiles in a batch, 0-1; `random` leaves it to how common artefacts are."""
Output = Literal["segmentation", "detection"]


class PointSettings(Settings):
    """One combination of choices."""

    sampling: Sampling = Field(default=0.5, description="Share of artefact tiles in a batch, 0-1, or `random`.")
    output: Output = Field(
        default="segmentation",
        description="segmentation: one decision for each cell. detection: one for each window; scores of "
        "half-overlapping windows are averaged into a map.",
    )
    mpp: float = Field(default=1.0, gt=0, le=16, description="Micrometres per pixel that the network sees.")
    network: str = Field(default="small", min_length=1, description="Name of one of the networks.")
    seed: int = Field(default=1, ge=0, description="Of first weights and of all draws in training.")


class NoiseSpec(LabelNoiseSettings):
    """A kind of label noise with a name."""

    name: str = Field(pattern=r"^[a-z0-9-]+$", description="Short name for reports.")


class LevelSettings(Settings):
    """What each choice may be."""

    sampling: tuple[Sampling, ...] = Field(default=("random", 0.25, 0.5, 0.75), min_length=1, description="Sampling.")
    output: tuple[Output, ...] = Field(default=("segmentation", "detection"), min_length=1, description="Outputs.")
    mpp: tuple[float, ...] = Field(
        default=(1.0, 2.0, 4.0, 8.0), min_length=1, description="Micrometres per pixel, multiples of the tiles' own."
    )
    network: tuple[str, ...] = Field(default=("small", "large"), min_length=1, description="Networks.")
    seed: tuple[int, ...] = Field(
        default=(1, 2), min_length=1, description="Seeds that the base point is repeated with, to see what chance does."
    )


class JudgeSettings(Settings):
    """What all runs are judged on: tiles of slides that none of them was trained on."""

    slide_share: float = Field(default=0.4, gt=0, lt=1, description="Share of patients kept for the test, 0-1.")
    clean_tiles: int = Field(default=40, ge=1, description="Clean tiles of a slide at most.")
    composed_tiles: int = Field(default=12, ge=1, description="Tiles of a slide with each class of artefact at most.")
    real_tiles: int = Field(default=40, ge=0, description="Tiles of a slide with a weak label, artefact or not, each.")
    cell_um: float = Field(default=16.0, gt=0, description="Side of the cells that all runs are compared on.")
    repeats: int = Field(default=1000, ge=10, description="Resamples of slides for an interval.")


class AblateSettings(Settings):
    """An experiment: one training repeated with other choices around it."""

    training: str = Field(description="TOML file of the training that is varied, beside this file.")
    design: Literal["one-at-a-time", "full"] = Field(
        default="one-at-a-time", description="Vary one choice of the base point at a time, or train all combinations."
    )
    note: str = Field(default="", description="What a reader of the report must know, such as why runs were left out.")
    base: PointSettings = Field(default_factory=PointSettings, description="The point that is varied.")
    levels: LevelSettings = Field(default_factory=LevelSettings, description="What each choice may be.")
    networks: dict[str, NetworkSettings] = Field(
        default={
            "small": NetworkSettings(),
            "large": NetworkSettings(encoder="resnet18", pyramid_channels=128, segmentation_channels=64),
        },
        description="The networks by name.",
    )
    batch_tiles: int = Field(default=16, ge=1, description="Tiles in a batch.")
    batches: int = Field(default=50, ge=1, description="Batches in an epoch.")
    epochs: int = Field(default=4, ge=1, description="Epochs of each run.")
    averaging: float = Field(
        default=0.95, ge=0, lt=1, description="Decay per step of the averaged weights, lower than in long trainings."
    )
    window_um: float = Field(default=128.0, gt=0, description="Side of a window of detection.")
    window_share: float = Field(
        default=0.05, gt=0, le=1, description="Share of a window's tissue from which it counts as artefact, 0-1."
    )
    test: JudgeSettings = Field(default_factory=JudgeSettings, description="What runs are judged on.")
    noise: tuple[NoiseSpec, ...] = Field(default=(), description="Label noise at the base point, on request.")

    @model_validator(mode="after")
    def _networks_are_known(self) -> Self:
        for name in (self.base.network, *self.levels.network):
            if name not in self.networks:
                raise ValueError(f"there is no network {name} among {', '.join(self.networks)}")
        names = [one.name for one in self.noise]
        if len(set(names)) < len(names):
            raise ValueError("two kinds of noise have one name")
        return self
