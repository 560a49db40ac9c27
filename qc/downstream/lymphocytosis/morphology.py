"""What a haematologist reads off a cell, as numbers. In: a cell. Out: one value per name in `NAMES`.

Size and shape of nucleus and cell, share of the nucleus, colours, grain of the chromatin, nucleoli.
"""

import itertools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.downstream.lymphocytosis.segment import Cell, Mask

_COLOURS = ("density", "red_share", "green_share")
_GRAIN_PX = (0.7, 1.4, 2.8, 5.6)
_LEAST_PX = 40

NAMES = (
    *(f"{part}_{what}" for part in ("nucleus", "cell") for what in ("area_px", "roundness", "elongation", "solidity")),
    "nucleus_share",
    "nucleus_offset",
    *(f"nucleus_{what}" for what in _COLOURS),
    *(f"cytoplasm_{what}" for what in _COLOURS),
    "nucleus_spread",
    "cytoplasm_spread",
    "nucleus_light_centile",
    "nucleus_dark_centile",
    *(f"grain_{first:g}_{second:g}_px" for first, second in itertools.pairwise(_GRAIN_PX)),
    "nucleus_edge",
)
"""Names of the values, in order; colours are shares of the optical density, `spread`, `centile` and `grain` relative
to the mean density."""

Float = NDArray[np.float64]


def cell_values(cell: Cell) -> Float:
    """(len(NAMES),) of a lymphocyte; NaN when none was found, and for cytoplasm when there is none."""
    if np.count_nonzero(cell.nucleus) < _LEAST_PX:
        return np.full(len(NAMES), np.nan)
    cytoplasm = cell.whole & ~cell.nucleus
    nuclear, plasma = cell.density[cell.nucleus], cell.density[cytoplasm]
    return np.array(
        [
            *_shape(cell.nucleus),
            *_shape(cell.whole),
            cell.nucleus.sum() / cell.whole.sum(),
            _offset(cell),
            *_colour(nuclear),
            *_colour(plasma),
            _spread(nuclear),
            _spread(plasma),
            *(np.percentile(nuclear[:, 0], (10, 90)) / max(float(nuclear[:, 0].mean()), 1e-3)),
            *_grain(cell),
            _edge(cell),
        ],
        np.float64,
    )


def _shape(mask: Mask) -> tuple[float, float, float, float]:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    area, length = max(cv2.contourArea(outline), 1.0), max(cv2.arcLength(outline, True), 1.0)
    _, axes, _ = cv2.fitEllipse(outline)
    hull = max(cv2.contourArea(cv2.convexHull(outline)), 1.0)
    return float(mask.sum()), 4 * math.pi * area / length**2, min(axes) / max(max(axes), 1e-3), area / hull


def _offset(cell: Cell) -> float:
    """Distance of the nucleus' middle from the cell's, in radii of the cell."""
    middles = [np.argwhere(mask).mean(axis=0) for mask in (cell.nucleus, cell.whole)]
    return float(np.hypot(*(middles[0] - middles[1])) / math.sqrt(cell.whole.sum() / math.pi))


def _colour(density: NDArray[np.float32]) -> Float:
    """Mean density of the three colours together, and shares of red and green; what is left is blue."""
    if len(density) < _LEAST_PX:
        return np.full(3, np.nan)
    mean = density.mean(axis=0, dtype=np.float64)
    return np.array([mean.sum(), *(mean[:2] / max(mean.sum(), 1e-3))])


def _spread(density: NDArray[np.float32]) -> float:
    if len(density) < _LEAST_PX:
        return math.nan
    red = density[:, 0].astype(np.float64)
    return float(red.std() / max(red.mean(), 1e-3))


def _grain(cell: Cell) -> list[float]:
    """Strength of structures between two sizes within the nucleus: difference of Gaussians of the red density."""
    red, inside = cell.density[..., 0], cell.nucleus.astype(np.float32)
    inner = cv2.erode(cell.nucleus.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    inner = inner if inner.any() else cell.nucleus
    layers = [
        cv2.GaussianBlur(red * inside, (0, 0), s) / (cv2.GaussianBlur(inside, (0, 0), s) + 1e-6) for s in _GRAIN_PX
    ]
    mean = max(float(red[cell.nucleus].mean()), 1e-3)
    return [float((a - b)[inner].std() / mean) for a, b in itertools.pairwise(layers)]


def _edge(cell: Cell) -> float:
    """How steeply density falls at the nucleus' border, relative to its density, per pixel."""
    red = cell.density[..., 0]
    slope = np.hypot(cv2.Sobel(red, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(red, cv2.CV_32F, 0, 1, scale=1 / 8))
    border = cv2.morphologyEx(cell.nucleus.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return float(slope[border].mean() / max(float(red[cell.nucleus].mean()), 1e-3))
