"""Settings of the artefact stage: a network or the rules."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings


class StageSettings(Settings):
    """What decides which tissue can be trusted."""

    stage: Literal["network", "rules"] = Field(
        default="network",
        description="network: trained weights. rules: focus, density, hue and shape; needs no weights.",
    )
    network: str = Field(
        default="artefact-1",
        min_length=1,
        description="A network that comes with the product, or a folder of `qc train`.",
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="What the network runs on; auto: a GPU that torch can use, or else the processor."
    )
    precision: Literal["auto", "float32", "int8"] = Field(
        default="auto",
        description="auto: int8 on the processor where the network has such a form, see `qc train quantise`; or else "
        "float32.",
    )
    halo_um: float = Field(
        default=32.0, ge=0, le=1024, description="Context on each side of a tile for the network, micrometres."
    )

    @model_validator(mode="after")
    def _rounds_on_the_processor_alone(self) -> Self:
        if self.device == "gpu" and self.precision == "int8":
            raise ValueError("int8 runs on the processor alone; ask for float32 on a GPU")
        return self
