"""How well scores rank. In: truth and scores. Out: AUROC and curves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

_BINS = 10


def auroc(truth: Sequence[bool], scores: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, ties half; NaN when either is absent.

    >>> auroc([True, False, False], [0.9, 0.9, 0.1])
    0.75
    """
    return float(roc_auc_score(truth, scores)) if 0 < sum(truth) < len(truth) else math.nan


def roc(truth: Sequence[bool], scores: Sequence[float]) -> list[tuple[float, float]]:
    """(1 - TNR, TPR) at every threshold, from (0, 0) to (1, 1); empty when either class is absent."""
    if not 0 < sum(truth) < len(truth):
        return []
    false_rate, true_rate, _ = roc_curve(truth, scores)
    return list(zip(false_rate.tolist(), true_rate.tolist(), strict=True))


@dataclass(frozen=True)
class Bin:
    """Cases with scores in one tenth of 0-1: how many, their mean score and the share that is positive."""

    n: int
    mean_score: float
    positive_share: float


def reliability(truth: Sequence[bool], scores: Sequence[float]) -> list[Bin]:
    """Bins that hold any case, lowest score first; calibrated scores have shares equal to their means."""
    is_positive, score = np.asarray(truth, bool), np.asarray(scores, np.float64)
    tenth = np.minimum((score * _BINS).astype(int), _BINS - 1)
    groups = [tenth == i for i in range(_BINS) if (tenth == i).any()]
    return [Bin(int(g.sum()), float(score[g].mean()), float(is_positive[g].mean())) for g in groups]
