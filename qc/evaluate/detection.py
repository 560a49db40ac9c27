"""Suspicion of many map cells to one score: is there an artefact in here? In: suspicion, what counts. Out: 0 to 1."""

import math

import numpy as np
from numpy.typing import NDArray

WORST_SHARE = 0.05
"""Share that must be an artefact for the whole to be called one; readers label by the same share."""

_TIE_BREAK = 1e-3


def detection_score(suspicion: NDArray[np.float32], counts: NDArray[np.bool_]) -> float:
    """Mean of the highest `WORST_SHARE` of suspicion over what counts, ties broken by the mean over all of it.

    What was not seen is suspected, and so is a place where nothing counts, because nothing of it can be handed on. For
    rules, which say 0 or 1, the score ranks like the share called artefact and nears 1 once that reaches `WORST_SHARE`.

    Args:
        suspicion: (H, W) float32, 0-1, NaN where not seen.
        counts: (H, W) bool.

    >>> round(detection_score(np.array([[0, 0, 0.5, 1]], np.float32), np.ones((1, 4), bool)), 2)
    1.0
    """
    values = _over(suspicion, counts)
    if values.size == 0:
        return 1.0
    first = values.size - math.ceil(WORST_SHARE * values.size)
    worst = float(np.partition(values, first)[first:].mean(dtype=np.float64))
    return (worst + _TIE_BREAK * float(values.mean(dtype=np.float64))) / (1 + _TIE_BREAK)


def mean_suspicion(suspicion: NDArray[np.float32], is_tissue: NDArray[np.bool_]) -> float:
    """Mean over the tissue, which is the share of artefact to be expected; what was not seen counts as 1."""
    values = _over(suspicion, is_tissue)
    return float(values.mean(dtype=np.float64)) if values.size else 1.0


def _over(suspicion: NDArray[np.float32], counts: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.nan_to_num(suspicion[counts], nan=1.0)
