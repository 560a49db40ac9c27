"""Traits that shall be alike in all parts. In: units and columns. Out: for each unit the set of its traits."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from qc.cohort.units import Unit
from qc.cohort_table import Cohort
from qc.config.split import StratifySpec
from qc.errors import SettingsError

Trait = tuple[str, ...]
"""Column and value; or label and value, column and value for what belongs together."""

_UNKNOWN = "unknown"


def quantile_bins(values: Sequence[float], bins: int) -> list[str]:
    """Name of each value's quantile bin, from `bin 1`, the lowest; what is missing is a bin of its own.

    A value on the border between two bins belongs to the lower one; equal values never part.

    >>> quantile_bins([60.0, 77.0, 80.0, 91.0, float("nan")], 2)
    ['bin 1', 'bin 1', 'bin 2', 'bin 2', 'unknown']
    """
    numbers = np.asarray(values, float)
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return [_UNKNOWN] * len(values)
    borders: NDArray[np.float64] = np.unique(np.quantile(known, np.arange(1, bins) / bins))
    found = np.searchsorted(borders, numbers, side="left") + 1
    return [f"bin {number}" if np.isfinite(value) else _UNKNOWN for number, value in zip(found, numbers, strict=True)]


def traits(cohort: Cohort, units: Sequence[Unit], stratify: Iterable[StratifySpec]) -> list[frozenset[Trait]]:
    """Traits of each unit: its values in each column, and each value together with each label.

    A patient whose slides have different labels has the trait of each label: there is no order by which one of
    them would be the worst, and a rare combination would be a stratum of one.

    Raises:
        SettingsError: If there is no such column, numbers come without bins or text with them, or there are more
            values than half the patients.
    """
    columns = {one.column: _values(cohort, units, one) for one in stratify}
    labels = columns.get("label")
    found = []
    for i in range(len(units)):
        own: set[Trait] = {(column, value) for column, values in columns.items() for value in values[i]}
        if labels:
            own |= {
                ("label", label, column, value)
                for column, values in columns.items()
                if column != "label"
                for value in values[i]
                for label in labels[i]
            }
        found.append(frozenset(own))
    return found


def _values(cohort: Cohort, units: Sequence[Unit], spec: StratifySpec) -> list[frozenset[str]]:
    column = spec.column
    if column in cohort.numeric:
        means = [unit.mean(column) for unit in units]
        if spec.bins:
            return [frozenset({name}) for name in quantile_bins(means, spec.bins)]
        values = [frozenset({f"{mean:g}" if mean == mean else _UNKNOWN}) for mean in means]
    elif column == "label" or column in cohort.categorical:
        if spec.bins:
            raise SettingsError(f"column {column} holds text and has no quantiles", f"stratify by {column} alone")
        values = [unit.texts(column) or frozenset({_UNKNOWN}) for unit in units]
    else:
        known = ", ".join(("label", *cohort.numeric, *cohort.categorical))
        raise SettingsError(f"the cohort table has no column {column} to stratify by", f"choose among {known}")
    distinct = frozenset().union(*values)
    if len(distinct) > max(3, len(units) / 2):
        hint = f"give it quantile bins ({column}:4)" if column in cohort.numeric else "leave it out"
        raise SettingsError(f"column {column} has {len(distinct)} values for {len(units)} patients", hint)
    return values
