"""What one tile gives to the network stage. In: pixels of one tile. Out: classes and suspicion of its core's cells.

Cells here are the network's own, coarser than the map's; a view spreads them over the map.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.evidence import BLOCK_CELLS, Evidence, measure
from qc.artefact.classical.mosaic import cropped
from qc.geometry import Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.nets.card import Card
from qc.nets.image import at_mpp
from qc.nets.session import Session
from qc.slide.window import Pixels
from qc.tissue.light import SlideLight

_PROBE_CELLS = 64


@dataclass(frozen=True, eq=False)
class NetworkEvidence:
    """One tile.

    Attributes:
        classes: (h, w) uint8 of `ArtefactClass`, artefact or CLEAN.
        suspicion: (h, w) uint8, probability of any artefact in steps of 1/255.
        is_scanned: Bool on the cells of the map, False where any pixel was not scanned; takes no memory where all were.
        probe: Physical measures of a patch in the tile's middle, for the focus and stain scores.
        probe_at: The patch on the map grid, relative to the tile's core.
    """

    classes: NDArray[np.uint8]
    suspicion: NDArray[np.uint8]
    is_scanned: NDArray[np.bool_]
    probe: Evidence
    probe_at: Window


def look_at(
    pixels: Pixels,
    read_mpp: float,
    stride_px: int,
    halo_px: int,
    network: Session,
    thresholds: NDArray[np.float32],
    light: SlideLight | None = None,
) -> NetworkEvidence:
    """Run the network over a tile with its halo and keep the core.

    Args:
        pixels: The tile with its halo.
        read_mpp: Its micrometres per pixel.
        stride_px: Pixels per cell of the map.
        halo_px: Width of the halo.
        network: The network.
        thresholds: (C,) as `thresholds_of` gives them.
        light: The slide's, where the network wants pixels without it.
    """
    height, width = pixels.rgb.shape[:2]
    rgb, density = pixels.rgb, network.card.tissue_density
    if light is not None and density is not None:
        rgb = light.standardised(rgb, density)
    probabilities = network.probabilities(at_mpp(rgb, read_mpp, network.card.mpp))
    stride = _whole_stride(height, probabilities.shape[1], stride_px)
    cells = (width // stride, height // stride)
    if probabilities.shape[1:] != cells[::-1]:
        planes = [cv2.resize(plane, cells, interpolation=cv2.INTER_LINEAR) for plane in probabilities]
        probabilities = np.stack(planes)
    inner = np.s_[halo_px // stride : cells[1] - halo_px // stride, halo_px // stride : cells[0] - halo_px // stride]
    classes, suspicion = decide(probabilities[:, inner[0], inner[1]], network.card, thresholds)
    core = np.s_[halo_px : height - halo_px, halo_px : width - halo_px]
    probe, at = _probe(pixels, read_mpp, stride_px, halo_px)
    return NetworkEvidence(classes, suspicion, _scanned_cells(pixels.is_scanned[core], stride_px), probe, at)


def thresholds_of(card: Card) -> NDArray[np.float32]:
    """(C,) suspicion from which each class is called; infinite for what is no artefact."""
    return np.array([card.thresholds.get(name, math.inf) for name in card.classes], np.float32)


def decide(
    probabilities: NDArray[np.float32], card: Card, thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Classes and suspicion of cells.

    Suspicion is the probability of any artefact. A cell is called its most probable artefact where the suspicion
    reaches that artefact's threshold, and clean elsewhere.

    Args:
        probabilities: (C, h, w) 0-1.
        card: For the classes' order.
        thresholds: (C,).

    Returns:
        (h, w) uint8 of `ArtefactClass`, and (h, w) uint8 suspicion in steps of 1/255.
    """
    ids = np.array(card.ids, np.uint8)
    kinds = np.flatnonzero([one in ARTEFACTS for one in card.ids])
    of_artefacts = probabilities[kinds]
    suspicion = of_artefacts.sum(axis=0)
    kind = kinds[of_artefacts.argmax(axis=0)]
    classes = np.where(suspicion >= thresholds[kind], ids[kind], np.uint8(ArtefactClass.CLEAN)).astype(np.uint8)
    return classes, np.rint(255 * np.clip(suspicion, 0, 1)).astype(np.uint8)


def _scanned_cells(is_scanned: NDArray[np.bool_], stride_px: int) -> NDArray[np.bool_]:
    height, width = is_scanned.shape[0] // stride_px, is_scanned.shape[1] // stride_px
    if is_scanned.all():
        return np.broadcast_to(np.True_, (height, width))
    whole = is_scanned[: height * stride_px, : width * stride_px]
    return np.asarray(whole.reshape(height, stride_px, width, stride_px).all(axis=(1, 3)), np.bool_)


def _whole_stride(length_px: int, cells: int, stride_px: int) -> int:
    """The network's cells in whole cells of the map, as near as they come."""
    return stride_px * max(1, round(length_px / cells / stride_px))


def _probe(pixels: Pixels, read_mpp: float, stride_px: int, halo_px: int) -> tuple[Evidence, Window]:
    """Measures of the middle of the core, on whole blocks."""
    block_px = BLOCK_CELLS * stride_px
    side_px = _PROBE_CELLS * stride_px
    height, width = pixels.rgb.shape[:2]
    top, bottom = _middle(height, side_px, halo_px, block_px)
    left, right = _middle(width, side_px, halo_px, block_px)
    outer = np.s_[top - halo_px : bottom + halo_px, left - halo_px : right + halo_px]
    whole = measure(np.ascontiguousarray(pixels.rgb[outer]), pixels.is_scanned[outer], read_mpp, stride_px)
    x, y, w, h = ((px // stride_px) for px in (left - halo_px, top - halo_px, right - left, bottom - top))
    return cropped(whole, halo_px // stride_px), Window(x, y, w, h)


def _middle(length_px: int, side_px: int, halo_px: int, block_px: int) -> tuple[int, int]:
    core_px = length_px - 2 * halo_px
    side = min(side_px, core_px)
    start = halo_px + (core_px - side) // 2 // block_px * block_px
    return start, start + side
