"""MI-SVM: a support vector machine on bags (Andrews, Tsochantaridis and Hofmann 2003). In: bags. Out: w and b.

Every cell of a negative bag is negative; of a positive bag one cell is positive at least, and the machine finds which.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

Float = NDArray[np.float64]


@dataclass(frozen=True)
class MiSvm:
    """A hyperplane.

    Attributes:
        weight: (D,).
        bias: Number added.
        chosen: Witness of each positive bag that is not empty, in their order.
        rounds: Machines that were trained.
        is_settled: Whether the witnesses stopped changing.
    """

    weight: Float
    bias: float
    chosen: tuple[int, ...]
    rounds: int
    is_settled: bool

    def margins(self, cells: Float) -> Float:
        """(N,) signed distance in units of the margin; above 0 is positive."""
        return cells @ self.weight + self.bias


def fit_mi_svm(bags: Sequence[Float], target: Sequence[bool] | NDArray[np.bool_], c: float, rounds: int) -> MiSvm:
    """Algorithm 2 of the published recipe: means of positive bags first, then the cell of the largest margin.

    Args:
        bags: (N_i, D) cells of each patient; empty ones are left out.
        target: Whether a bag is positive.
        c: Penalty of what is on the wrong side.
        rounds: Machines trained at most; usually about ten suffice.

    Raises:
        ValueError: If there is no negative cell or no positive bag.
    """
    positive = [bag for bag, is_one in zip(bags, target, strict=True) if is_one and len(bag)]
    others = [bag for bag, is_one in zip(bags, target, strict=True) if not is_one and len(bag)]
    if not positive or not others:
        raise ValueError("bags of both labels with cells are needed")
    negative = np.concatenate(others)
    witnesses = np.stack([bag.mean(axis=0) for bag in positive])
    chosen: tuple[int, ...] = ()
    done, is_settled = 0, False
    while True:
        weight, bias = _plane(negative, witnesses, c)
        done += 1
        best = tuple(int(np.argmax(bag @ weight + bias)) for bag in positive)
        is_settled, chosen = best == chosen, best
        if is_settled or done >= rounds:
            break
        witnesses = np.stack([bag[i] for bag, i in zip(positive, chosen, strict=True)])
    return MiSvm(weight, bias, chosen, done, is_settled)


def _plane(negative: Float, positive: Float, c: float) -> tuple[Float, float]:
    machine = SVC(kernel="linear", C=c, cache_size=200)
    machine.fit(np.concatenate([negative, positive]), np.repeat([False, True], [len(negative), len(positive)]))
    return np.asarray(machine.coef_[0], np.float64), float(machine.intercept_[0])
