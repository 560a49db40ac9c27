"""Tissue masks and artefact maps: rasters that know their grid. Numpy only.

In: class tiles and masks. Out: whole-slide maps, and how much tissue lies under each class.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qc.geometry import Grid, Window
from qc.labels import ArtefactClass

_BLOCK_CELLS = 2048


@dataclass(frozen=True)
class TissueMask:
    """(H, W) bool on `grid`; True is tissue."""

    is_tissue: NDArray[np.bool_]
    grid: Grid

    def __post_init__(self) -> None:
        _check(self.is_tissue, self.grid, np.bool_)

    @property
    def area_mm2(self) -> float:
        """Tissue area in square millimetres."""
        return float(np.count_nonzero(self.is_tissue)) * self.grid.cell_area_mm2

    def on(self, grid: Grid) -> "TissueMask":
        """The mask on another grid of the same slide, nearest cell by nearest cell."""
        return TissueMask(tissue_in(self, grid, grid.window), grid)


@dataclass(frozen=True)
class ArtefactMap:
    """(H, W) uint8 of `ArtefactClass` on `grid`."""

    classes: NDArray[np.uint8]
    grid: Grid

    def __post_init__(self) -> None:
        _check(self.classes, self.grid, np.uint8)


@dataclass(frozen=True)
class Coverage:
    """Tissue cells per class and the area of one cell.

    Attributes:
        cells: Cells of tissue under each class; GLASS never occurs.
        cell_area_mm2: Square millimetres per cell.
    """

    cells: dict[ArtefactClass, int]
    cell_area_mm2: float

    @property
    def tissue_cells(self) -> int:
        """All tissue cells, whatever class they have."""
        return sum(self.cells.values())

    @property
    def tissue_mm2(self) -> float:
        """Tissue area in square millimetres."""
        return self.tissue_cells * self.cell_area_mm2

    def share(self, *classes: ArtefactClass) -> float:
        """Share of tissue (0-1) under `classes`; NaN when there is no tissue."""
        total = self.tissue_cells
        return sum(self.cells.get(c, 0) for c in classes) / total if total else float("nan")

    def area_mm2(self, *classes: ArtefactClass) -> float:
        """Square millimetres of tissue under `classes`."""
        return sum(self.cells.get(c, 0) for c in classes) * self.cell_area_mm2


def coverage(artefacts: ArtefactMap, tissue: TissueMask) -> Coverage:
    """Count the tissue cells under each class, block by block.

    A tissue cell that no tile classified stays UNASSESSED; one that the artefact stage calls GLASS is no tissue.
    """
    counts = np.zeros(len(ArtefactClass), np.int64)
    for window in artefacts.grid.blocks(_BLOCK_CELLS):
        is_tissue = tissue_in(tissue, artefacts.grid, window)
        counts += np.bincount(artefacts.classes[window.slices][is_tissue], minlength=len(ArtefactClass))
    cells = {c: int(counts[c]) for c in ArtefactClass if c is not ArtefactClass.GLASS}
    return Coverage(cells, artefacts.grid.cell_area_mm2)


def tissue_in(tissue: TissueMask, grid: Grid, window: Window) -> NDArray[np.bool_]:
    """(H, W) bool: the tissue mask over `window` of another grid; False beyond the slide."""
    return resample_nearest(tissue.is_tissue, tissue.grid, grid, window, fill=False)


def background(tissue: TissueMask, is_scanned: NDArray[np.bool_], grid: Grid) -> NDArray[np.uint8]:
    """Map before any tile is classified: UNASSESSED in tissue and unscanned area, GLASS elsewhere.

    Args:
        tissue: Where tissue is.
        is_scanned: (H, W) bool on the tissue mask's grid.
        grid: Grid of the map.
    """
    classes = np.empty(grid.shape, np.uint8)
    is_glass = is_scanned & ~tissue.is_tissue
    for window in grid.blocks(_BLOCK_CELLS):
        known = resample_nearest(is_glass, tissue.grid, grid, window, fill=False)
        classes[window.slices] = np.where(known, ArtefactClass.GLASS, ArtefactClass.UNASSESSED)
    return classes


def stitch(classes: NDArray[np.uint8], grid: Grid, tiles: Iterable[tuple[Window, NDArray[np.uint8]]]) -> ArtefactMap:
    """Lay class tiles into a map; what reaches beyond the grid is cut off.

    Args:
        classes: (H, W) uint8 on `grid`, changed in place.
        grid: Grid of the map.
        tiles: Core windows on `grid` and their (h, w) classes; windows must not overlap.
    """
    for window, tile in tiles:
        inside = window.clipped(grid.size)
        left, top = inside.x - window.x, inside.y - window.y
        classes[inside.slices] = tile[top : top + inside.height, left : left + inside.width]
    return ArtefactMap(classes, grid)


def resample_nearest(raster: NDArray[Any], source: Grid, target: Grid, window: Window, fill: Any) -> NDArray[Any]:
    """Values of `raster` at the cell centres of a window of another grid; labels are never interpolated.

    Args:
        raster: (H, W) array on `source`.
        source: Grid of `raster`.
        target: Grid of `window`.
        window: May reach beyond the slide.
        fill: Value beyond the slide.
    """
    ratio = target.pitch / source.pitch
    columns = np.floor((np.arange(window.x, window.right) + 0.5) * ratio).astype(np.intp)
    rows = np.floor((np.arange(window.y, window.bottom) + 0.5) * ratio).astype(np.intp)
    height, width = raster.shape
    values = raster.take(np.clip(rows, 0, height - 1), axis=0).take(np.clip(columns, 0, width - 1), axis=1)
    values[(rows < 0) | (np.arange(window.y, window.bottom) >= target.size.height)] = fill
    values[:, (columns < 0) | (np.arange(window.x, window.right) >= target.size.width)] = fill
    return values


def _check(raster: NDArray[Any], grid: Grid, dtype: type) -> None:
    if raster.shape != grid.shape or raster.dtype != dtype:
        raise ValueError(f"raster {raster.shape} {raster.dtype} does not fit the grid {grid.shape} {dtype.__name__}")
