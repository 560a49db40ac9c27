"""Optical density and hue. In: mean colours of cells and the slide's glass colour. Out: density, hue, stain score.

By Beer and Lambert the density of a stain grows with its amount in all channels alike, so the ratios between
channels are the hue of the dye, whatever its amount: haematoxylin and eosin span red / green 0.1-1 and
blue / green 0.4-0.9, inks and dirt lie elsewhere.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_SMOOTH_CELLS = 5
_GREY_WINDOW_UM = 18.0
_EOSIN_RED_OVER_GREEN = 0.25
_BROWN_BLUE_LESS_RED = 0.35
_SMALLEST_DENSITY = 0.02
_NEUTRAL_RED_OVER_BLUE = 0.9
_BROWN_SHARE_MIN = 0.001
_COUNTERSTAIN_ALONE_MIN = 0.8
_IMMUNOSTAIN_SHARE_MIN = 0.5
_HAEMATOXYLIN = (0.650, 0.704, 0.286)
_BROWN = np.asarray((0.268, 0.570, 0.776), np.float32)
_GREY = (1.0, 1.0, 1.0)
_BROWN_AMOUNT = np.linalg.inv(np.column_stack([_HAEMATOXYLIN, _BROWN, _GREY]))[1:2].astype(np.float32)
_SCORE_OF_DENSITY = ((0.0, 0.02, 0.06, 0.12, 0.42, 0.60, 1.0), (0.0, 0.0, 4.0, 10.0, 10.0, 4.0, 0.0))
_SCORE_OF_COUNTERSTAIN = ((0.0, 0.03, 0.06, 0.12), (0.0, 0.0, 4.0, 10.0))
_SCORE_OF_CHROMA = ((0.0, 0.1, 0.3, 0.5), (0.0, 0.0, 4.0, 10.0))


def density_of(rgb: NDArray[np.uint8], glass: tuple[float, float, float]) -> NDArray[np.float32]:
    """(h, w, 3) decadic optical density above glass, not negative.

    Args:
        rgb: (h, w, 3) uint8.
        glass: RGB of clear glass.
    """
    if rgb.size == 0:
        return np.zeros(rgb.shape, np.float32)
    level = np.arange(256, dtype=np.float32)[:, None] + 1
    table = np.maximum(np.log10((np.asarray(glass, np.float32) + 1) / level), 0)
    return cv2.LUT(np.ascontiguousarray(rgb), np.ascontiguousarray(table[None]))  # type: ignore[return-value]


def smoothed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) mean over 5 x 5 cells: single nuclei and grains no longer set the hue."""
    return cv2.blur(rgb, (_SMOOTH_CELLS, _SMOOTH_CELLS))  # type: ignore[return-value]


def hue_of(density: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """OD red / OD green and OD blue / OD green, (h, w) each; means little below a density of about 0.1."""
    green = np.maximum(density[..., 1], np.float32(_SMALLEST_DENSITY))
    return (density[..., 0] / green).astype(np.float32), (density[..., 2] / green).astype(np.float32)


def grey_density(
    density: NDArray[np.float32], stain_blue_over_green: float, cell_um: float, is_immunostained: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Density of a grey layer over the stains and its share of all density, (h, w) each, over about 18 um.

    A grey layer adds the same density to all channels. Haematoxylin leaves little in blue, eosin little in red,
    so what is left in the scarcer of the two after the stains' share (a fixed part of green) is not theirs.
    Brown, darkest in blue, is not grey; on an immunostained slide nothing is that absorbs less red than blue,
    because dense diaminobenzidine scatters and is nearly black.
    """
    side = max(1, round(_GREY_WINDOW_UM / cell_um))
    smooth = np.asarray(cv2.blur(density, (side, side)), np.float32)
    is_brown = smooth[..., 2] - smooth[..., 0] > _BROWN_BLUE_LESS_RED * smooth[..., 1]
    if is_immunostained:
        is_brown |= smooth[..., 0] < _NEUTRAL_RED_OVER_BLUE * smooth[..., 2]
        smooth = without_brown(smooth)
    red, green, blue = smooth[..., 0], smooth[..., 1], smooth[..., 2]
    in_blue = (blue - stain_blue_over_green * green) / (1 - stain_blue_over_green)
    in_red = (red - _EOSIN_RED_OVER_GREEN * green) / (1 - _EOSIN_RED_OVER_GREEN)
    grey = np.where(is_brown, np.float32(0), np.maximum(np.minimum(in_blue, in_red), np.float32(0)))
    share = grey / np.maximum((red + green + blue) / 3, np.float32(_SMALLEST_DENSITY))
    return grey.astype(np.float32), share.astype(np.float32)


def is_immunostained(density: NDArray[np.float32]) -> bool:
    """Whether (n, 3) densities of stained tissue are haematoxylin and diaminobenzidine rather than eosin.

    Haematoxylin's own hue is a minority of H&E tissue and nearly all of an immunostain. Without any brown the slide is
    taken for a negative immunostain only when next to nothing else is seen.
    """
    if not len(density):
        return False
    red, green, blue = density[:, 0], density[:, 1], density[:, 2]
    brown = float(((blue > 0.95 * green) & (red < 0.75 * blue)).mean())
    counterstain = float(((red > 0.75 * green) & (blue < 0.8 * green)).mean())
    if brown < _BROWN_SHARE_MIN:
        return counterstain >= _COUNTERSTAIN_ALONE_MIN
    return brown + counterstain >= _IMMUNOSTAIN_SHARE_MIN


def without_brown(density: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 3) density less its diaminobenzidine, which says where an antigen is, not how thick tissue is.

    Haematoxylin, diaminobenzidine (Ruifrok and Johnston 2001) and grey are unmixed as three stains.
    """
    amount = np.maximum(cv2.transform(density, _BROWN_AMOUNT), np.float32(0))
    return np.maximum(density - amount[..., None] * _BROWN, np.float32(0)).astype(np.float32, copy=False)


def score_of_stain(density: float, chroma: float) -> float:
    """Stain score 0-10 of haematoxylin and eosin: 10 for a median density of 0.12-0.42 with chroma above 0.5.

    4 at a density of 0.06 (pale) or 0.60 (dark) or a chroma of 0.3 (grey).

    Args:
        density: Median optical density of tissue, mean of the channels.
        chroma: Median of 1 - min / max of the channels' densities.
    """
    if math.isnan(density) or math.isnan(chroma):
        return math.nan
    return float(min(np.interp(density, *_SCORE_OF_DENSITY), np.interp(chroma, *_SCORE_OF_CHROMA)))


def score_of_immunostain(density: float) -> float:
    """Stain score 0-10 of an immunostained slide, whose counterstain is pale by intention: is it there at all?

    Args:
        density: 90th centile of the tissue's optical density, mean of the channels; 4 at 0.06, 10 from 0.12.
    """
    return math.nan if math.isnan(density) else float(np.interp(density, *_SCORE_OF_COUNTERSTAIN))
