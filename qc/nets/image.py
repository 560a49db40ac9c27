"""Images as networks take them: at their mpp, with sides that are multiples of 32."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

MULTIPLE_PX = 32
"""Sides of what networks take are multiples of this."""
_SCALE_TOLERANCE = 0.12


def at_mpp(rgb: Rgb, mpp: float, wanted_mpp: float) -> Rgb:
    """An image at a network's mpp; one that is within 12 % of it stays as it is.

    Args:
        rgb: (H, W, 3) uint8.
        mpp: Its micrometres per pixel.
        wanted_mpp: The network's.
    """
    ratio = mpp / wanted_mpp
    if abs(ratio - 1) <= _SCALE_TOLERANCE:
        return rgb
    size = (max(MULTIPLE_PX, round(rgb.shape[1] * ratio)), max(MULTIPLE_PX, round(rgb.shape[0] * ratio)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR), np.uint8)


def on_any_size(run: Callable[[Rgb], NDArray[np.float32]]) -> Callable[[Rgb], NDArray[np.float32]]:
    """What takes images with sides that are multiples of 32, made to take any; what was padded is cut off again."""

    def probabilities(rgb: Rgb) -> NDArray[np.float32]:
        whole = padded(rgb)
        out = run(whole)
        stride = whole.shape[0] // out.shape[1]
        return out[:, : -(-rgb.shape[0] // stride), : -(-rgb.shape[1] // stride)]

    return probabilities


def padded(rgb: Rgb) -> Rgb:
    """(H, W, 3) uint8, grown by its mirror image to sides that networks take, which are multiples of 32."""
    bottom, right = -rgb.shape[0] % MULTIPLE_PX, -rgb.shape[1] % MULTIPLE_PX
    if bottom or right:
        rgb = np.asarray(cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REFLECT_101), np.uint8)
    return np.ascontiguousarray(rgb)
