"""Which cells a classifier may see. In: an image of a cell. Out: how sharp, how covered, how large a nucleus; verdicts.

Blurred, stained over, empty or clumped images are left out, by measures and limits alone: labels are never looked at.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import CellSettings, QualitySettings
from qc.downstream.lymphocytosis.segment import Cell, Rgb
from qc.downstream.sharpness import sharpness

MEASURES = ("sharpness", "covered", "nucleus_area_px", "nucleus_contrast", "glass")
"""Logarithm of the Laplacian's variance over the cell and its surroundings; share of the image that is not glass;
pixels of the nucleus; its mean density less that of the rest; brightness of the glass, 0-255."""

REASONS = ("no cell", "stained over", "blurred", "clumped")

Float = NDArray[np.float64]

_GLASS_CENTILE = 90


def quality_of(rgb: Rgb, cell: Cell, settings: CellSettings) -> Float:
    """(len(MEASURES),) of one image; sharpness of the whole image where there is no cell."""
    total = cell.density @ np.ones(3, np.float32)
    covered = float((total >= settings.density_min).mean())
    glass = float(np.percentile(rgb.mean(axis=2), _GLASS_CENTILE))
    if not cell.nucleus.any():
        return np.array([sharpness(rgb), covered, 0.0, 0.0, glass])
    x, y, width, height = cv2.boundingRect(cell.nucleus.astype(np.uint8))
    margin = settings.closing_px
    around = rgb[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    contrast = float(total[cell.nucleus].mean() - total[~cell.whole].mean()) if (~cell.whole).any() else 0.0
    return np.array([sharpness(around), covered, float(cell.nucleus.sum()), contrast, glass])


def reasons(quality: Float, settings: QualitySettings) -> list[str]:
    """Why each cell is left out, the first of `REASONS` that holds; empty when it stays.

    Args:
        quality: (N, len(MEASURES)).
        settings: Limits.
    """
    sharp, covered, area, contrast, glass = quality.T
    empty = (area < settings.nucleus_area_min_px) | (contrast < settings.nucleus_contrast_min)
    faults = (
        empty,
        (covered > settings.covered_max) | (glass < settings.glass_min),
        sharp < settings.sharpness_min,
        area > settings.nucleus_area_max_px,
    )
    return [
        next((why for why, is_so in zip(REASONS, row, strict=True) if is_so), "") for row in zip(*faults, strict=True)
    ]
