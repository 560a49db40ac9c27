"""Candidate tiles: from the middle of tissue, with the share of each class. In: map and mask. Out: rows in level 0.

Tiles are squares of whole level-0 pixels, side by side from the slide's top left corner, and lie inside the slide.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.filter import TileSettings
from qc.errors import SettingsError
from qc.geometry import Grid, Region, Size
from qc.labels import ArtefactClass
from qc.manifest import CLASS_COLUMNS
from qc.maps import ArtefactMap, TissueMask, resample_nearest, tissue_in

_CELLS_MIN = 4
_CELLS_PER_HOLE = 16
_COLUMNS = ("x_level0", "y_level0", "width_level0", "height_level0", "tissue", *CLASS_COLUMNS)


@dataclass(frozen=True)
class Lattice:
    """Whole tiles of a slide.

    Attributes:
        slide_size: Size of level 0.
        side_level0: Side of a tile in level-0 pixels.
    """

    slide_size: Size
    side_level0: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of whole tiles; either may be 0."""
        return self.slide_size.height // self.side_level0, self.slide_size.width // self.side_level0

    def region(self, column: int, row: int) -> Region:
        """The level-0 pixels of one tile."""
        side = self.side_level0
        return Region(column * side, row * side, side, side)

    def summed(self, mask: NDArray[np.bool_], grid: Grid) -> NDArray[np.int64]:
        """(rows, columns) of True cells of an (H, W) mask on `grid` whose centres lie in each tile."""
        rows, columns = self.shape
        across, down = self._edges(grid, columns), self._edges(grid, rows)
        inside = mask[: down[-1], : across[-1]]
        by_row = np.add.reduceat(inside, down[:-1], axis=0, dtype=np.int64)
        return np.add.reduceat(by_row, across[:-1], axis=1, dtype=np.int64)

    def cells(self, grid: Grid) -> NDArray[np.int64]:
        """(rows, columns) of cells of `grid` whose centres lie in each tile."""
        rows, columns = self.shape
        return np.outer(np.diff(self._edges(grid, rows)), np.diff(self._edges(grid, columns)))

    def _edges(self, grid: Grid, tiles: int) -> list[int]:
        return [grid.first_cell(i * self.side_level0) for i in range(tiles + 1)]


def lattice_of(grid: Grid, tiles: TileSettings) -> Lattice:
    """Tiles of the wanted size, to the nearest level-0 pixel.

    Raises:
        SettingsError: If a tile would be smaller than the map can tell.
    """
    side = round(tiles.tile_px * tiles.tile_mpp / grid.slide_mpp)
    if side < _CELLS_MIN * grid.pitch:
        least_um = _CELLS_MIN * grid.cell_mpp
        raise SettingsError(
            f"tiles of {tiles.tile_px * tiles.tile_mpp:g} um are too small for a map of {grid.cell_mpp:g} um cells",
            f"ask for tiles of at least {least_um:g} um",
        )
    return Lattice(grid.slide_size, side)


def is_too_coarse(slide_mpp: float, tiles: TileSettings) -> bool:
    """True when a tile would show detail that the slide does not have."""
    return slide_mpp > tiles.tile_mpp * tiles.coarser_max


def find_candidates(artefacts: ArtefactMap, tissue: TissueMask, tiles: TileSettings) -> pd.DataFrame:
    """Tiles from the middle of tissue, row by row, each with the share of every class.

    A cell counts for the tile that its centre lies in. What the map calls GLASS is no tissue.

    Returns:
        Columns x_level0, y_level0, width_level0, height_level0, tissue (share of the tile) and `CLASS_COLUMNS`
        (shares of the tile's tissue).

    Raises:
        SettingsError: If tiles are too small for the map.
    """
    grid = artefacts.grid
    lattice = lattice_of(grid, tiles)
    if 0 in lattice.shape or is_too_coarse(grid.slide_mpp, tiles):
        return no_candidates()
    is_tissue = tissue_in(tissue, grid, grid.window) & (artefacts.classes != ArtefactClass.GLASS)
    cells = lattice.cells(grid)
    tissue_cells = lattice.summed(is_tissue, grid)
    is_inner = lattice.summed(*near_glass(is_tissue, grid, tiles)) == 0
    is_candidate = (tissue_cells > 0) & (tissue_cells >= tiles.tissue_min * cells) & is_inner
    rows, columns = np.nonzero(is_candidate)
    shares = {
        name: (
            lattice.summed(is_tissue & (artefacts.classes == ArtefactClass[name.upper()]), grid) / tissue_cells.clip(1)
        )
        for name in CLASS_COLUMNS
    }
    regions = [lattice.region(int(column), int(row)) for row, column in zip(rows, columns, strict=True)]
    places = [(region.x, region.y, region.width, region.height) for region in regions]
    table = pd.DataFrame(places, columns=list(_COLUMNS[:4]))
    values = {"tissue": tissue_cells / cells, **shares}
    return table.assign(**{name: value[is_candidate] for name, value in values.items()})


def no_candidates() -> pd.DataFrame:
    """What `find_candidates` gives for a slide that has none."""
    return pd.DataFrame(columns=list(_COLUMNS))


def near_glass(is_tissue: NDArray[np.bool_], grid: Grid, tiles: TileSettings) -> tuple[NDArray[np.bool_], Grid]:
    """Glass that a disc of `hole_um` fits into, and what lies within `margin_um` of it.

    Slits and small vessels are no holes: the glass is opened by the disc. Beyond the slide's edge everything is glass.

    Args:
        is_tissue: (H, W) bool on `grid`.
        grid: Grid of the mask.
        tiles: Diameter and margin.

    Returns:
        (H', W') bool and its grid, coarser than `grid` where that is fine beside disc and tile.
    """
    tile_um = tiles.tile_px * tiles.tile_mpp
    coarse = grid.at(max(grid.cell_mpp, min(tiles.hole_um / _CELLS_PER_HOLE, tile_um / _CELLS_MIN)))
    radius = tiles.hole_um / 2 / coarse.cell_mpp
    if not radius:
        return np.zeros(coarse.shape, np.bool_), coarse
    seen = resample_nearest(is_tissue, grid, coarse, coarse.window, fill=False)
    pad = int(np.ceil(radius)) + 1
    glass = np.pad(~seen, pad, constant_values=True).astype(np.uint8)
    is_core = _distance(glass) >= radius
    reach = radius + tiles.margin_um / coarse.cell_mpp
    near = _distance((~is_core).astype(np.uint8)) < reach
    return near[pad:-pad, pad:-pad], coarse


def _distance(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of each nonzero cell from the nearest zero, cells."""
    return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 5), np.float32)
