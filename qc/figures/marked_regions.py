"""Where a person should look: an artefact map in, its connected areas out, largest first. Pure; no files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.geometry import Grid, Region, Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap

_BLOCK_UM = 16.0
_STRIP_BLOCKS = 64


@dataclass(frozen=True)
class MarkedRegion:
    """Cells of one class that lie together.

    Attributes:
        artefact: Their class.
        area_mm2: Their area, square millimetres.
        region: The smallest rectangle around them, level-0 pixels.
    """

    artefact: ArtefactClass
    area_mm2: float
    region: Region


def marked_regions(
    artefacts: ArtefactMap,
    classes: Sequence[ArtefactClass] = ARTEFACTS,
    area_min_mm2: float = 0.001,
    most: int = 200,
) -> list[MarkedRegion]:
    """Areas of each class, largest first.

    Cells less than about 16 micrometres apart count as one area, so that a torn fold is one place to look at, not
    twenty.

    Args:
        artefacts: The map.
        classes: Classes to look for.
        area_min_mm2: Smaller areas are left out, square millimetres.
        most: Areas to return at most.
    """
    found = [one for cls in classes for one in _regions(artefacts, cls) if one.area_mm2 >= area_min_mm2]
    return sorted(found, key=lambda one: -one.area_mm2)[:most]


def _regions(artefacts: ArtefactMap, cls: ArtefactClass) -> Iterator[MarkedRegion]:
    grid = artefacts.grid
    block_cells = max(1, round(_BLOCK_UM / grid.cell_mpp))
    if not (artefacts.classes == cls).any():
        return
    cells = _cells_per_block(artefacts.classes, cls, block_cells)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((cells > 0).astype(np.uint8), connectivity=8)
    sums = np.bincount(labels.ravel(), cells.ravel(), minlength=count)
    for label in range(1, count):
        x, y, width, height = (int(value) * block_cells for value in stats[label, : cv2.CC_STAT_AREA])
        area_mm2 = float(sums[label]) * grid.cell_area_mm2
        yield MarkedRegion(cls, area_mm2, _inside(grid, Window(x, y, width, height)))


def _cells_per_block(classes: NDArray[np.uint8], cls: ArtefactClass, block_cells: int) -> NDArray[np.float32]:
    """(h, w) float32: cells of a class in each square block, strip by strip."""
    height, width = classes.shape
    step = _STRIP_BLOCKS * block_cells
    across = np.arange(0, width, block_cells)
    strips = []
    for top in range(0, height, step):
        is_class = classes[top : top + step] == cls
        rows = np.add.reduceat(is_class, across, axis=1, dtype=np.int32)
        strips.append(np.add.reduceat(rows, np.arange(0, len(rows), block_cells), axis=0))
    return np.concatenate(strips).astype(np.float32)


def _inside(grid: Grid, window: Window) -> Region:
    return grid.region(window.clipped(grid.size))
