"""Glands told apart. In: probabilities of outside, core and border. Out: instance labels. Pure.

A gland starts from a core and takes what is gland around it and nearer to it than to another core.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.glands import InstanceSettings
from qc.downstream.glands.target import CORE, OUTSIDE

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]

_UM2_PER_MM2 = 1e6


def separate(probabilities: NDArray[np.float32], mpp: float, settings: InstanceSettings) -> Labels:
    """Instance labels.

    Args:
        probabilities: (H, W, 3), see `qc.downstream.glands.target`.
        mpp: Micrometres per pixel.
        settings: From where on something counts.

    Returns:
        (H, W) int32: 0 outside, glands numbered from 1; none has a hole, none is in two pieces.
    """
    is_gland = 1 - probabilities[..., OUTSIDE] >= settings.gland_from
    is_core = (probabilities[..., CORE] >= settings.core_from) & is_gland
    px_per_mm2 = _UM2_PER_MM2 / mpp**2
    starts = _numbered(is_core, settings.core_mm2_min * px_per_mm2)
    grown = grow(starts, is_gland)
    return _whole(grown, settings.area_mm2_min * px_per_mm2)


def grow(starts: Labels, is_gland: Mask) -> Labels:
    """Every pixel of gland to its nearest start.

    Args:
        starts: (H, W) int32, 0 where nothing starts.
        is_gland: (H, W) bool.
    """
    if not starts.any():
        return np.zeros_like(starts)
    away = (starts == 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    number_of = np.zeros(int(nearest.max()) + 1, np.int32)
    number_of[nearest[starts > 0]] = starts[starts > 0]
    return np.where(is_gland, number_of[nearest], 0).astype(np.int32)


def filled(is_object: Mask) -> Mask:
    """The largest piece of a mask, without holes."""
    outlines, _ = cv2.findContours(is_object.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return np.zeros_like(is_object)
    largest = max(outlines, key=cv2.contourArea)
    return np.asarray(cv2.drawContours(np.zeros(is_object.shape, np.uint8), [largest], -1, 1, cv2.FILLED)) > 0


def _numbered(is_core: Mask, area_px_min: float) -> Labels:
    """Pieces that touch by more than corners."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(is_core.astype(np.uint8), connectivity=4)
    is_kept = stats[:, cv2.CC_STAT_AREA] >= area_px_min
    is_kept[0] = False
    number_of = np.where(is_kept, np.cumsum(is_kept), 0).astype(np.int32)
    return np.take(number_of, np.asarray(labels, np.intp))


def _whole(labels: Labels, area_px_min: float) -> Labels:
    """Each object filled, in one piece and large enough; largest first, so that one in the hole of another stays."""
    out = np.zeros_like(labels)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    kept = 0
    for number in np.argsort(-areas, kind="stable")[: int(np.count_nonzero(areas))]:
        whole = filled(labels == number)
        if np.count_nonzero(whole) >= area_px_min:
            kept += 1
            out[whole] = kept
    return out
