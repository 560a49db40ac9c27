"""Settings of the artefact stage: a network or the rules."""

from typing import Literal

from pydantic import Field

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
    precision: Literal["float32", "int8"] = Field(
        default="float32", description="int8: quicker, where the network has such a form; see `qc train quantise`."
    )
    halo_um: float = Field(
        default=32.0, ge=0, le=1024, description="Context on each side of a tile for the network, micrometres."
    )
