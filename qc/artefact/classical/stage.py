"""The rules as an artefact stage."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.evidence import BLOCK_CELLS, REACH_UM, Evidence, measure
from qc.artefact.classical.mosaic import Tile, assembled, cropped, overlapping, packed
from qc.artefact.classical.normal import SlideReference, focus_score, reference, stain_score
from qc.artefact.classical.rules import classify
from qc.config.artefact import ClassicalSettings
from qc.geometry import Grid, Window
from qc.labels import ArtefactClass
from qc.maps import TissueMask, tissue_in
from qc.slide.window import Pixels

_MARGIN_UM = 256.0
_SUSPICION = np.array([c.is_artefact for c in ArtefactClass], np.float32)
_SUSPICION[ArtefactClass.UNASSESSED] = np.nan


@dataclass(frozen=True)
class ClassicalStage:
    """Artefacts by rule: focus, density, hue and shape, relative to the slide; needs no weights."""

    settings: ClassicalSettings
    name: str = "classical 1"
    reach_um: float = REACH_UM
    cut_px: int = 0

    def begun(self, overview: Pixels, tissue: TissueMask) -> "ClassicalStage":  # noqa: ARG002
        """See `ArtefactStage.begun`; what is relative to the slide is left to the view."""
        return self

    def measure(self, pixels: Pixels, read_mpp: float, stride_px: int, halo_px: int) -> Evidence:
        """See `ArtefactStage.measure`."""
        return cropped(measure(pixels.rgb, pixels.is_scanned, read_mpp, stride_px), halo_px // stride_px)

    def packed(self, tiles: Sequence[Tile]) -> list[Tile]:
        """See `ArtefactStage.packed`."""
        return packed(tiles)

    def view(self, tiles: Sequence[Tile], tissue: TissueMask, grid: Grid) -> "ClassicalView":
        """See `ArtefactStage.view`."""
        statistics = reference(lambda: ((tile.evidence, tissue_in(tissue, grid, tile.core)) for tile in tiles))
        return ClassicalView(tuple(tiles), tissue, grid, statistics, self.settings)


@dataclass(frozen=True)
class ClassicalView:
    """A slide as the rules see it."""

    tiles: tuple[Tile, ...]
    tissue: TissueMask
    grid: Grid
    reference: SlideReference
    settings: ClassicalSettings

    @property
    def focus_score(self) -> float:
        """See `SlideView.focus_score`."""
        return focus_score(self.reference)

    @property
    def stain_score(self) -> float:
        """See `SlideView.stain_score`."""
        return stain_score(self.reference)

    def classify(self, window: Window) -> NDArray[np.uint8]:
        """See `SlideView.classify`; judged with a margin, so that shapes are seen whole at the window's edge."""
        margin = BLOCK_CELLS * math.ceil(_MARGIN_UM / self.grid.cell_mpp / BLOCK_CELLS)
        frame = _whole_blocks(window).grown(margin)
        evidence = assembled(overlapping(self.tiles, frame), frame, self.grid.cell_mpp)
        classes = classify(evidence, tissue_in(self.tissue, self.grid, frame), self.reference, self.settings)
        left, top = window.x - frame.x, window.y - frame.y
        return classes[top : top + window.height, left : left + window.width]

    def suspicion(self, window: Window) -> NDArray[np.float32]:
        """See `SlideView.suspicion`; rules know nothing between 0 and 1."""
        return _SUSPICION[self.classify(window)]


def _whole_blocks(window: Window) -> Window:
    """The smallest window of whole focus blocks around `window`."""
    x, y = (side // BLOCK_CELLS * BLOCK_CELLS for side in (window.x, window.y))
    right, bottom = (math.ceil(side / BLOCK_CELLS) * BLOCK_CELLS for side in (window.right, window.bottom))
    return Window(x, y, right - x, bottom - y)
