"""How good calls are. In: chances and labels. Out: balanced accuracy, F1, recall, precision; tumoral is positive."""

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


RATES: Mapping[str, Callable[[Counts], float]] = {
    "balanced accuracy": balanced_accuracy,
    "F1": f1,
    "recall": lambda counts: counts.tpr,
    "precision": lambda counts: counts.ppv,
}


def counted(chance: Float, target: Labels) -> Counts:
    """Right and wrong calls; a patient without a chance is called reactive, as nothing speaks for a tumour."""
    return Counts.of(target, chance >= CALLED_FROM)


def balanced_of(scores: Scores) -> float:
    """Balanced accuracy, mean over repeats: a statistic for `qc.downstream.compare`."""
    return float(np.mean([balanced_accuracy(counted(column, scores.target)) for column in scores.score.T]))
