"""The network as an artefact stage: each tile is judged for itself, the slide is what its tiles are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.mosaic import overlapping
from qc.artefact.classical.normal import SlideReference, focus_score, reference, stain_score
from qc.artefact.network.evidence import NetworkEvidence, look_at, thresholds_of
from qc.artefact.stage import MeasuredTile, in_one_piece
from qc.geometry import Grid, Window
from qc.labels import ArtefactClass
from qc.maps import TissueMask, tissue_in
from qc.nets.image import MULTIPLE_PX
from qc.nets.session import Session
from qc.slide.window import Pixels
from qc.tissue.light import SlideLight, slide_light

Tile = MeasuredTile[NetworkEvidence]


@dataclass(frozen=True)
class NetworkStage:
    """Artefacts by a trained network.

    Attributes:
        network: A loaded network of artefacts.
        halo_um: Context on each side of a tile, micrometres.
        light: The slide's own light, where the network wants pixels without it.
    """

    network: Session
    halo_um: float = 32.0
    light: SlideLight | None = None

    @property
    def name(self) -> str:
        """Name, beginning of the hash of the weights, and precision unless it is that of the weights."""
        card = self.network.card
        rounded = "" if self.network.precision == "float32" else f" {self.network.precision}"
        return f"{card.name} {card.weights_sha256[:8]}{rounded}"

    @property
    def reach_um(self) -> float:
        """See `ArtefactStage.reach_um`."""
        return self.halo_um

    @property
    def cut_px(self) -> int:
        """See `ArtefactStage.cut_px`; sides stay such that the network takes them as they are."""
        return MULTIPLE_PX

    @cached_property
    def _thresholds(self) -> NDArray[np.float32]:
        return thresholds_of(self.network.card)

    def begun(self, overview: Pixels, tissue: TissueMask) -> "NetworkStage":
        """See `ArtefactStage.begun`; the slide's light is measured, where the network wants pixels without it."""
        if self.network.card.tissue_density is None:
            return self
        light = slide_light(overview.rgb, overview.is_scanned, tissue.is_tissue, tissue.grid.cell_mpp)
        return replace(self, light=light)

    def measure(self, pixels: Pixels, read_mpp: float, stride_px: int, halo_px: int) -> NetworkEvidence:
        """See `ArtefactStage.measure`."""
        return look_at(pixels, read_mpp, stride_px, halo_px, self.network, self._thresholds, self.light)

    def packed(self, tiles: Sequence[Tile]) -> list[Tile]:
        """See `ArtefactStage.packed`."""
        classes = in_one_piece([tile.evidence.classes for tile in tiles])
        suspicion = in_one_piece([tile.evidence.suspicion for tile in tiles])
        return [
            MeasuredTile(tile.core, replace(tile.evidence, classes=one, suspicion=other))
            for tile, one, other in zip(tiles, classes, suspicion, strict=True)
        ]

    def view(self, tiles: Sequence[Tile], tissue: TissueMask, grid: Grid) -> "NetworkView":
        """See `ArtefactStage.view`."""
        probes = [(tile.evidence.probe, _shifted(tile.evidence.probe_at, tile.core)) for tile in tiles]
        statistics = reference(lambda: ((probe, tissue_in(tissue, grid, window)) for probe, window in probes))
        return NetworkView(tuple(tiles), statistics)


@dataclass(frozen=True)
class NetworkView:
    """A slide as the network sees it."""

    tiles: tuple[Tile, ...]
    reference: SlideReference

    @property
    def focus_score(self) -> float:
        """See `SlideView.focus_score`; measured, not learnt, in the middle of every tile."""
        return focus_score(self.reference)

    @property
    def stain_score(self) -> float:
        """See `SlideView.stain_score`; measured likewise."""
        return stain_score(self.reference)

    def classify(self, window: Window) -> NDArray[np.uint8]:
        """See `SlideView.classify`."""
        out = np.full(window.size.shape, ArtefactClass.UNASSESSED, np.uint8)
        for tile in overlapping(self.tiles, window):
            _spread(tile.evidence.classes, tile, out, window)
        return out

    def suspicion(self, window: Window) -> NDArray[np.float32]:
        """See `SlideView.suspicion`."""
        out = np.full(window.size.shape, np.nan, np.float32)
        for tile in overlapping(self.tiles, window):
            _spread(tile.evidence.suspicion.astype(np.float32) / 255, tile, out, window)
        return out


def _shifted(window: Window, core: Window) -> Window:
    return Window(window.x + core.x, window.y + core.y, window.width, window.height)


def _spread(plane: NDArray, tile: Tile, whole: NDArray, frame: Window) -> None:
    """Cells of a tile over the map cells of `frame` that they cover, where these were scanned."""
    core = tile.core
    left, right = max(core.x, frame.x), min(core.right, frame.right)
    top, bottom = max(core.y, frame.y), min(core.bottom, frame.bottom)
    if right <= left or bottom <= top:
        return
    rows = (np.arange(top, bottom) - core.y) * plane.shape[0] // core.height
    columns = (np.arange(left, right) - core.x) * plane.shape[1] // core.width
    is_scanned = tile.evidence.is_scanned[top - core.y : bottom - core.y, left - core.x : right - core.x]
    part = whole[top - frame.y : bottom - frame.y, left - frame.x : right - frame.x]
    np.copyto(part, plane[rows[:, None], columns], where=is_scanned)
