"""Which tiles to read: a tissue mask in, windows of a grid out. Plans only; reads nothing."""

from dataclasses import dataclass

import numpy as np

from qc.geometry import Grid, Window
from qc.maps import TissueMask


@dataclass(frozen=True)
class TilePlan:
    """Tiles whose cores cover every tissue cell of `grid` exactly once.

    Attributes:
        grid: The grid that is read.
        tile_px: Side of a core in cells of `grid`.
        halo_px: Context read on each side of a core and thrown away afterwards.
        cores: One window per tile; those in the last column and row reach beyond the grid.
    """

    grid: Grid
    tile_px: int
    halo_px: int
    cores: tuple[Window, ...]

    def __len__(self) -> int:
        return len(self.cores)


def plan_tiles(tissue: TissueMask, grid: Grid, tile_px: int, halo_px: int) -> TilePlan:
    """Keep the tiles of a regular lattice that touch tissue.

    Args:
        tissue: Where tissue is, on its own (coarser or finer) grid.
        grid: The grid to read on.
        tile_px: Core side in cells.
        halo_px: Context on each side in cells.
    """
    ratio = grid.pitch / tissue.grid.pitch
    size = grid.size
    columns = _spans(size.width, tile_px, ratio, tissue.grid.size.width)
    rows = _spans(size.height, tile_px, ratio, tissue.grid.size.height)
    cores = tuple(
        Window(column * tile_px, row * tile_px, tile_px, tile_px)
        for row, (top, bottom) in enumerate(rows)
        for column, (left, right) in enumerate(columns)
        if tissue.is_tissue[top:bottom, left:right].any()
    )
    return TilePlan(grid, tile_px, halo_px, cores)


def _spans(length: int, tile_px: int, ratio: float, mask_length: int) -> list[tuple[int, int]]:
    """Mask cells that each tile touches along one axis, as half-open ranges."""
    starts = range(0, length, tile_px)
    return [(int(start * ratio), min(mask_length, int(np.ceil((start + tile_px) * ratio)))) for start in starts]
