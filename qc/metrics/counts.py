"""A two-by-two table and its rates. In: truth and prediction. Out: counts that pool by addition."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Counts:
    """True and false positives and negatives; a positive is an artefact (or tissue, when tissue is sought).

    A rate whose denominator is zero is NaN: nothing was measured.

    >>> pooled = Counts(8, 2, 85, 5) + Counts(0, 0, 0, 0)
    >>> round(pooled.tpr, 3), round(pooled.npv, 3)
    (0.615, 0.944)
    """

    tp: int
    fp: int
    tn: int
    fn: int

    def __post_init__(self) -> None:
        if min(self.tp, self.fp, self.tn, self.fn) < 0:
            raise ValueError(f"counts cannot be negative: {self}")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.tn + other.tn, self.fn + other.fn)

    @classmethod
    def of(cls, truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Self:
        """Count two boolean arrays of one shape; ValueError when the shapes differ."""
        if truth.shape != predicted.shape:
            raise ValueError(f"truth {truth.shape} and prediction {predicted.shape} differ in shape")
        positives, called = int(truth.sum()), int(predicted.sum())
        tp = int(np.count_nonzero(truth & predicted))
        return cls(tp, called - tp, truth.size - positives - called + tp, positives - tp)

    @property
    def total(self) -> int:
        """All that was counted."""
        return self.tp + self.fp + self.tn + self.fn

    @property
    def prevalence(self) -> float:
        """Share of positives in truth."""
        return _rate(self.tp + self.fn, self.total)

    @property
    def accuracy(self) -> float:
        """Share called right."""
        return _rate(self.tp + self.tn, self.total)

    @property
    def tpr(self) -> float:
        """Sensitivity: share of positives called positive."""
        return _rate(self.tp, self.tp + self.fn)

    @property
    def tnr(self) -> float:
        """Specificity: share of negatives called negative."""
        return _rate(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float:
        """Share of positive calls that are right."""
        return _rate(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> float:
        """Share of negative calls that are right; moves with prevalence, so name it beside."""
        return _rate(self.tn, self.tn + self.fn)

    @property
    def dice(self) -> float:
        """Overlap of truth and prediction, 2 tp / (2 tp + fp + fn)."""
        return _rate(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    def npv_at(self, prevalence: float) -> float:
        """NPV restated at another prevalence by Bayes' rule: TNR (1-p) / (TNR (1-p) + (1-TPR) p)."""
        right, wrong = self.tnr * (1 - prevalence), (1 - self.tpr) * prevalence
        return right / (right + wrong) if right + wrong > 0 else math.nan


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
