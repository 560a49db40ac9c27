"""Settings of reading: which pixels are decoded, at which mpp, in which tiles."""

from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings


class ReadingSettings(Settings):
    """How a slide is read. Sizes in pixels are pixels at `read_mpp`."""

    tissue_mpp: float = Field(8.0, gt=0, description="Overview on which tissue is found, micrometres per pixel.")
    read_mpp: float = Field(1.0, gt=0, description="Tissue tiles are read at this, micrometres per pixel.")
    tile_px: int = Field(512, gt=0, description="Side of a tile's core, pixels.")
    halo_px: int = Field(32, ge=0, description="Context read on each side of a core and thrown away, pixels.")
    stride_px: int = Field(2, gt=0, description="Side of an artefact-map cell, pixels.")
    focus_mpp_max: float = Field(
        2.0, gt=0, description="Coarsest reading at which focus can be judged, micrometres per pixel."
    )

    @model_validator(mode="after")
    def _tiles_hold_whole_cells(self) -> Self:
        block_px = 4 * self.stride_px
        if self.tile_px % block_px or self.halo_px % block_px:
            raise ValueError(f"tile_px and halo_px must be multiples of four cells, {block_px} px")
        return self
