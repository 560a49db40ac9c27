"""Tissue by a trained network. In: an overview, where the scanner gave pixels, a network. Out: the tissue mask.

The network knows pale fat and dried dye, the rules know ink, dirt and edges. Where the rules find tissue, the network's
own threshold decides; where they do not, it must be sure, and a piece of which they find next to nothing is none. Sizes
of pieces and holes are those of the rules.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.labels import ArtefactClass
from qc.nets.image import at_mpp
from qc.nets.session import Session
from qc.tissue.find import find_tissue
from qc.tissue.regions import enough, fill_holes, supported, with_margin

Mask = NDArray[np.bool_]
Box = tuple[slice, slice]

_BLOCK_PX = 768
_HALO_PX = 64
_THREADS = 2  # as many as read tiles later


def find_tissue_by_network(
    rgb: NDArray[np.uint8], is_scanned: Mask, mpp: float, network: Session, settings: TissueSettings
) -> Mask:
    """Where there is tissue.

    Args:
        rgb: (H, W, 3) uint8 overview.
        is_scanned: (H, W) bool, False where the scanner gave nothing.
        mpp: Micrometres per pixel of the overview.
        network: A network of the task tissue.
        settings: Sizes of pieces and holes, and the margin.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: If the two arrays differ in height or width.
    """
    if rgb.shape[:2] != is_scanned.shape:
        raise ValueError(f"overview {rgb.shape[:2]} and scanned mask {is_scanned.shape} differ")
    p = tissue_probability(rgb, mpp, network)
    by_rules = find_tissue(rgb, is_scanned, mpp, settings)
    agreed = network.card.thresholds[ArtefactClass.CLEAN.name]
    is_tissue = (p >= np.where(by_rules, agreed, max(agreed, settings.alone_min))) & is_scanned
    is_tissue = supported(is_tissue, by_rules, settings.support_min_share)
    is_tissue = enough(is_tissue, settings.piece_min_area_um2 / mpp**2)
    is_tissue = fill_holes(is_tissue, np.zeros_like(is_tissue), ~is_scanned, mpp, settings)
    return with_margin(is_tissue, settings.margin_um / mpp) & is_scanned


def tissue_probability(rgb: NDArray[np.uint8], mpp: float, network: Session) -> NDArray[np.float32]:
    """(H, W) float32 probability of tissue, 0-1, block by block, so that memory stays small.

    Args:
        rgb: (H, W, 3) uint8 overview.
        mpp: Its micrometres per pixel.
        network: A network of the task tissue.
    """
    height, width = rgb.shape[:2]
    seen = at_mpp(rgb, mpp, network.card.mpp)
    column = network.card.ids.index(ArtefactClass.CLEAN)
    out = np.empty(seen.shape[:2], np.float32)

    def judge(block: tuple[Box, Box]) -> None:
        inner, outer = block
        p = network.probabilities(np.ascontiguousarray(seen[outer]))[column]
        if p.shape != seen[outer].shape[:2]:
            p = cv2.resize(p, seen[outer].shape[1::-1], interpolation=cv2.INTER_LINEAR)
        top, left = inner[0].start - outer[0].start, inner[1].start - outer[1].start
        rows, columns = inner[0].stop - inner[0].start, inner[1].stop - inner[1].start
        out[inner] = p[top : top + rows, left : left + columns]

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(judge, _blocks(*seen.shape[:2])))
    if out.shape == (height, width):
        return out
    return np.asarray(cv2.resize(out, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _blocks(height: int, width: int) -> Iterator[tuple[Box, Box]]:
    """What is kept of each block, and the block with its halo."""
    for y in range(0, height, _BLOCK_PX):
        for x in range(0, width, _BLOCK_PX):
            bottom, right = min(y + _BLOCK_PX, height), min(x + _BLOCK_PX, width)
            rows = slice(max(0, y - _HALO_PX), min(height, bottom + _HALO_PX))
            columns = slice(max(0, x - _HALO_PX), min(width, right + _HALO_PX))
            yield (slice(y, bottom), slice(x, right)), (rows, columns)
