"""Which patches of a slide are measured: at most 64, spread over its tiles. In: tiles as they are read. Out: features.

Tiles come from several threads in any order; the features do not depend on it.
"""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from qc.domain.features import FEATURE_MPP, Features, Mask, PatchColours, Rgb, measure_patch, slide_features
from qc.geometry import Window

_PATCHES_MAX = 64
_PATCH_PX = 256
_SIDE_MIN_PX = 48
_TISSUE_MIN = 0.1
_MPP_TOLERANCE = 0.1


class ColourSample:
    """Colours of some patches of a slide, collected while its tiles are read.

    Args:
        cores: Windows of all tiles that will be read.
        mpp: Micrometres per pixel of the tiles.
        mpp_max: Coarsest tiles whose colours are compared; nothing is measured on coarser ones.
    """

    def __init__(self, cores: Sequence[Window], mpp: float, mpp_max: float) -> None:
        chosen, self._per_tile = plan_sample(cores)
        self._chosen = frozenset(chosen if mpp <= mpp_max else ())
        self._mpp = mpp
        self._patches: list[PatchColours] = []

    def wants(self, core: Window) -> bool:
        """True for tiles whose pixels should be given to `add`."""
        return core in self._chosen

    def add(self, rgb: Rgb, is_tissue: Mask) -> None:
        """Measure one tile; called from threads."""
        patches = best_patches(*at_feature_mpp(rgb, is_tissue, self._mpp), self._per_tile)
        self._patches.extend(measure_patch(*patch) for patch in patches)

    def features(self) -> Features:
        """Features of the slide from what was added."""
        return slide_features(self._patches)


def plan_sample(cores: Sequence[Window]) -> tuple[tuple[Window, ...], int]:
    """Tiles that are measured, and how many patches of each."""
    every = max(1, math.ceil(len(cores) / _PATCHES_MAX))
    return tuple(cores[::every]), max(1, _PATCHES_MAX // max(1, len(cores)))


def at_feature_mpp(rgb: Rgb, is_tissue: Mask, mpp: float) -> tuple[Rgb, Mask]:
    """A tile at 1.0 mpp; one that is within a tenth of it stays as it is."""
    if abs(mpp / FEATURE_MPP - 1) <= _MPP_TOLERANCE:
        return rgb, is_tissue
    size = tuple(max(1, round(side * mpp / FEATURE_MPP)) for side in (rgb.shape[1], rgb.shape[0]))
    method = cv2.INTER_AREA if mpp < FEATURE_MPP else cv2.INTER_LINEAR
    mask = cv2.resize(is_tissue.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(rgb, size, interpolation=method), np.uint8), mask.view(np.bool_)


def best_patches(rgb: Rgb, is_tissue: Mask, most: int) -> list[tuple[Rgb, Mask]]:
    """At most `most` patches of a tile, those with most tissue; none with less than a tenth of it."""
    patches = sorted(_patches(rgb, is_tissue), key=lambda patch: -int(np.count_nonzero(patch[1])))
    return patches[:most]


def _patches(rgb: Rgb, is_tissue: Mask) -> Iterator[tuple[Rgb, Mask]]:
    height, width = is_tissue.shape
    for y in range(0, height, _PATCH_PX):
        for x in range(0, width, _PATCH_PX):
            part = np.s_[y : y + _PATCH_PX, x : x + _PATCH_PX]
            if min(is_tissue[part].shape) >= _SIDE_MIN_PX and is_tissue[part].mean() >= _TISSUE_MIN:
                yield rgb[part], is_tissue[part]
