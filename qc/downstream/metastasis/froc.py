"""Free-response operating characteristic, as CAMELYON16 measures it. In: detections and lesions. Out: sensitivities.

Bejnordi et al. 2017, doi:10.1001/jama.2017.14585, and https://camelyon16.grand-challenge.org/Evaluation/: outlines grow
by half of 75 um, so that lesions nearer than that are one; holes are filled; a detection in a lesion finds it, one
outside is a false positive; isolated tumour cells (longest diameter below 275 um after growing) are neither.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from qc.downstream.metastasis.heat import Detection
from qc.metrics.extent import longest_diameter

RATES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per slide at which sensitivity is averaged."""
_FUSED_UM, _ITC_UM = 75.0, 200.0


@dataclass(frozen=True)
class SlideHits:
    """What the detections of one slide hit.

    Attributes:
        lesions: Highest score in each lesion but isolated tumour cells; 0 for one that was not found.
        false: Scores of detections outside all lesions.
    """

    lesions: tuple[float, ...]
    false: tuple[float, ...]


@dataclass(frozen=True)
class Froc:
    """The curve.

    Attributes:
        false_per_slide: (N,) mean false positives per slide, falling.
        sensitivity: (N,) share of lesions found, 0-1.
        at_rates: Sensitivity at each of `RATES`.
    """

    false_per_slide: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    at_rates: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean sensitivity at `RATES`; NaN when there is no lesion."""
        return float(np.mean(self.at_rates))


def hits(detections: Iterable[Detection], lesions: Iterable[BaseGeometry], slide_mpp: float) -> SlideHits:
    """Sort the detections of a slide.

    Args:
        detections: In level-0 pixels.
        lesions: Outlines in level-0 pixels.
        slide_mpp: Micrometres per level-0 pixel.
    """
    grown = _grown(lesions, slide_mpp)
    is_itc = [longest_diameter(one) * slide_mpp < _ITC_UM + _FUSED_UM for one in grown]
    best, false = [0.0] * len(grown), []
    for one in detections:
        at = shapely.Point(one.x_level0, one.y_level0)
        hit = next((i for i, lesion in enumerate(grown) if lesion.covers(at)), None)
        if hit is None:
            false.append(one.score)
        else:
            best[hit] = max(best[hit], one.score)
    return SlideHits(tuple(score for score, itc in zip(best, is_itc, strict=True) if not itc), tuple(false))


def froc(slides: Sequence[SlideHits]) -> Froc:
    """The curve over all slides, with and without lesions.

    Between thresholds sensitivity is interpolated; beyond the last false positive it stays as it is.
    """
    found = np.sort([score for slide in slides for score in slide.lesions])
    false = np.sort([score for slide in slides for score in slide.false])
    if not len(found):
        nothing = np.array([np.nan])
        return Froc(nothing, nothing, (float("nan"),) * len(RATES))
    thresholds = np.unique(np.concatenate([found[found > 0], false]))
    x = np.append(_at_least(false, thresholds) / len(slides), 0.0)
    y = np.append(_at_least(found, thresholds) / len(found), 0.0)
    return Froc(x, y, tuple(float(one) for one in np.interp(RATES, x[::-1], y[::-1])))


def _at_least(ordered: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many of the ordered scores reach each threshold."""
    return (len(ordered) - np.searchsorted(ordered, thresholds, side="left")).astype(np.float64)


def _grown(lesions: Iterable[BaseGeometry], slide_mpp: float) -> list[BaseGeometry]:
    grown = shapely.union_all([one.buffer(_FUSED_UM / 2 / slide_mpp) for one in lesions])
    parts = [part for part in shapely.get_parts(grown) if isinstance(part, shapely.Polygon) and part.area > 0]
    return [shapely.Polygon(part.exterior) for part in parts]
