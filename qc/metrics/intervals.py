"""95 % intervals: Wilson for independent counts, bootstrap over slides for what is not independent."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

_Z95 = 1.959963984540054
T = TypeVar("T")


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson score interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953); NaN without trials.

    >>> tuple(round(bound, 3) for bound in wilson_interval(9, 10))
    (0.596, 0.982)
    """
    if trials == 0:
        return math.nan, math.nan
    share, z2 = successes / trials, _Z95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z95 / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_interval(
    units: Sequence[T], statistic: Callable[[Sequence[T]], float], rng: np.random.Generator, repeats: int = 2000
) -> tuple[float, float]:
    """Percentile bootstrap over units (slides); draws on which the statistic is NaN are left out.

    Args:
        units: One entry per slide; pixels and tiles of one slide stay together.
        statistic: From a resampled sequence of units to a number.
        rng: Source of randomness.
        repeats: Number of resamples.

    Returns:
        The 2.5th and 97.5th centile; NaN with fewer than two units.
    """
    if len(units) < 2:
        return math.nan, math.nan
    draws = rng.integers(0, len(units), (repeats, len(units)))
    values = np.array([statistic([units[i] for i in draw]) for draw in draws])
    if np.isnan(values).all():
        return math.nan, math.nan
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return float(low), float(high)
