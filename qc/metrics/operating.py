"""Where to cut a score. In: scores of negatives. Out: the lowest threshold that keeps enough of them uncalled."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

_ROUNDING = 1e-9


def threshold_at_tnr(negatives: Sequence[float], tnr: float) -> float:
    """The lowest observed score above which at most 1 - `tnr` of the negatives lie; what is above it is called.

    Args:
        negatives: Scores of negatives, without NaN.
        tnr: Asked for, 0 to 1, not 0; where scores tie, more than that is reached.

    Returns:
        NaN without negatives.

    Raises:
        ValueError: If `tnr` is out of range.

    >>> threshold_at_tnr([0.0, 0.1, 0.2, 0.9], 0.75)
    0.2
    """
    if not 0 < tnr <= 1:
        raise ValueError(f"tnr must be above 0 and at most 1, got {tnr}")
    if len(negatives) == 0:
        return math.nan
    ordered = np.sort(np.asarray(negatives, np.float64))
    return float(ordered[math.ceil(tnr * len(ordered) - _ROUNDING) - 1])


def thresholds_from_others(negatives: Mapping[str, Sequence[float]], tnr: float) -> dict[str, float]:
    """For each unit (slide) the threshold found on all other units, never on itself.

    Args:
        negatives: Scores of negatives of each unit.
        tnr: Asked for on the pooled others.
    """
    return {
        unit: threshold_at_tnr([score for other, scores in negatives.items() if other != unit for score in scores], tnr)
        for unit in negatives
    }
