"""Control charts: is today like other days? In: counts or values by day. Out: centre, limits, days with an alarm.

Sources: Montgomery, Introduction to Statistical Quality Control (p-chart: chapter 7, EWMA: chapter 9);
Western Electric, Statistical Quality Control Handbook, 1956 (runs in zones). Pure; no files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BEYOND_LIMITS = "beyond the limits"
TWO_OF_THREE = "2 of 3 in a row beyond two standard deviations"
FOUR_OF_FIVE = "4 of 5 in a row beyond one standard deviation"
EIGHT_ON_A_SIDE = "8 in a row on one side of the centre"


@dataclass(frozen=True)
class ControlChart:
    """A series against its limits.

    Attributes:
        values: (N) what was measured; NaN on days without.
        centre: (N) what is usual.
        lower: (N) lower limit.
        upper: (N) upper limit.
        sigma: (N) standard deviation of one value when nothing is wrong.
    """

    values: NDArray[np.float64]
    centre: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    sigma: NDArray[np.float64]

    @property
    def is_beyond(self) -> NDArray[np.bool_]:
        """(N) outside the limits; never on days without a value."""
        return (self.values > self.upper) | (self.values < self.lower)


def p_chart(counts: Sequence[int], totals: Sequence[int], sigmas: float = 3.0, baseline: int = 0) -> ControlChart:
    """Chart of a share, such as slides to be scanned again, with limits that widen on days with few slides.

    The centre is the pooled share of the baseline; the limits lie `sigmas * sqrt(p (1 - p) / n)` from it, cut to 0-1.

    Args:
        counts: (N) slides that count, each day.
        totals: (N) all slides, each day; 0 gives NaN.
        sigmas: Distance of the limits.
        baseline: First days that set the centre; 0 for all.

    Raises:
        ValueError: If a day has more slides that count than slides.

    >>> chart = p_chart([2, 4], [20, 40])
    >>> print(f"{chart.centre[0]:.1f} {chart.upper[0]:.3f}")
    0.1 0.301
    """
    part, whole = np.asarray(counts, np.float64), np.asarray(totals, np.float64)
    if (part > whole).any() or (part < 0).any():
        raise ValueError("a day has more slides that count than slides")
    first = slice(0, baseline or None)
    share = _divided(part[first].sum(), whole[first].sum())
    values = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    sigma = np.sqrt(np.divide(share * (1 - share), whole, out=np.full(part.shape, np.nan), where=whole > 0))
    lower, upper = np.clip(share - sigmas * sigma, 0, 1), np.clip(share + sigmas * sigma, 0, 1)
    return ControlChart(values, np.full(part.shape, share), lower, upper, sigma)


def ewma_chart(
    values: Sequence[float], target: float, sigma: float, weight: float = 0.2, sigmas: float = 2.7
) -> ControlChart:
    """Exponentially weighted moving average: finds small drifts that single days hide.

    `z_i = weight * x_i + (1 - weight) * z_(i-1)`, `z_0 = target`; the limits lie
    `sigmas * sigma * sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 i)))` from the target. A day without a value
    leaves the average as it is, and is not counted.

    Args:
        values: (N) one value each day; NaN for none.
        target: What is usual.
        sigma: Standard deviation of one day's value when nothing is wrong.
        weight: Of the newest day, 0-1.
        sigmas: Distance of the limits.

    Raises:
        ValueError: If the weight is not above 0 and at most 1.
    """
    if not 0 < weight <= 1:
        raise ValueError(f"weight must be above 0 and at most 1, got {weight}")
    given = np.asarray(values, np.float64)
    smooth, spread = np.full(given.shape, np.nan), np.full(given.shape, np.nan)
    last, seen = target, 0
    for i, value in enumerate(given):
        if np.isnan(value):
            continue
        seen += 1
        last = weight * value + (1 - weight) * last
        smooth[i] = last
        spread[i] = sigma * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * seen)))
    centre = np.full(given.shape, target)
    return ControlChart(smooth, centre, centre - sigmas * spread, centre + sigmas * spread, spread)


def alarms(chart: ControlChart) -> list[list[str]]:
    """For each day the rules that fire on it; the zone rules are Western Electric's, judged on days with a value.

    Only for charts whose days are independent, such as a p-chart; on a moving average use `is_beyond`.
    """
    told: list[list[str]] = [[] for _ in chart.values]
    known = np.flatnonzero(~np.isnan(chart.values) & (chart.sigma > 0))
    distance = (chart.values[known] - chart.centre[known]) / chart.sigma[known]
    for name, window, needed, beyond in (
        (TWO_OF_THREE, 3, 2, 2.0),
        (FOUR_OF_FIVE, 5, 4, 1.0),
        (EIGHT_ON_A_SIDE, 8, 8, 0.0),
    ):
        for place in _runs(distance, window, needed, beyond):
            told[known[place]].append(name)
    for place in np.flatnonzero(chart.is_beyond):
        told[place].insert(0, BEYOND_LIMITS)
    return told


def _runs(distance: NDArray[np.float64], window: int, needed: int, beyond: float) -> list[int]:
    """Ends of windows in which enough points, the last one included, lie beyond on one side."""
    ends = range(window, len(distance) + 1)
    sides = [(end, side) for end in ends for side in _sides(distance[end - window : end], beyond)]
    return [end - 1 for end, side in sides if side[-1] and side.sum() >= needed]


def _sides(distance: NDArray[np.float64], beyond: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return distance > beyond, distance < -beyond


def _divided(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
