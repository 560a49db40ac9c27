"""One-class support vector machine as arrays. In: cells that are all of one kind. Out: arrays; margins of any cell.

It encloses what it has seen (Schoelkopf et al. 2001, Neural Computation 13:1443); outside the margin is negative.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import OneClassSVM

from qc.downstream.lymphocytosis.tensors import Tensors

Float = NDArray[np.float64]


def fit_one_class(cells: Float, nu: float) -> Tensors:
    """A border around cells, with a radial kernel as wide as they spread.

    Args:
        cells: (N, D).
        nu: Share of them that may lie outside at most, 0-1.

    Raises:
        ValueError: If there is no cell.
    """
    if not len(cells):
        raise ValueError("a one-class machine needs cells")
    gamma = 1 / (cells.shape[1] * max(float(cells.var()), 1e-12))
    machine = OneClassSVM(kernel="rbf", nu=nu, gamma=gamma).fit(cells)
    return {
        "support": np.asarray(machine.support_vectors_),
        "weight": np.asarray(machine.dual_coef_)[0],
        "bias": np.atleast_1d(machine.intercept_),
        "gamma": np.array([gamma]),
    }


def one_class_margins(tensors: Tensors, cells: Float) -> Float:
    """(N,) signed distance from the border; below 0 is unlike what was learnt."""
    if not len(cells):
        return np.zeros(0)
    return rbf_kernel(cells, tensors["support"], float(tensors["gamma"][0])) @ tensors["weight"] + tensors["bias"][0]
