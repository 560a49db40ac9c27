"""The slide's own glass. In: an overview and which of it was scanned. Out: colour of bare glass and its noise."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings

_STEP_PX = 3
_BLANK = 254
_DEFAULT_LEVEL = 245.0


@dataclass(frozen=True)
class Glass:
    """Colour of light that met no tissue.

    Attributes:
        rgb: Level of bare glass in each channel, 0-255.
        share: Share of the scanned pixels that look like it, 0-1.
    """

    rgb: tuple[float, float, float]
    share: float


def estimate_glass(rgb: NDArray[np.uint8], is_scanned: NDArray[np.bool_], settings: TissueSettings) -> Glass:
    """Colour of bare glass: the commonest level among bright, flat, unstained pixels.

    Pixels that are blank white in every channel are taken only when nothing else qualifies, because
    scanners fill unscanned blocks with them. Without any candidate the glass is assumed to be white.

    Args:
        rgb: (H, W, 3) uint8.
        is_scanned: (H, W) bool.
        settings: Thresholds.
    """
    grid = np.s_[::_STEP_PX, ::_STEP_PX]
    pixels = rgb[grid][is_scanned[grid]]
    if len(pixels) == 0:
        return Glass((_DEFAULT_LEVEL,) * 3, 0.0)
    flat = _is_flat(rgb)[grid][is_scanned[grid]]
    red, green, blue = (pixels[:, i].astype(np.float32) for i in range(3))
    unstained = green >= settings.glass_green_min * np.maximum(red, blue)
    candidates = flat & unstained & (pixels.mean(1) >= settings.glass_min_level)
    graded = candidates & (pixels.min(1) < _BLANK)
    chosen = graded if graded.sum() >= max(50, 0.02 * len(pixels)) else candidates
    if chosen.sum() < max(20, 0.001 * len(pixels)):
        return Glass((_DEFAULT_LEVEL,) * 3, 0.0)
    return Glass(_modal_colour(pixels[chosen]), float(chosen.mean()))


def _is_flat(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """True where green changes by at most a few levels within 5 x 5 pixels."""
    green = np.ascontiguousarray(rgb[..., 1])
    kernel = np.ones((5, 5), np.uint8)
    return cv2.morphologyEx(green, cv2.MORPH_GRADIENT, kernel) <= 10


def _modal_colour(pixels: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Mean colour around the commonest green level, with a bonus for the bright end."""
    green = pixels[:, 1]
    counts = np.bincount(green, minlength=256).astype(np.float64)
    smooth = np.convolve(counts, np.ones(5), "same")
    mode = int(np.flatnonzero(smooth >= 0.3 * smooth.max())[-1])
    near = np.abs(green.astype(np.int16) - mode) <= 3
    red, green_level, blue = np.median(pixels[near], axis=0)
    return float(red), float(green_level), float(blue)
