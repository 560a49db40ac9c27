"""Which tiles to read: a tissue mask in, windows of a grid out. Plans only; reads nothing."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.geometry import Grid, Window
from qc.maps import TissueMask

_LEAST_STEPS = 4  # what is measured in the middle of a tile needs some width


@dataclass(frozen=True)
class TilePlan:
    """Tiles whose cores cover every tissue cell of `grid` exactly once.

    Attributes:
        grid: The grid that is read.
        tile_px: Largest side of a core in cells of `grid`.
        halo_px: Context read on each side of a core and thrown away afterwards.
        cores: One window per tile; those in the last column and row may reach beyond the grid.
    """

    grid: Grid
    tile_px: int
    halo_px: int
    cores: tuple[Window, ...]

    def __len__(self) -> int:
        return len(self.cores)


def plan_tiles(tissue: TissueMask, grid: Grid, tile_px: int, halo_px: int, cut_px: int = 0) -> TilePlan:
    """Keep the tiles of a regular lattice that touch tissue.

    Args:
        tissue: Where tissue is, on its own (coarser or finer) grid.
        grid: The grid to read on.
        tile_px: Core side in cells.
        halo_px: Context on each side in cells.
        cut_px: Cores are cut to the box around their tissue, in steps of this many cells; 0 leaves them whole.
    """
    ratio = grid.pitch / tissue.grid.pitch
    size = grid.size
    columns = _spans(size.width, tile_px, ratio, tissue.grid.size.width)
    rows = _spans(size.height, tile_px, ratio, tissue.grid.size.height)
    cores = []
    for row, (top, bottom) in enumerate(rows):
        for column, (left, right) in enumerate(columns):
            inside = tissue.is_tissue[top:bottom, left:right]
            if not inside.any():
                continue
            x, y, width, height = column * tile_px, row * tile_px, tile_px, tile_px
            if cut_px:
                x, width = _cut(np.flatnonzero(inside.any(axis=0)) + left, ratio, x, tile_px, cut_px)
                y, height = _cut(np.flatnonzero(inside.any(axis=1)) + top, ratio, y, tile_px, cut_px)
            cores.append(Window(x, y, width, height))
    return TilePlan(grid, tile_px, halo_px, tuple(cores))


def _cut(marked: NDArray[np.intp], ratio: float, start: int, length: int, step: int) -> tuple[int, int]:
    """Start and length of the part of a tile that the marked mask cells touch along one axis, in whole steps."""
    first = math.floor(marked[0] / ratio) - 1 - start
    last = math.ceil((marked[-1] + 1) / ratio) + 1 - start
    before = max(0, first // step * step)
    after = min(length, -(-last // step) * step)
    least = min(length, _LEAST_STEPS * step)
    if after - before < least:
        before = min(before, length - least)
        after = before + least
    return start + before, after - before


def _spans(length: int, tile_px: int, ratio: float, mask_length: int) -> list[tuple[int, int]]:
    """Mask cells that each tile touches along one axis, as half-open ranges."""
    starts = range(0, length, tile_px)
    return [(int(start * ratio), min(mask_length, int(np.ceil((start + tile_px) * ratio)))) for start in starts]
