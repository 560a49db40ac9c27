"""What imprecise outlines alone cost. In: true glands. Out: the same as a hurried annotator would have drawn them.

A figure says little unless one knows what a person would get: these are glands drawn beside, too wide or too narrow, or
not at all, judged against the glands they were made from.
"""

from collections.abc import Mapping
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from qc.downstream.glands.images import Labels

KINDS: Mapping[str, str] = {
    "beside": "each outline beside its gland by {um:g} um",
    "wide": "outlines {um:g} um too wide",
    "narrow": "outlines {um:g} um too narrow",
}


def redrawn(labels: Labels, kind: str, um: float, mpp: float, rng: np.random.Generator) -> Labels:
    """Glands drawn imprecisely; neighbours that come to overlap keep what was theirs.

    Args:
        labels: (H, W) instance labels.
        kind: One of `KINDS`.
        um: How imprecisely, micrometres.
        mpp: Micrometres per pixel.
        rng: Draws the direction of each shift.
    """
    out = np.zeros_like(labels)
    reach = ceil(um / mpp) + 1
    for number, box in enumerate(find_objects(labels), 1):
        if box is None:
            continue
        around = tuple(slice(max(0, one.start - reach), one.stop + reach) for one in box)
        own = (labels[around] == number).astype(np.uint8)
        drawn = _shifted(own, um / mpp, rng.uniform(0, 2 * np.pi)) if kind == "beside" else _grown(own, kind, um / mpp)
        out[around][(drawn > 0) & ((out[around] == 0) | (own > 0))] = number
    return out


def without_some(labels: Labels, share: float, rng: np.random.Generator) -> Labels:
    """Glands of which each is missing with a chance.

    Args:
        labels: (H, W) instance labels.
        share: Chance, 0-1.
        rng: Decides.
    """
    is_kept = rng.random(int(labels.max(initial=0)) + 1) >= share
    return np.where(is_kept[labels], labels, 0).astype(np.int32)


def _shifted(own: NDArray[np.uint8], far_px: float, direction: float) -> NDArray[np.uint8]:
    matrix = np.array([[1, 0, far_px * np.cos(direction)], [0, 1, far_px * np.sin(direction)]])
    return np.asarray(cv2.warpAffine(own, matrix, own.shape[::-1], flags=cv2.INTER_NEAREST), np.uint8)


def _grown(own: NDArray[np.uint8], kind: str, reach_px: float) -> NDArray[np.uint8]:
    away = own == 0 if kind == "wide" else own > 0
    distance = cv2.distanceTransform(away.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return (distance <= reach_px if kind == "wide" else distance > reach_px).astype(np.uint8)
