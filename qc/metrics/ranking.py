"""How well scores rank, and how honest they are. In: truth and scores. Out: AUROC and curves."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_auc_score, roc_curve

_BINS = 10


def auroc(truth: ArrayLike, scores: ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties half; NaN when either is absent.

    >>> auroc([True, False, False], [0.9, 0.9, 0.1])
    0.75
    """
    return float(roc_auc_score(truth, scores)) if _has_both(truth) else math.nan


def roc(truth: ArrayLike, scores: ArrayLike) -> list[tuple[float, float]]:
    """(1 - TNR, TPR) at every threshold, from (0, 0) to (1, 1); empty when either class is absent."""
    if not _has_both(truth):
        return []
    false_rate, true_rate, _ = roc_curve(truth, scores)
    return list(zip(false_rate.tolist(), true_rate.tolist(), strict=True))


class Bin(NamedTuple):
    """Cases with scores in one tenth of 0-1: their mean score, the share that is positive, and how many they are."""

    mean_score: float
    positive_share: float
    n: int


def reliability(truth: ArrayLike, scores: ArrayLike) -> list[Bin]:
    """Bins that hold any case, lowest score first; calibrated scores have shares equal to their means."""
    is_positive, score = np.asarray(truth, bool), np.asarray(scores, np.float64)
    tenth = np.minimum((score * _BINS).astype(int), _BINS - 1)
    groups = [tenth == i for i in range(_BINS) if (tenth == i).any()]
    return [Bin(float(score[g].mean()), float(is_positive[g].mean()), int(g.sum())) for g in groups]


def _has_both(truth: ArrayLike) -> bool:
    is_positive = np.asarray(truth, bool)
    return bool(is_positive.any() and not is_positive.all())
