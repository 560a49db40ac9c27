"""How far the parts of a split lie apart at worst, and how far random ones would. In: units and parts. Out: both."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.cohort.balance import measured, standardised_difference
from qc.cohort.units import Unit
from qc.cohort_table import Cohort

_DRAWS = 100
Column = tuple[str, str, NDArray[np.float64]]


@dataclass(frozen=True)
class Likeness:
    """The largest difference of any part from all others, in standard deviations without regard to sign.

    Attributes:
        columns: Columns that were looked at.
        largest: Standardised mean difference; NaN when none can be computed.
        where: Part, column and value of it; empty when none can be computed.
        random_median: The same of patients dealt at random into parts as large, median of `draws`.
        draws: How often that was done.
    """

    columns: tuple[str, ...]
    largest: float
    where: str
    random_median: float
    draws: int = _DRAWS


def likeness(
    cohort: Cohort, units: Sequence[Unit], parts: Sequence[str], stratified: Collection[str], seed: int
) -> Likeness:
    """Compare a split with random ones.

    Args:
        cohort: Says which columns hold numbers.
        units: Patients, or several who stay together.
        parts: The part of each unit.
        stratified: Columns that were to be alike; all columns when there are none.
        seed: Of the random splits.
    """
    columns = [one for one in measured(cohort, units) if one[0] in stratified or not stratified]
    chosen, rng = np.asarray(parts), np.random.default_rng(seed)
    largest, where = _largest(columns, chosen)
    at_random = [_largest(columns, rng.permutation(chosen))[0] for _ in range(_DRAWS)]
    known = [value for value in at_random if not math.isnan(value)]
    names = tuple(dict.fromkeys(column for column, _, _ in columns))
    return Likeness(names, largest, where, float(np.median(known)) if known else math.nan)


def _largest(columns: Sequence[Column], chosen: NDArray[np.str_]) -> tuple[float, str]:
    found = (math.nan, "")
    for part in dict.fromkeys(chosen.tolist()):
        for column, value, numbers in columns:
            inside, is_known = chosen == part, np.isfinite(numbers)
            size = abs(standardised_difference(numbers[inside & is_known], numbers[~inside & is_known]))
            if not math.isnan(size) and not size <= found[0]:
                found = (size, f"{column} {value}".strip() + f" in {part}")
    return found
