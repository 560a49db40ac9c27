"""Patients dealt into folds that are alike in label, age and lymphocyte count. In: bags. Out: a fold each."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from qc.cohort.assign import assign
from qc.cohort.strata import quantile_bins
from qc.downstream.lymphocytosis.bags import Bags

_BINS = 2


def fold_numbers(bags: Bags, folds: int, seed: int) -> NDArray[np.int64]:
    """(P,) fold of each patient; every fold holds alike of each label with each half of the ages and of the counts.

    Args:
        bags: Patients with labels.
        folds: How many.
        seed: Other seeds deal otherwise.

    Raises:
        SettingsError: If there are fewer patients than folds.
    """
    parts = _dealt(bags, {str(fold): 1 / folds for fold in range(folds)}, seed)
    return np.array([int(part) for part in parts], np.int64)


def is_held_out(bags: Bags, share: float, seed: int) -> NDArray[np.bool_]:
    """(P,) True for about this share of the patients, alike to the rest; nobody where the share is 0."""
    if not share:
        return np.zeros(len(bags), bool)
    return np.array([part == "held" for part in _dealt(bags, {"held": share, "rest": 1 - share}, seed)])


def of_others(
    bags: Bags, folds: int, seed: int, judge: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """(P,) a value of each patient by what was learnt from patients of other folds.

    Args:
        bags: Patients with labels.
        folds: How many.
        seed: Of the folds.
        judge: From rows that are learnt from and rows that are judged to the values of these.
    """
    number = fold_numbers(bags, folds, seed)
    found = np.full(len(bags), np.nan)
    for fold in range(folds):
        inside, outside = np.flatnonzero(number != fold), np.flatnonzero(number == fold)
        found[outside] = judge(inside, outside)
    return found


def _dealt(bags: Bags, shares: Mapping[str, float], seed: int) -> list[str]:
    labels = [str(int(one)) for one in bags.target]
    halves = [quantile_bins(column.tolist(), _BINS) for column in bags.clinical[:, :2].T]
    traits = [
        frozenset({("label", label), ("count", count), ("age", age), ("both", label, count), ("both", label, age)})
        for label, count, age in zip(labels, *halves, strict=True)
    ]
    return list(assign(traits, [1] * len(bags), dict(shares), seed))
