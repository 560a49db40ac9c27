"""What is dark but not tissue. In: evidence. Out: masks of marker ink and of grey matter. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.evidence import Evidence, Plane
from qc.tissue.regions import disc, enough

Mask = NDArray[np.bool_]

_CYAN_RED = 1.3  # red over green density of green, turquoise and light blue marker; tissue stays below 0.85
_NAVY_RED, _NAVY_BLUE, _NAVY_DENSITY = 0.97, 0.45, 0.45  # dark blue marker; blue counterstain passes less blue
_SCARLET_RED, _SCARLET_BLUE, _SCARLET_DENSITY = 0.2, 0.66, 0.6  # red marker; blood absorbs red, eosin less blue
_SOFT_RED = 0.25


def find_ink(seen: Evidence, settings: TissueSettings) -> Mask:
    """Strokes of green, blue and red marker with their soft edges."""
    red, green, blue = seen.red, seen.green, seen.blue
    cool = (red > _CYAN_RED * green) & (red - green > settings.ink_min_density)
    cool |= (red > _NAVY_RED * green) & (blue < _NAVY_BLUE * green) & (red > _NAVY_DENSITY)
    warm = (red < _SCARLET_RED * green) & (blue > _SCARLET_BLUE * green) & (green > _SCARLET_DENSITY)
    core = cool | warm
    if not core.any():
        return core
    core = enough(core, settings.ink_min_area_um2 / seen.mpp**2)
    halo = disc(settings.ink_halo_um / seen.mpp)
    cool_edge = _grown(core & cool, halo) & (red > _NAVY_RED * green) & (red > settings.ink_min_density / 3)
    warm_edge = _grown(core & warm, halo) & (red < _SOFT_RED * green) & (blue > _SCARLET_BLUE * green)
    return core | cool_edge | warm_edge


def find_grey(seen: Evidence, density: Plane, settings: TissueSettings) -> Mask:
    """Too little colour for its density: shadow, dust, black ink, frames, carbon; or lighter than glass."""
    share = np.where(seen.blue > seen.green, np.float32(settings.brown_share), np.float32(settings.grey_share))
    share[density > settings.black_density] = settings.black_share
    return (seen.stain <= share * density) | (density < -settings.lighter_max_density)


def _grown(mask: Mask, kernel: NDArray[np.uint8]) -> Mask:
    return cv2.dilate(mask.view(np.uint8), kernel).view(np.bool_)
