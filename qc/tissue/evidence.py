"""What a slide's overview shows above glass, on the grid where tissue is decided.

In: an overview and its glass. Out: optical density, stain and texture as (H, W) float32 planes. Pure.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.glass import Glass

Plane = NDArray[np.float32]

_STRIP_ROWS = 512


@dataclass(frozen=True)
class Evidence:
    """Planes of shape (H, W) float32 on one grid.

    Attributes:
        red: Optical density above glass (Beer-Lambert, decadic) in the red channel.
        green: The same in green.
        blue: The same in blue.
        stained_share: Share (0-1) of the overview's pixels in a cell that are stained.
        texture: Local standard deviation of green density, at the overview's own resolution.
        mpp: Micrometres per cell.
    """

    red: Plane
    green: Plane
    blue: Plane
    stained_share: Plane
    texture: Plane
    mpp: float

    @property
    def density(self) -> Plane:
        """Mean of the three channels."""
        return (self.red + self.green + self.blue) / np.float32(3)

    @property
    def stain(self) -> Plane:
        """Green density beyond the lesser of red and blue."""
        return stain(self.red, self.green, self.blue)


def stain(red: Plane, green: Plane, blue: Plane) -> Plane:
    """Green density beyond the lesser of red and blue.

    Haematoxylin, eosin, blood and DAB all absorb green more than red or more than blue; glass, shadow,
    dust and black ink are grey, and green ink absorbs green least. Neutral shading cancels.
    """
    return green - np.minimum(red, blue)


def measure(rgb: NDArray[np.uint8], glass: Glass, mpp: float, settings: TissueSettings) -> Evidence:
    """Evidence on cells of `settings.region_mpp`, or on the overview's own pixels where those are coarser.

    Works in strips, so that no float plane of the whole overview is ever held.

    Args:
        rgb: (H, W, 3) uint8.
        glass: Colour of bare glass.
        mpp: Micrometres per pixel of `rgb`.
        settings: Thresholds.
    """
    step = max(1, round(settings.region_mpp / mpp))
    calm = np.asarray(cv2.GaussianBlur(rgb, (3, 3), 0), np.uint8) if step > 1 else rgb
    padded = _padded(calm, step)
    strips = [_cells(strip, glass, step, settings.stain_floor) for strip in _strips(padded, step)]
    red, green, blue, share, square = (np.concatenate(planes) for planes in zip(*strips, strict=True))
    side = 2 * max(1, round(settings.texture_window_um / (2 * mpp * step))) + 1
    mean, mean_square = cv2.blur(green, (side, side)), cv2.blur(square, (side, side))
    texture = np.sqrt(np.maximum(mean_square - mean * mean, 0), dtype=np.float32)
    return Evidence(red, green, blue, share, texture, mpp * step)


def _padded(rgb: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """`rgb` with its last row and column repeated until `step` divides both sides."""
    below, right = -rgb.shape[0] % step, -rgb.shape[1] % step
    if not (below or right):
        return rgb
    return np.asarray(cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def _strips(rgb: NDArray[np.uint8], step: int) -> list[NDArray[np.uint8]]:
    rows = _STRIP_ROWS // step * step
    return [rgb[top : top + rows] for top in range(0, rgb.shape[0], rows)]


def _cells(rgb: NDArray[np.uint8], glass: Glass, step: int, stain_floor: float) -> tuple[Plane, ...]:
    """Mean densities, stained share and mean squared green density over cells of `step` x `step` pixels."""
    red, green, blue = (_density(cv2.extractChannel(rgb, i), level) for i, level in enumerate(glass.rgb))
    stained = (stain(red, green, blue) > stain_floor).astype(np.float32)
    planes = (red, green, blue, stained, green * green)
    if step == 1:
        return planes
    size = (rgb.shape[1] // step, rgb.shape[0] // step)
    return tuple(np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32) for plane in planes)


def _density(levels: cv2.typing.MatLike, glass_level: float) -> Plane:
    """Optical density of each pixel; negative where it is lighter than glass."""
    table = np.log10((glass_level + 1) / np.arange(1, 257, dtype=np.float64)).astype(np.float32)
    return np.asarray(cv2.LUT(levels, table), np.float32)
