"""Colour features of a slide. In: patches of its tissue at 1.0 mpp. Out: six numbers, each a ratio of densities.

They say in which hues tissue and its fine structure are stained, whatever the amount: ratios of optical densities stay
when a section is thicker, and medians and quartiles, over cells and over patches, stay when a minority is inked or
folded. Scales finer than a nucleus are not looked at, so that defocus is left to the artefact stage. Densities are
taken against white and not against the slide's own glass, because white is what the networks see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Features = NDArray[np.float64]

FEATURES = (
    "red_share_quartile",  # red's share of all density, lower quartile of tissue cells: eosin leaves little in red
    "red_share_median",
    "blue_share_median",
    "nuclear_red_over_green",  # how density varies in red with green at the size of nuclei: the hue of what is fine
    "nuclear_blue_over_green",
    "dark_red_less_blue",  # red less blue share of the darkest quarter, above that of the paler half: are nuclei bluer?
)
FEATURE_MPP = 1.0
_CELL_PX = 4
_BAND_LEVEL = 2
_STAINED_DENSITY = 0.08
_CELLS_MIN = 30
_BAND_PIXELS_MIN = 30
_SMALLEST = 1e-6
_DENSITY = (-np.log10((np.arange(256, dtype=np.float32) + 1) / 256)).astype(np.float32)
_DENSITY_TABLE = np.ascontiguousarray(np.repeat(_DENSITY[None, :, None], 3, axis=2))


@dataclass(frozen=True)
class PatchColours:
    """What is kept of one patch.

    Attributes:
        shares: (n, 2) float32, shares of red and of blue in the density of its stained tissue cells of 4 um.
        local: (3,) float64, the last three of `FEATURES` within the patch; NaN where they cannot be computed.
    """

    shares: NDArray[np.float32]
    local: Features


def measure_patch(rgb: Rgb, is_tissue: Mask) -> PatchColours:
    """Colours of one patch.

    Args:
        rgb: (H, W, 3) uint8 at 1.0 mpp, at least 16 pixels wide and high.
        is_tissue: (H, W) bool.
    """
    height, width = (side // 16 * 16 for side in is_tissue.shape)
    rgb, is_tissue = np.ascontiguousarray(rgb[:height, :width]), is_tissue[:height, :width]
    cells = cv2.resize(rgb, (width // _CELL_PX, height // _CELL_PX), interpolation=cv2.INTER_AREA)
    is_cell = is_tissue[_CELL_PX // 2 :: _CELL_PX, _CELL_PX // 2 :: _CELL_PX]
    density = _DENSITY[np.asarray(cells, np.uint8)[is_cell]]
    total = density.sum(axis=1)
    is_stained = total > 3 * _STAINED_DENSITY
    density, total = density[is_stained], total[is_stained]
    shares = density[:, ::2] / total[:, None]
    if len(total) < _CELLS_MIN:
        return PatchColours(shares, np.full(3, np.nan))
    middle, dark = np.quantile(total, (0.5, 0.75))
    leaning = shares[:, 0] - shares[:, 1]
    darker = np.median(leaning[total >= dark]) - np.median(leaning[total <= middle])
    return PatchColours(shares, np.array([*_slopes(cv2.LUT(rgb, _DENSITY_TABLE), is_tissue), darker], np.float64))


def slide_features(patches: Sequence[PatchColours]) -> Features:
    """(6,) float64 in the order of `FEATURES`, whatever the order of patches; NaN when none could be measured.

    Args:
        patches: What was kept of each patch.
    """
    known = [patch for patch in patches if np.isfinite(patch.local).all()]
    if not known:
        return np.full(len(FEATURES), np.nan)
    red, blue = np.concatenate([patch.shares for patch in known]).T
    local = np.median([patch.local for patch in known], axis=0)
    return np.array([*np.quantile(red, (0.25, 0.5)), np.median(blue), *local], np.float64)


def _slopes(density: cv2.typing.MatLike, is_tissue: Mask) -> tuple[float, float]:
    """Least-squares slopes of red and of blue on green between one level of a Laplacian pyramid and the next."""
    for _ in range(_BAND_LEVEL):
        density, is_tissue = cv2.pyrDown(density), is_tissue[::2, ::2]
    coarse = cv2.pyrUp(cv2.pyrDown(density), dstsize=(density.shape[1], density.shape[0]))
    band = np.asarray(density - coarse, np.float64)[is_tissue]
    power = float(band[:, 1] @ band[:, 1])
    if len(band) < _BAND_PIXELS_MIN or power < _SMALLEST:
        return float("nan"), float("nan")
    return float(band[:, 0] @ band[:, 1]) / power, float(band[:, 2] @ band[:, 1]) / power
