"""How alike the parts of a split are. In: units and their parts. Out: rows of a table, part by part."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.cohort.units import Unit
from qc.cohort_table import Cohort

_VALUES_MAX = 10


@dataclass(frozen=True)
class BalanceRow:
    """One value of one column in one part.

    Attributes:
        part: Name of the part.
        column: `patients`, `slides`, or a column of the cohort table.
        value: The value counted; empty for counts and for means.
        count: Patients (or slides) counted; of a column of numbers, patients whose value is known.
        amount: Share (0-1) of the part's patients, or of all patients or slides in the first two columns; of a
            column of numbers the mean.
        smd: Standardised mean difference from the patients of all other parts; NaN when it cannot be computed.
    """

    part: str
    column: str
    value: str
    count: int
    amount: float
    smd: float


def balance(cohort: Cohort, units: Sequence[Unit], parts: Sequence[str], names: Iterable[str]) -> list[BalanceRow]:
    """Counts, shares of labels and clinical means of each part.

    Args:
        cohort: Says which columns hold numbers.
        units: Patients, or several who stay together and count as one.
        parts: The part of each unit.
        names: Parts in the order of the table.
    """
    chosen = np.asarray(parts)
    slides = np.array([len(unit.slides) for unit in units])
    columns = list(measured(cohort, units))
    rows = []
    for name in names:
        inside = chosen == name
        in_part = int(slides[inside].sum())
        rows.append(BalanceRow(name, "patients", "", int(inside.sum()), float(inside.mean()), math.nan))
        rows.append(BalanceRow(name, "slides", "", in_part, in_part / int(slides.sum()), math.nan))
        for column, value, numbers in columns:
            known = numbers[inside & np.isfinite(numbers)]
            count = int(known.sum()) if value else known.size
            amount = float(known.mean()) if known.size else math.nan
            others = numbers[~inside & np.isfinite(numbers)]
            rows.append(BalanceRow(name, column, value, count, amount, standardised_difference(known, others)))
    return rows


def standardised_difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Difference of means over the root of the mean variance (Austin 2009, doi:10.1002/sim.3697).

    0 when the means are equal; NaN when one side is empty, or the means differ and nothing varies.

    >>> standardised_difference(np.array([1.0, 3.0]), np.array([2.0, 4.0]))
    -1.0
    """
    if not (first.size and second.size):
        return math.nan
    difference = float(first.mean() - second.mean())
    spread = math.sqrt((float(first.var()) + float(second.var())) / 2)
    if difference == 0:
        return 0.0
    return difference / spread if spread else math.nan


def measured(cohort: Cohort, units: Sequence[Unit]) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Column, value and a number for each unit: 1 where it has the value, or the number itself where value is empty."""
    for column in ("label", *cohort.categorical):
        own = [unit.texts(column) or frozenset({"unknown"}) for unit in units]
        values = sorted(frozenset().union(*own))
        if len(values) <= _VALUES_MAX:
            for value in values:
                yield column, value, np.array([float(value in texts) for texts in own])
    for column in cohort.numeric:
        yield column, "", np.array([unit.mean(column) for unit in units])
