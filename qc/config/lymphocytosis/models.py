"""Settings of a model, of one that asks several, and of a model file."""

from typing import Annotated, Literal

from pydantic import Field

from qc.config.base import Settings
from qc.config.lymphocytosis.cells import CellSettings, QualitySettings
from qc.config.lymphocytosis.machines import (
    BoostedSettings,
    MiSvmSettings,
    OneClassSvmSettings,
    PooledSettings,
    PseudoLabelSettings,
)
from qc.config.lymphocytosis.networks import AttentionMilSettings, DeepMilSettings, InstanceMilSettings

_Single = (
    PooledSettings
    | AttentionMilSettings
    | DeepMilSettings
    | InstanceMilSettings
    | MiSvmSettings
    | OneClassSvmSettings
    | PseudoLabelSettings
    | BoostedSettings
)
SingleSettings = Annotated[_Single, Field(discriminator="kind")]


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


ModelSettings = Annotated[_Single | VoteSettings | SelectSettings, Field(discriminator="kind")]


class LymphocytosisSettings(Settings):
    """What `qc downstream lymphocytosis train` learns, and from what."""

    seed: int = Field(default=1, ge=0, description="Of everything that is drawn.")
    cells: CellSettings = Field(default_factory=CellSettings, description="How cells are found.")
    quality: QualitySettings = Field(default_factory=QualitySettings, description="Which cells are left out.")
    model: ModelSettings = Field(default_factory=PooledSettings, description="The model.")
