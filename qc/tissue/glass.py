"""The slide's own glass. In: an overview and which of it was scanned. Out: the colour of bare glass. Pure."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings

Mask = NDArray[np.bool_]

_STEP_PX = 3
_BLANK = 254
_FLAT_LEVELS = 10
_MODE_SHARE = 0.3
_WHITE = (245.0, 245.0, 245.0)
_MIN_PIXELS = 20
_MIN_SHARE = 0.001
_MIN_GRADED_SHARE = 0.02


@dataclass(frozen=True)
class Glass:
    """Colour of light that met no tissue.

    Attributes:
        rgb: Level of bare glass in each channel, 0-255.
    """

    rgb: tuple[float, float, float]


def estimate_glass(rgb: NDArray[np.uint8], is_scanned: NDArray[np.bool_], settings: TissueSettings) -> Glass:
    """Colour of bare glass: the commonest level among bright, flat, unstained pixels.

    Pixels that are blank white in every channel are taken only when nothing else qualifies, because
    scanners fill unscanned blocks with them. Without any candidate the glass is assumed to be white.

    Args:
        rgb: (H, W, 3) uint8.
        is_scanned: (H, W) bool.
        settings: Thresholds.
    """
    sample = np.ascontiguousarray(rgb[::_STEP_PX, ::_STEP_PX])
    scanned = is_scanned[::_STEP_PX, ::_STEP_PX]
    red, green, blue = (np.asarray(plane, np.uint8) for plane in cv2.split(sample))
    brightest, darkest = cv2.max(red, blue), cv2.min(cv2.min(red, blue), green)
    bright = cv2.max(brightest, green) >= settings.glass_min_level
    unstained = green >= settings.glass_green_min * brightest.astype(np.float32)
    candidates = scanned & bright & unstained & _is_flat(green)
    graded = candidates & (darkest < _BLANK)
    enough = max(_MIN_PIXELS, _MIN_GRADED_SHARE * np.count_nonzero(scanned))
    chosen = graded if np.count_nonzero(graded) >= enough else candidates
    if np.count_nonzero(chosen) < max(_MIN_PIXELS, _MIN_SHARE * np.count_nonzero(scanned)):
        return Glass(_WHITE)
    return Glass(_modal_colour(sample[chosen]))


def _is_flat(green: NDArray[np.uint8]) -> Mask:
    """True where green changes by at most a few levels between neighbours."""
    return cv2.morphologyEx(green, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) <= _FLAT_LEVELS


def _modal_colour(pixels: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Median colour around the brightest green level that is nearly as common as the commonest."""
    green = pixels[:, 1]
    counts = np.convolve(np.bincount(green, minlength=256), np.ones(5), "same")
    mode = np.flatnonzero(counts >= _MODE_SHARE * counts.max())[-1]
    red, level, blue = np.median(pixels[np.abs(green.astype(np.int16) - mode) <= 3], axis=0)
    return float(red), float(level), float(blue)
