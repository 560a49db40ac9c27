"""Stain evidence and ink. In: an overview and its glass. Out: density and stain planes, and which pixels are ink."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.glass import Glass

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Densities:
    """Optical density above glass of red, green and blue, each (H, W) float32, never negative."""

    red: Plane
    green: Plane
    blue: Plane

    @property
    def mean(self) -> Plane:
        """(H, W) mean of the three channels."""
        return (self.red + self.green + self.blue) / np.float32(3)

    @property
    def stain(self) -> Plane:
        """(H, W) green density beyond the lesser of red and blue.

        Haematoxylin, eosin, blood and DAB all absorb green more than red or more than blue;
        glass, shadow, dust and black ink are grey, and green ink absorbs green least.
        """
        return self.green - cv2.min(self.red, self.blue)


def measure(rgb: NDArray[np.uint8], glass: Glass) -> Densities:
    """Optical density of a slightly smoothed overview, relative to glass (Beer-Lambert)."""
    smooth = cv2.GaussianBlur(rgb, (5, 5), 1.0)
    levels = np.arange(256, dtype=np.float32)
    planes = []
    for channel, white in enumerate(glass.rgb):
        table = np.maximum(np.float32(np.log10(white + 1)) - np.log10(levels + 1), 0).astype(np.float32)
        planes.append(cv2.LUT(np.ascontiguousarray(smooth[..., channel]), table))
    return Densities(*planes)


def find_ink(od: Densities, mpp: float, settings: TissueSettings) -> Mask:
    """Pixels of green, blue and red marker with the soft edges of their strokes."""
    red, green, blue = od.red, od.green, od.blue
    visible = settings.ink_min_density
    cyan = (red > 1.3 * green) & (red - green > visible)
    navy = (red > 0.97 * green) & (blue < 0.45 * green) & (red > 0.45)
    scarlet = (red < 0.2 * green) & (blue > 0.66 * green) & (green > 0.6)
    core = _without_specks(cyan | navy | scarlet, settings.ink_min_area_um2 / mpp**2)
    if not core.any():
        return core
    reach = _disc(settings.ink_halo_um / mpp)
    near = cv2.dilate(core.view(np.uint8), reach).view(np.bool_)
    pale_cool = (red > 0.97 * green) & (red > 0.03)
    pale_warm = (red < 0.25 * green) & (blue > 0.66 * green) & near_mask(scarlet & core, reach)
    return core | (near & (pale_cool | pale_warm))


def is_grey(od: Densities, settings: TissueSettings) -> Mask:
    """Too little colour for its density: shadow, dust, black ink, frames, carbon."""
    density = od.mean
    share = np.where(od.blue > od.green, np.float32(settings.brown_share), np.float32(settings.grey_share))
    share[density > settings.black_density] = settings.black_share
    return od.stain <= share * density


def near_mask(mask: Mask, kernel: NDArray[np.uint8]) -> Mask:
    """`mask` grown by `kernel`."""
    return cv2.dilate(mask.view(np.uint8), kernel).view(np.bool_)


def _disc(radius_px: float) -> NDArray[np.uint8]:
    side = 2 * max(0, round(radius_px)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _without_specks(mask: Mask, min_area_px: float) -> Mask:
    """`mask` without connected parts smaller than `min_area_px`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= min_area_px
    keep[0] = False
    return keep[labels]
