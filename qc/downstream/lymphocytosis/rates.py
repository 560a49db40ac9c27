"""How good calls are. In: chances and labels. Out: rates of calls, and the loss of chances; tumoral is positive."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from qc.downstream.compare import Scores
from qc.downstream.lymphocytosis.model import CALLED_FROM
from qc.metrics import Counts

Float = NDArray[np.float64]
Labels = NDArray[np.bool_]


def balanced_accuracy(counts: Counts) -> float:
    """Mean of TPR and TNR; NaN when a label is absent."""
    return (counts.tpr + counts.tnr) / 2


def f1(counts: Counts) -> float:
    """Harmonic mean of recall and precision; NaN when nothing is or is called positive."""
    total = 2 * counts.tp + counts.fp + counts.fn
    return 2 * counts.tp / total if total else math.nan


_LEAST_CHANCE = 0.001

RATES: Mapping[str, Callable[[Counts], float]] = {
    "balanced accuracy": balanced_accuracy,
    "F1": f1,
    "recall": lambda counts: counts.tpr,
    "precision": lambda counts: counts.ppv,
    "specificity": lambda counts: counts.tnr,
}


def log_loss(chance: Float, target: Labels) -> float:
    """Mean of minus the logarithm of what was said of the truth; votes of 0 and 1 count as 0.001 and 0.999."""
    said = np.clip(chance, _LEAST_CHANCE, 1 - _LEAST_CHANCE)
    return float(-np.log(np.where(target, said, 1 - said)).mean())


def counted(chance: Float, target: Labels) -> Counts:
    """Right and wrong calls; a patient without a chance is called reactive, as nothing speaks for a tumour."""
    return Counts.of(target, chance >= CALLED_FROM)


def balanced_of(scores: Scores) -> float:
    """Balanced accuracy, mean over repeats: a statistic for `qc.downstream.compare`."""
    return float(np.mean([balanced_accuracy(counted(column, scores.target)) for column in scores.score.T]))
