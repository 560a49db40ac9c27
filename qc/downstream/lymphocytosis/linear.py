"""Standardised logistic regression as arrays. In: a table of values with gaps. Out: chances and shares of the logit."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from qc.downstream.lymphocytosis.tensors import Tensors

Float = NDArray[np.float64]


def fit_scaler(values: Float) -> Tensors:
    """Mean and deviation of each column; a column that does not vary is left as it is.

    Args:
        values: (N, D), NaN where missing.
    """
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    deviation = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / count)
    return {"mean": mean, "deviation": np.where(deviation > 1e-9, deviation, 1.0)}


def scale(tensors: Tensors, values: Float) -> Float:
    """(N, D) standardised; what is missing becomes the mean, 0."""
    return np.nan_to_num((values - tensors["mean"]) / tensors["deviation"])


def fit_logistic(values: Float, target: NDArray[np.bool_], strength: float) -> Tensors:
    """Both labels weigh the same, however many patients have them.

    Args:
        values: (N, D), NaN where missing.
        target: (N,).
        strength: Inverse of the penalty (C of scikit-learn); the smaller the more cautious.
    """
    scaler = fit_scaler(values)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000)
    model.fit(scale(scaler, values), target)
    return {**scaler, "weight": np.asarray(model.coef_)[0], "bias": np.atleast_1d(model.intercept_)}


def logits(tensors: Tensors, values: Float) -> Float:
    """(N,) logits of `fit_logistic`."""
    return scale(tensors, values) @ tensors["weight"] + tensors["bias"][0]


def chances(tensors: Tensors, values: Float) -> Float:
    """(N,) chance of tumoral."""
    return expit(logits(tensors, values))
