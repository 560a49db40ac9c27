"""Masks to learn from. In: an overview. Out: (H, W) uint8 of CLEAN, GLASS and IGNORE. Pure; no files.

Nobody drew these masks. Tissue is what the rules find, glass is what even permissive rules do not find; between the
two, along outlines, in small pieces and under ink nothing is said. What was seen to be wrong is corrected by declared
outlines.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue_training import Correction, TrustSettings
from qc.labels import IGNORE, ArtefactClass
from qc.tissue.dirt import find_ink
from qc.tissue.evidence import measure
from qc.tissue.find import find_tissue
from qc.tissue.glass import estimate_glass
from qc.tissue.regions import disc, enough

Classes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_VALUES = {"clean": int(ArtefactClass.CLEAN), "glass": int(ArtefactClass.GLASS), "ignore": IGNORE}


def label_overview(
    rgb: NDArray[np.uint8],
    is_scanned: Mask,
    mpp: float,
    trust: TrustSettings,
    corrections: Sequence[Correction] = (),
) -> Classes:
    """Classes of an overview as far as they are certain.

    Args:
        rgb: (H, W, 3) uint8.
        is_scanned: (H, W) bool; what was not scanned is glass.
        mpp: Micrometres per pixel.
        trust: What of the rules is believed.
        corrections: Of this overview; later ones win.
    """
    found = find_tissue(rgb, is_scanned, mpp, trust.strict)
    sure = enough(found, trust.piece_min_mm2 * 1e6 / mpp**2)
    possible = _trimmed(find_tissue(rgb, is_scanned, mpp, trust.permissive), trust.permissive_margin_um / mpp) | found
    classes = np.full(found.shape, ArtefactClass.GLASS, np.uint8)
    classes[possible] = IGNORE
    classes[sure] = ArtefactClass.CLEAN
    classes[(classes == ArtefactClass.CLEAN) & _inked(rgb, is_scanned, mpp, trust)] = IGNORE
    for correction in corrections:
        inside = _inside(correction, found.shape)
        if correction.means == "clean":
            inside &= classes == IGNORE
        classes[inside] = _VALUES[correction.means]
    return open_band(classes, trust.band_um / mpp)


def from_truth(is_tissue: Mask, band_px: float) -> Classes:
    """Classes of a known mask, with an open band along its outline."""
    classes = np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
    return open_band(classes, band_px)


def open_band(classes: Classes, half_width_px: float) -> Classes:
    """The classes with nothing said within `half_width_px` of where tissue meets glass."""
    kernel = disc(half_width_px)
    near_tissue = cv2.dilate((classes == ArtefactClass.CLEAN).view(np.uint8), kernel).view(np.bool_)
    near_glass = cv2.dilate((classes == ArtefactClass.GLASS).view(np.uint8), kernel).view(np.bool_)
    out = classes.copy()
    out[near_tissue & near_glass] = IGNORE
    return out


def _trimmed(mask: Mask, margin_px: float) -> Mask:
    """`mask` without its margin; what is nothing but margin, as crumbs and shreds are, is kept."""
    kernel = disc(margin_px)
    inner = cv2.erode(mask.view(np.uint8), kernel)
    return inner.view(np.bool_) | (mask & ~cv2.dilate(inner, kernel).view(np.bool_))


def _inked(rgb: NDArray[np.uint8], is_scanned: Mask, mpp: float, trust: TrustSettings) -> Mask:
    """Where there is marker ink, with the pixels around it."""
    seen = measure(rgb, estimate_glass(rgb, is_scanned, trust.strict), mpp, trust.strict)
    ink = cv2.dilate(find_ink(seen, trust.strict).view(np.uint8), disc(1))
    return cv2.resize(ink, rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST).view(np.bool_)


def _inside(correction: Correction, shape: tuple[int, ...]) -> Mask:
    corners = np.array(correction.outline, np.float64)
    if len(corners) == 2:
        (x0, y0), (x1, y1) = corners
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(corners * (shape[1] - 1, shape[0] - 1)).astype(np.int32)], 1)
    return mask.view(np.bool_)
