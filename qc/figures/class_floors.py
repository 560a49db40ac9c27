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
        floors: (H, W) uint8 of `ArtefactClass`; a cell of floor k covers 2**k x 2**k cells of the map, and shows the
            class among them that is most easily overlooked.
        grid: Grid of the map.
    """

    floors: tuple[NDArray[np.uint8], ...]
    grid: Grid

    @classmethod
    def of(cls, artefacts: ArtefactMap) -> Self:
        """All floors of a map."""
        ranks = [_RANK[artefacts.classes]]
        while max(ranks[-1].shape) > _LEAST_CELLS:
            ranks.append(_halved(ranks[-1]))
        return cls((artefacts.classes, *(_CLASS[floor] for floor in ranks[1:])), artefacts.grid)

    def under(self, window: Window, picture_size: Size) -> NDArray[np.uint8]:
        """Classes under the pixels of a part of a picture of the whole slide.

        Args:
            window: The part, pixels of the picture; may reach beyond it, where the edge goes on.
            picture_size: Size of the whole picture.

        Returns:
            (H, W) uint8 of `ArtefactClass`.
        """
        across = self.grid.slide_size.width / picture_size.width
        down = self.grid.slide_size.height / picture_size.height
        finest = min(across, down) / self.grid.pitch
        floor = min(max(0, int(np.floor(np.log2(finest) + 1e-6))), len(self.floors) - 1)
        raster, pitch = self.floors[floor], self.grid.pitch * 2**floor
        columns = _cells(window.x, window.width, across / pitch, raster.shape[1])
        rows = _cells(window.y, window.height, down / pitch, raster.shape[0])
        return raster.take(rows, axis=0).take(columns, axis=1)

    @property
    def weight_bytes(self) -> int:
        """Memory that the floors take."""
        return sum(floor.nbytes for floor in self.floors)


def _cells(start: int, length: int, cells_per_px: float, cells: int) -> NDArray[np.intp]:
    centres = (np.arange(start, start + length) + 0.5) * cells_per_px
    return np.floor(centres).astype(np.intp).clip(0, cells - 1)


def _halved(ranks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = ranks.shape
    even = np.pad(ranks, ((0, height % 2), (0, width % 2)), mode="edge")
    rows = np.maximum(even[0::2], even[1::2])
    return np.maximum(rows[:, 0::2], rows[:, 1::2])
