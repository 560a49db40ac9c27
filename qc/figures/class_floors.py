"""Coarser views of an artefact map for the screen: thin artefacts stay to be seen. Pure; no files.

In: an artefact map. Out: floors, each of half the cells of the one before, and classes under the pixels of a picture.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qc.geometry import Grid, Size, Window
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap

_WEAKEST_FIRST = (
    ArtefactClass.GLASS,
    ArtefactClass.CLEAN,
    ArtefactClass.UNASSESSED,
    ArtefactClass.OUT_OF_FOCUS,
    ArtefactClass.BUBBLE,
    ArtefactClass.PEN,
    ArtefactClass.FOLD,
    ArtefactClass.FOREIGN,
)
_RANK = np.argsort(_WEAKEST_FIRST).astype(np.uint8)
_CLASS = np.array(_WEAKEST_FIRST, np.uint8)
_LEAST_CELLS = 256


@dataclass(frozen=True)
class ClassFloors:
    """An artefact map at its own and at coarser resolutions.

    Attributes:
        ranks: (H, W) uint8; a cell of floor k covers 2**k x 2**k cells of the map, and has the rank of the class among
            them that is most easily overlooked.
        grid: Grid of the map.
    """

    ranks: tuple[NDArray[np.uint8], ...]
    grid: Grid

    @classmethod
    def of(cls, artefacts: ArtefactMap) -> Self:
        """All floors of a map."""
        ranks = [_RANK[artefacts.classes]]
        while max(ranks[-1].shape) > _LEAST_CELLS:
            ranks.append(_halved(ranks[-1]))
        return cls(tuple(ranks), artefacts.grid)

    def under(self, window: Window, picture_size: Size) -> NDArray[np.uint8]:
        """Classes under the pixels of a part of a picture of the whole slide.

        A pixel smaller than a cell shows the cell at its centre; a larger one shows the class, of all cells that it
        touches, that is most easily overlooked.

        Args:
            window: The part, pixels of the picture; may reach beyond it, where the edge goes on.
            picture_size: Size of the whole picture.

        Returns:
            (H, W) uint8 of `ArtefactClass`.
        """
        cells_across = self.grid.slide_size.width / picture_size.width / self.grid.pitch
        cells_down = self.grid.slide_size.height / picture_size.height / self.grid.pitch
        floor = int(np.floor(np.log2(max(1.0, min(cells_across, cells_down))) + 1e-6))
        floor = min(floor, len(self.ranks) - 1)
        ranks = self.ranks[floor]
        for axis, start, length, per_px in (
            (0, window.y, window.height, cells_down / 2**floor),
            (1, window.x, window.width, cells_across / 2**floor),
        ):
            first, last = _touched(start, length, per_px, ranks.shape[axis])
            ranks = np.max([ranks.take(c, axis) for c in _between(first, last)], axis=0)
        return _CLASS[ranks]

    @property
    def weight_bytes(self) -> int:
        """Memory that the floors take."""
        return sum(floor.nbytes for floor in self.ranks)


def _touched(start: int, length: int, cells_per_px: float, cells: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last cell of each pixel along one axis."""
    px = np.arange(start, start + length)
    if cells_per_px < 1 + 1e-9:
        centres = np.floor((px + 0.5) * cells_per_px).astype(np.intp).clip(0, cells - 1)
        return centres, centres
    first = np.floor(px * cells_per_px + 1e-6).astype(np.intp).clip(0, cells - 1)
    last = (np.ceil((px + 1) * cells_per_px - 1e-6).astype(np.intp) - 1).clip(0, cells - 1)
    return first, np.maximum(first, last)


def _between(first: NDArray[np.intp], last: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Cells from first to last, one array for each step."""
    most = int((last - first).max())
    return [np.minimum(first + step, last) for step in range(most + 1)]


def _halved(ranks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = ranks.shape
    even = np.pad(ranks, ((0, height % 2), (0, width % 2)), mode="edge")
    rows = np.maximum(even[0::2], even[1::2])
    return np.maximum(rows[:, 0::2], rows[:, 1::2])
