"""Where tissue ends. In: light through tissue. Out: how deep inside tissue every pixel lies."""

import cv2
import numpy as np

from qc.optics.field import Float
from qc.optics.stain import TRANSMITTANCE_FLOOR

AROUND_UM = 15.0
"""Density is averaged over this much, so that gaps between cells are no margin."""

_TISSUE_OVER = 0.04  # optical density, averaged


def mean_density(transmittance: Float) -> Float:
    """(H, W) optical density of the mean of the three channels."""
    return -np.log10(np.maximum(transmittance.mean(axis=2), TRANSMITTANCE_FLOOR))


def depth_in_tissue(density: Float, mpp: float) -> Float:
    """Distance of each pixel from where tissue ends, um; 0 outside, infinite where no end is in sight.

    Args:
        density: (H, W), see `mean_density`.
        mpp: Micrometres per pixel.
    """
    side = 2 * max(1, round(AROUND_UM / mpp / 2)) + 1
    is_tissue = cv2.blur(density, (side, side)) > _TISSUE_OVER
    if is_tissue.all():
        return np.full(density.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(is_tissue.astype(np.uint8), cv2.DIST_L2, 3), np.float32) * np.float32(mpp)
