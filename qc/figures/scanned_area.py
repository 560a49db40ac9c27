"""Where on the photographed glass the scanned area lies: found by the look of the tissue. Pure; arrays only.

Few scanners state how photograph and scan lie to each other, and each in its own way. Both show the same tissue: the
scan, reduced to the photograph's scale and turned, is laid over it everywhere (normalised cross-correlation of optical
densities), and the best place counts when it is good and no other place comes near.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_GLASS_WIDTH_UM = 25_500.0
"""Short side of a glass slide: 25 to 26 mm (ISO 8037-1)."""
_SCALES = np.geomspace(0.86, 1.16, 11)
"""The photograph may show a little more, or less, than the glass."""
_SEARCH_PX = 240
_CORRELATION_MIN = 0.8
_LEAD_MIN = 0.06
_SPREAD_MIN = 0.02
_SIDE_MIN_PX = 36
"""About 4 mm: in a smaller scan any tissue looks like any other at the scale of the photograph."""


@dataclass(frozen=True)
class ScannedArea:
    """The scanned area on a photograph, in its pixels.

    Attributes:
        x: Left edge.
        y: Top edge.
        width: As it lies on the photograph.
        height: The same.
        turned: Quarter turns counter-clockwise by which the scan lies on the glass.
        correlation: Of the tissue there, -1 to 1.
    """

    x: float
    y: float
    width: float
    height: float
    turned: int
    correlation: float


def locate_scan(photo: NDArray[np.uint8], scan: NDArray[np.uint8], scan_mpp: float) -> ScannedArea | None:
    """Where the scan lies on the photograph; None when that cannot be told.

    Args:
        photo: (H, W, 3) uint8 photograph of the glass; the label may be covered.
        scan: (H, W, 3) uint8 of the whole scanned area.
        scan_mpp: Micrometres per pixel of the scan.
    """
    shrink = min(1.0, _SEARCH_PX / min(photo.shape[:2]))
    size = (round(photo.shape[1] * shrink), round(photo.shape[0] * shrink))
    glass = _density(np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8))
    tissue = _density(scan)
    candidates = [area for scale in _SCALES for area in _at_scale(glass, tissue, scan_mpp, scale * _GLASS_WIDTH_UM)]
    if not candidates:
        return None
    best = max(candidates, key=lambda area: area.correlation)
    rival = max((one.correlation for one in candidates if _overlap(one, best) < 0.5), default=-1.0)
    if best.correlation < _CORRELATION_MIN or best.correlation - rival < _LEAD_MIN:
        return None
    x, y, width, height = (side / shrink for side in (best.x, best.y, best.width, best.height))
    return ScannedArea(x, y, width, height, best.turned, best.correlation)


def outlined(photo: NDArray[np.uint8], area: ScannedArea) -> NDArray[np.uint8]:
    """A copy of the photograph with the area framed, blue between white, so that it shows on any ground."""
    out = photo.copy()
    thick = max(1, round(min(photo.shape[:2]) / 150))
    first, last = (round(area.x), round(area.y)), (round(area.x + area.width), round(area.y + area.height))
    cv2.rectangle(out, first, last, (255, 255, 255), 3 * thick)
    cv2.rectangle(out, first, last, (0, 71, 171), thick)
    return out


def _density(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Optical density of green light, where all common stains absorb, against the glass's own brightness."""
    green = cv2.GaussianBlur(rgb[..., 1], (3, 3), 0).astype(np.float32)
    clear = float(np.quantile(green, 0.9)) + 1
    return np.clip(-np.log10((green + 1) / clear), 0, 0.6).astype(np.float32)


def _at_scale(
    glass: NDArray[np.float32], tissue: NDArray[np.float32], scan_mpp: float, glass_um: float
) -> Iterator[ScannedArea]:
    """The best places of each turn at one scale of the photograph, and the best one apart from it."""
    factor = scan_mpp / (glass_um / min(glass.shape))
    size = (round(tissue.shape[1] * factor), round(tissue.shape[0] * factor))
    if min(size) < _SIDE_MIN_PX:
        return
    small = np.asarray(cv2.resize(tissue, size, interpolation=cv2.INTER_AREA), np.float32)
    if small.std() < _SPREAD_MIN:
        return
    for turned in range(4):
        template = np.ascontiguousarray(np.rot90(small, turned))
        height, width = template.shape
        if height > glass.shape[0] or width > glass.shape[1]:
            continue
        likeness = cv2.matchTemplate(glass, template, cv2.TM_CCOEFF_NORMED)
        likeness[_spread(glass, width, height) < _SPREAD_MIN] = -1  # bare glass: nothing to compare, and 0/0
        for _ in range(2):
            _, value, _, (x, y) = cv2.minMaxLoc(likeness)
            yield ScannedArea(x, y, width, height, turned, float(value))
            likeness[max(0, y - height // 2) : y + height // 2 + 1, max(0, x - width // 2) : x + width // 2 + 1] = -1


def _spread(glass: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Standard deviation of the glass under a window of that size, for each place that it fits."""
    tables = (np.asarray(table, np.float64) for table in cv2.integral2(glass, sqdepth=cv2.CV_64F))
    mean, mean_square = (_over_windows(table, width, height) / (width * height) for table in tables)
    return np.sqrt(np.maximum(mean_square - mean**2, 0)).astype(np.float32)


def _over_windows(table: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Sums over windows from a summed-area table."""
    return table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]


def _overlap(one: ScannedArea, other: ScannedArea) -> float:
    """Area in both, as a share (0-1) of the area in either."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(0.0, across) * max(0.0, down)
    return both / (one.width * one.height + other.width * other.height - both)
