"""Shape of masks in micrometres. In and out: (h, w) bool masks on a grid of `cell_um`."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def opened(mask: Mask, width_um: float, cell_um: float) -> Mask:
    """The mask without parts narrower than `width_um`."""
    return _morph(mask, cv2.MORPH_OPEN, width_um, cell_um)


def closed(mask: Mask, width_um: float, cell_um: float) -> Mask:
    """The mask with gaps narrower than `width_um` filled."""
    return _morph(mask, cv2.MORPH_CLOSE, width_um, cell_um)


def grown(mask: Mask, reach_um: float, cell_um: float) -> Mask:
    """The mask and all within `reach_um` of it."""
    return _morph(mask, cv2.MORPH_DILATE, 2 * reach_um, cell_um)


def large_only(mask: Mask, min_area_um2: float, cell_um: float) -> Mask:
    """The connected parts of at least `min_area_um2`."""
    if not mask.any():
        return mask
    parts, stats = _parts(mask)
    keep = stats[:, cv2.CC_STAT_AREA] * cell_um**2 >= min_area_um2
    keep[0] = False
    return keep[parts]


def touching(mask: Mask, seeds: Mask) -> Mask:
    """The connected parts of `mask` that hold a seed."""
    if not seeds.any():
        return seeds
    parts, stats = _parts(mask)
    keep = np.zeros(len(stats), bool)
    keep[parts[seeds & mask]] = True
    keep[0] = False
    return keep[parts]


def extent_um(mask: Mask, cell_um: float) -> NDArray[np.float32]:
    """(h, w) diagonal of the bounding box of the part each cell belongs to, 0 outside."""
    parts, stats = _parts(mask)
    diagonal = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) * cell_um
    diagonal[0] = 0
    return diagonal.astype(np.float32)[parts]


def _parts(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Number of the connected part of each cell, 0 outside, and OpenCV's statistics of each part."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(parts, np.intp), np.asarray(stats, np.intp)


def _morph(mask: Mask, operation: int, width_um: float, cell_um: float) -> Mask:
    side = max(1, round(width_um / cell_um)) | 1
    if side == 1 or not mask.any():
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.morphologyEx(mask.astype(np.uint8), operation, disc).astype(bool)
