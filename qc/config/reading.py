"""Settings of reading: which pixels are decoded, at which mpp, in which tiles."""

from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings

MAP_BLOCK_CELLS = 4
"""Cells of the artefact map that some measures share; tiles and halos hold whole blocks."""


class ReadingSettings(Settings):
    """How a slide is read. Sizes in pixels are pixels at `read_mpp`."""

    tissue_mpp: float = Field(
        default=8.0, ge=2, le=16, description="Overview on which tissue is found, micrometres per pixel."
    )
    read_mpp: float = Field(
        default=1.0, ge=0.1, le=5, description="Tissue tiles are read at this, micrometres per pixel."
    )
    tile_px: int = Field(default=512, ge=64, le=8192, description="Side of a tile's core, pixels.")
    stride_px: int = Field(default=2, ge=1, le=64, description="Side of an artefact-map cell, pixels.")
    focus_mpp_max: float = Field(
        default=2.0, gt=0, description="Coarsest reading at which focus can be judged, micrometres per pixel."
    )

    @model_validator(mode="after")
    def _tiles_hold_whole_cells(self) -> Self:
        block_px = MAP_BLOCK_CELLS * self.stride_px
        if self.tile_px % block_px:
            raise ValueError(f"tile_px must be a multiple of {MAP_BLOCK_CELLS} map cells, {block_px} px")
        return self
