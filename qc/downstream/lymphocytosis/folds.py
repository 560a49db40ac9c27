"""Patients dealt into folds that are alike in label, age and lymphocyte count. In: bags. Out: a fold each."""

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
    labels = [str(int(one)) for one in bags.target]
    halves = [quantile_bins(column.tolist(), _BINS) for column in bags.clinical[:, :2].T]
    traits = [
        frozenset({("label", label), ("count", count), ("age", age), ("both", label, count), ("both", label, age)})
        for label, count, age in zip(labels, *halves, strict=True)
    ]
    parts = assign(traits, [1] * len(bags), {str(fold): 1 / folds for fold in range(folds)}, seed)
    return np.array([int(part) for part in parts], np.int64)
