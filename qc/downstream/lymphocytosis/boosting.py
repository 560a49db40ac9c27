"""Gradient boosting as arrays, so that a model file holds numbers and no code. In: a table. Out: chances."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import GradientBoostingClassifier

from qc.config.lymphocytosis import BoostingSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.linear import fit_scaler, scale
from qc.downstream.lymphocytosis.tensors import Tensors

Float = NDArray[np.float64]

_LEAF = -1


def fit_boosting(values: Float, target: NDArray[np.bool_], settings: BoostingSettings, seed: int) -> Tensors:
    """Trees that each correct the sum of those before (Friedman 2001), starting from an even chance.

    Args:
        values: (N, D), NaN where missing.
        target: (N,).
        settings: Trees, rate, weight of positives.
        seed: Of ties between splits.
    """
    scaler = fit_scaler(values)
    model = GradientBoostingClassifier(
        n_estimators=settings.trees,
        learning_rate=settings.learning_rate,
        max_depth=settings.depth,
        subsample=1.0,
        init="zero",
        random_state=seed,
    )
    weights = np.where(target, settings.positive_weight, 1.0)
    model.fit(scale(scaler, values), target, sample_weight=weights)
    trees = [one.tree_ for one in model.estimators_[:, 0]]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    children = {
        side: np.concatenate(
            [_shifted(getattr(tree, f"children_{side}"), s) for tree, s in zip(trees, starts, strict=True)]
        )
        for side in ("left", "right")
    }
    return {
        **scaler,
        **children,
        "roots": starts.astype(np.int64),
        "feature": np.concatenate([tree.feature for tree in trees]).astype(np.int64),
        "border": np.concatenate([tree.threshold for tree in trees]),
        "value": settings.learning_rate * np.concatenate([tree.value[:, 0, 0] for tree in trees]),
    }


def boosting_table(found: Float, bags: Bags) -> Float:
    """(P, D + 2): what was found of each patient's cells, (P,) or (P, D); lymphocyte count; age."""
    return np.column_stack([found, bags.clinical[:, :2]])


def boosted_chances(tensors: Tensors, values: Float) -> Float:
    """(N,) chance of tumoral."""
    table = scale(tensors, values).astype(np.float32)  # trees compare in single precision
    rows = np.arange(len(table))
    total = np.zeros(len(table))
    for root in tensors["roots"]:
        node = np.full(len(table), root)
        while (inner := tensors["left"][node] != _LEAF).any():
            goes_left = table[rows, np.maximum(tensors["feature"][node], 0)] <= tensors["border"][node]
            node = np.where(inner, np.where(goes_left, tensors["left"][node], tensors["right"][node]), node)
        total += tensors["value"][node]
    return expit(total)


def _shifted(children: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    return np.where(children == _LEAF, _LEAF, children + start).astype(np.int64)
