"""What an artefact stage is to the pipeline: measure each tile, then see the slide, then classify.

A stage glances at the overview, then measures tiles one by one, in worker threads, into something
small. When all tiles are measured it forms a view of the slide, and the view classifies any window of
the map. Rules need the second look because sharp and dark are relative to the slide; and a window is
larger than a tile, so that what tiles cut apart is judged whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from qc.geometry import Grid, Window
from qc.maps import TissueMask
from qc.slide.window import Pixels

E = TypeVar("E")


@dataclass(frozen=True)
class MeasuredTile(Generic[E]):
    """Evidence of one tile and where its core lies on the map grid."""

    core: Window
    evidence: E


def in_one_piece(planes: Sequence[NDArray]) -> list[NDArray]:
    """Arrays of one type and any shapes as views into one piece of memory."""
    whole = np.concatenate([plane.reshape(-1) for plane in planes])
    ends = np.cumsum([plane.size for plane in planes])
    return [part.reshape(plane.shape) for part, plane in zip(np.split(whole, ends[:-1]), planes, strict=True)]


class SlideView(Protocol):
    """A stage's view of one slide."""

    @property
    def focus_score(self) -> float:
        """0 (blurred) to 10 (sharp); NaN when it cannot be judged."""
        ...

    @property
    def stain_score(self) -> float:
        """0 (absent or wrong) to 10 (as expected); NaN when it cannot be judged."""
        ...

    def classify(self, window: Window) -> NDArray[np.uint8]:
        """(h, w) uint8 of `ArtefactClass` over a window of the map grid; UNASSESSED in tissue without evidence."""
        ...

    def suspicion(self, window: Window) -> NDArray[np.float32]:
        """(h, w) float32 over a window of the map grid: how probably a cell is an artefact, 0-1; NaN where not seen."""
        ...


class ArtefactStage(Protocol[E]):
    """Decides which tissue can be trusted."""

    @property
    def name(self) -> str:
        """Name for records and tables."""
        ...

    @property
    def reach_um(self) -> float:
        """How far the measure of a cell looks, micrometres; tiles are read with a halo at least as wide."""
        ...

    @property
    def cut_px(self) -> int:
        """Tiles may be cut to their tissue in steps of this many pixels; 0 where the glass around it matters too."""
        ...

    def begun(self, overview: Pixels, tissue: TissueMask) -> "ArtefactStage[E]":
        """The stage as it measures this slide, after a look at its overview on the grid of `tissue`."""
        ...

    def measure(self, pixels: Pixels, read_mpp: float, stride_px: int, halo_px: int) -> E:
        """What the core of one tile shows, per cell of `stride_px` x `stride_px` pixels; called from threads."""
        ...

    def packed(self, tiles: Sequence[MeasuredTile[E]]) -> list[MeasuredTile[E]]:
        """The same tiles with their evidence in few large pieces of memory instead of many small ones.

        A large slide has thousands of tiles; kept one by one they leave the heap full of holes.
        """
        ...

    def view(self, tiles: Sequence[MeasuredTile[E]], tissue: TissueMask, grid: Grid) -> SlideView:
        """The slide as a whole, from all its tiles; `grid` is the map's."""
        ...
