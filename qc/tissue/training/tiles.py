"""Tiles for tissue networks: pixels at about the training mpp and their classes, the same for the same seed."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue_training import TissueComposeSettings
from qc.labels import ArtefactClass
from qc.tissue.training.compose import compose_tissue
from qc.tissue.training.plan import Overview, PlannedTissue, TissueTileRef

_SHIFT_SHARE = 0.25
_OUTSIDE_LEVELS = ((255, 255, 255), (255, 255, 255), (0, 0, 0))


@dataclass(frozen=True, eq=False)
class TissueTile:
    """One tile.

    Attributes:
        rgb: (H, W, 3) uint8.
        classes: (H, W) uint8: CLEAN is tissue, GLASS is everything else, IGNORE is not known.
        mpp: Micrometres per pixel.
    """

    rgb: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    mpp: float
    ref: TissueTileRef


class TissueSource:
    """Reads planned tiles and lays on them whatever slides show.

    Args:
        planned: What can be read.
        compose_settings: How tiles are varied; None reads them as they are, at the middle mpp.
        seed: Of everything drawn.
        indices: Tiles of one part of a split; all by default.
    """

    def __init__(
        self,
        planned: PlannedTissue,
        compose_settings: TissueComposeSettings | None,
        seed: int = 0,
        indices: list[int] | None = None,
    ) -> None:
        self._planned = planned
        self._compose = compose_settings
        self._seed = seed
        chosen = range(len(planned.tiles)) if indices is None else indices
        self.refs: tuple[TissueTileRef, ...] = tuple(planned.tiles[i] for i in chosen)

    def __len__(self) -> int:
        return len(self.refs)

    def read(self, index: int, label: ArtefactClass = ArtefactClass.CLEAN, draw: int = 0) -> TissueTile:
        """One tile, with something of the kind `label` laid on it.

        Args:
            index: Into `refs`.
            label: See `qc.tissue.training.compose.compose_tissue`.
            draw: Equal numbers give equal tiles; count it up for another look of the same place.
        """
        ref = self.refs[index]
        one = self._planned.overviews[ref.item]
        rng = np.random.default_rng([self._seed, index, int(label), draw])
        settings = self._planned.settings
        mpp, (x_um, y_um) = settings.mpp, ref.centre_um
        if self._compose is None:
            rgb, classes = _cut(one, (x_um, y_um), mpp, settings.tile_px, _OUTSIDE_LEVELS[0])
            return TissueTile(rgb, classes, mpp, ref)
        mpp *= float(np.exp(rng.uniform(-1, 1) * np.log(settings.mpp_spread)))
        reach_um = _SHIFT_SHARE * settings.tile_px * settings.mpp
        x_um, y_um = x_um + float(rng.uniform(-1, 1)) * reach_um, y_um + float(rng.uniform(-1, 1)) * reach_um
        outside = _OUTSIDE_LEVELS[int(rng.integers(len(_OUTSIDE_LEVELS)))]
        rgb, classes = _cut(one, (x_um, y_um), mpp, settings.tile_px, outside)
        rgb, classes = compose_tissue(rgb, classes, mpp, one.glass_rgb, label, self._compose, rng)
        return TissueTile(rgb, classes, mpp, ref)


def _cut(
    one: Overview, centre_um: tuple[float, float], mpp: float, side_px: int, outside: tuple[int, int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A square of `side_px` pixels of `mpp` around a point; kept inside the overview where that is large enough."""
    height, width = one.classes.shape
    span = max(1, round(side_px * mpp / one.mpp))
    x, y = (_start(centre, length, span, one.mpp) for centre, length in zip(centre_um, (width, height), strict=True))
    x0, y0, x1, y1 = max(0, x), max(0, y), min(width, x + span), min(height, y + span)
    rgb = np.empty((span, span, 3), np.uint8)
    rgb[:] = outside
    classes = np.full((span, span), ArtefactClass.GLASS, np.uint8)
    rgb[y0 - y : y1 - y, x0 - x : x1 - x] = one.rgb[y0:y1, x0:x1]
    classes[y0 - y : y1 - y, x0 - x : x1 - x] = one.classes[y0:y1, x0:x1]
    smooth = cv2.INTER_AREA if span > side_px else cv2.INTER_CUBIC
    size = (side_px, side_px)
    return (
        np.asarray(cv2.resize(rgb, size, interpolation=smooth), np.uint8),
        np.asarray(cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST), np.uint8),
    )


def _start(centre_um: float, length_px: int, span_px: int, mpp: float) -> int:
    if length_px <= span_px:
        return -((span_px - length_px) // 2)
    return int(np.clip(round(centre_um / mpp - span_px / 2), 0, length_px - span_px))
