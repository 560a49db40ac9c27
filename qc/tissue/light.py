"""A slide's own light: the colour of its glass and the density of its tissue, and pixels without either.

In: an overview and where it shows tissue. Out: what light met; and any pixels of that slide as if glass were a standard
white and tissue of a standard density, so that dark means the same on a pale section and on a dark one.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.glass import estimate_glass

Rgb = NDArray[np.uint8]

WHITE = 245.0
"""Level of glass in every channel of standardised pixels."""
_HOLES_BELOW = 0.08  # optical density of fat and gaps, which say nothing of the stain
_LEAST_GAIN, _MOST_GAIN = 0.5, 1.4  # denser pixels are noisier ones
_FEW_PIXELS = 16
_SMOOTHED_UM = 30.0


@dataclass(frozen=True)
class SlideLight:
    """What light met on one slide.

    Attributes:
        glass_rgb: Level of bare glass in each channel, 0-255.
        tissue_density: Median optical density (decadic, mean of the channels) of tissue without its holes; NaN when
            there is too little.
    """

    glass_rgb: tuple[float, float, float]
    tissue_density: float

    def standardised(self, rgb: Rgb, density: float) -> Rgb:
        """Pixels as if glass were `WHITE` and tissue `density` dense; the gain is kept between 0.5 and 1.4.

        Args:
            rgb: (H, W, 3) uint8 of this slide.
            density: Optical density that its tissue is brought to; tissue of unknown density keeps its own.
        """
        return np.asarray(cv2.LUT(rgb, self._table(density)), np.uint8)

    def _table(self, density: float) -> Rgb:
        """(1, 256, 3) uint8: every level of each channel, standardised."""
        gain = np.clip(density / self.tissue_density, _LEAST_GAIN, _MOST_GAIN) if self.tissue_density > 0 else 1.0
        od = _densities(self.glass_rgb)
        levels = (WHITE + 1) * 10 ** (-gain * od) - 1
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)[None]


def _densities(glass_rgb: tuple[float, float, float]) -> NDArray[np.float64]:
    """(256, 3) decadic optical density of every level against the level of glass in each channel."""
    return np.log10((np.array(glass_rgb) + 1) / np.arange(1, 257)[:, None])


def slide_light(rgb: Rgb, is_scanned: NDArray[np.bool_], is_tissue: NDArray[np.bool_], mpp: float) -> SlideLight:
    """The light of a slide, from its overview.

    Glass is what it was for the slides that networks learnt from, by the default settings over all that was scanned,
    and not what finding tissue took it for: that goes by settings of its own.

    Args:
        rgb: (H, W, 3) uint8.
        is_scanned: (H, W) bool.
        is_tissue: (H, W) bool.
        mpp: Micrometres per pixel of the overview.
    """
    glass = estimate_glass(rgb, is_scanned, TissueSettings()).rgb
    side_px = 2 * round(_SMOOTHED_UM / mpp / 2) + 1
    calm = np.asarray(cv2.blur(rgb, (side_px, side_px)), np.uint8) if side_px > 1 else rgb
    # looked up for tissue alone: a plane of floats of a whole overview is twelve times its size
    density = _densities(glass).astype(np.float32)[calm[is_tissue & is_scanned], np.arange(3)].mean(axis=1)
    dense = density[density > _HOLES_BELOW]
    return SlideLight(glass, float(np.median(dense)) if dense.size >= _FEW_PIXELS else float("nan"))
