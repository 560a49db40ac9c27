"""Logits into probabilities, probabilities into decisions. In: logits of cells of unseen slides. Out: numbers to keep.

Balanced batches hold more artefacts than slides do. A logit is divided by a temperature that makes it honest about
such batches (Guo et al. 2017, arXiv:1706.04599), then the logarithm of true over sampled prevalence is added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from qc.errors import SettingsError
from qc.labels import ARTEFACTS, ArtefactClass

_LEAST_THRESHOLD = 0.05
Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """How a network's logits are read.

    Attributes:
        temperature: Logits are divided by it.
        prior: (C,) natural logarithms added then.
        thresholds: Probability of any artefact from which the most probable one is called.
    """

    temperature: float
    prior: tuple[float, ...]
    thresholds: Mapping[ArtefactClass, float]

    def probabilities(self, logits: Logits) -> NDArray[np.float64]:
        """(n, C) of (n, C) logits."""
        return softmax(logits / self.temperature + np.asarray(self.prior), axis=1)


def calibrate(
    logits: Logits,
    classes: NDArray[np.int64],
    slides: NDArray[np.str_],
    is_real: NDArray[np.bool_],
    order: Sequence[ArtefactClass],
    prevalence: float,
    tnr: float,
) -> Calibration:
    """From cells of slides that the network was not trained on.

    Args:
        logits: (n, C).
        classes: (n,) true indices.
        slides: (n,) names.
        is_real: (n,) False where artefacts were composed into the tile.
        order: Classes in the order of the logits.
        prevalence: True share of artefacts in tissue, 0-1.
        tnr: Share of clean tissue that is to stay clean when all thresholds are used together, 0-1.

    Raises:
        SettingsError: If none of the cells is clean tissue without a composed artefact on its tile.
    """
    is_clean = (classes == list(order).index(ArtefactClass.CLEAN)) & is_real
    if not is_clean.any():
        raise SettingsError(
            "no clean tissue was left to find thresholds on", "name sources with clean tissue of more patients"
        )
    temperature = fit_temperature(logits, classes)
    prior = prior_shift(np.bincount(classes, minlength=len(order)), order, prevalence)
    read = Calibration(temperature, tuple(prior.tolist()), {})
    p = read.probabilities(logits[is_clean])
    return Calibration(temperature, read.prior, find_thresholds(p, _per_slide(slides[is_clean]), order, tnr))


def calibrate_tissue(logits: Logits, classes: NDArray[np.int64], order: Sequence[ArtefactClass]) -> Calibration:
    """Temperature, and the probability of tissue with the best Dice; the share of tissue is not corrected.

    Args:
        logits: (n, C) of unseen slides.
        classes: (n,) true indices.
        order: Classes in the order of the logits, CLEAN for tissue.
    """
    temperature = fit_temperature(logits, classes)
    read = Calibration(temperature, (0.0,) * len(order), {})
    column = list(order).index(ArtefactClass.CLEAN)
    p, truth = read.probabilities(logits)[:, column], classes == column
    limits = np.linspace(0.2, 0.8, 61)
    dice = [2 * np.sum((p >= limit) & truth) / max(1, np.sum(p >= limit) + np.sum(truth)) for limit in limits]
    return Calibration(temperature, read.prior, {ArtefactClass.CLEAN: float(limits[int(np.argmax(dice))])})


def find_thresholds(
    p: NDArray[np.float64], weights: NDArray[np.float64], order: Sequence[ArtefactClass], tnr: float
) -> dict[ArtefactClass, float]:
    """Suspicion from which each artefact is called, so that all together leave the share `tnr` of clean cells alone.

    Each artefact may take an equal part of what is left over.

    Args:
        p: (n, C) probabilities of clean cells.
        weights: (n,) of the cells.
        order: Classes in the order of the columns.
        tnr: 0-1.
    """
    kinds = [index for index, one in enumerate(order) if one in ARTEFACTS]
    if not (kinds and len(p)):
        return {order[index]: 1.0 for index in kinds}
    suspicion, kind = p[:, kinds].sum(axis=1), np.asarray(kinds)[p[:, kinds].argmax(axis=1)]
    budget = (1 - tnr) / len(kinds) * float(weights.sum())
    return {order[index]: _least(suspicion[kind == index], weights[kind == index], budget) for index in kinds}


def fit_temperature(logits: Logits, classes: NDArray[np.int64]) -> float:
    """The temperature with the least cross entropy, 0.2-5."""

    def cross_entropy(log_temperature: float) -> float:
        log_p = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(log_p[np.arange(len(classes)), classes].mean())

    found = minimize_scalar(cross_entropy, bounds=(np.log(0.2), np.log(5)), method="bounded")
    return float(np.exp(found.x))


def prior_shift(counts: NDArray[np.int64], order: Sequence[ArtefactClass], prevalence: float) -> NDArray[np.float64]:
    """(C,) log of true over sampled share of each class; artefacts are taken to be equally common.

    Glass keeps its share: how much of a tile it is does not depend on the sampling of artefacts. An artefact without
    cells is taken to have been as common as the others, so that it is not favoured for never having been seen.

    Args:
        counts: (C,) cells of each class as sampled.
        order: The classes.
        prevalence: True share of artefacts in tissue, 0-1.
    """
    is_artefact = np.array([one in ARTEFACTS for one in order])
    is_clean = np.array([one is ArtefactClass.CLEAN for one in order])
    seen = counts[is_artefact & (counts > 0)]
    counts = np.where(is_artefact & (counts == 0), seen.mean() if seen.size else 1, np.maximum(counts, 1))
    sampled = counts / counts.sum()
    tissue = sampled[is_artefact | is_clean].sum()
    true = sampled.copy()
    true[is_artefact] = tissue * prevalence / is_artefact.sum()
    true[is_clean] = tissue * (1 - prevalence)
    return np.log(true / sampled)


def _per_slide(slides: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights that let every slide count alike."""
    _names, index, counts = np.unique(slides, return_inverse=True, return_counts=True)
    return 1.0 / counts[index]


def _least(values: NDArray[np.float64], weights: NDArray[np.float64], budget: float) -> float:
    """The least limit that values with no more than `budget` of weight reach."""
    order = np.argsort(-values)
    n_over = int(np.searchsorted(np.cumsum(weights[order]), budget, side="right"))
    if n_over >= len(values):
        return _LEAST_THRESHOLD
    return float(np.clip(np.nextafter(values[order[n_over]], 1), _LEAST_THRESHOLD, 1))
