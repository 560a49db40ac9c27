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

from qc.config.train import OperatingSettings
from qc.errors import SettingsError
from qc.labels import ARTEFACTS, ArtefactClass

_NOTHING = 1e-9
_STEP = 0.005
Logits = NDArray[np.float32]
Probabilities = NDArray[np.float64]
Weights = NDArray[np.float64]


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
    operating: OperatingSettings,
) -> Calibration:
    """From cells of slides that the network was not trained on.

    Args:
        logits: (n, C).
        classes: (n,) true indices.
        slides: (n,) names.
        is_real: (n,) False where artefacts were composed into the tile.
        order: Classes in the order of the logits.
        operating: What probabilities are corrected to and what thresholds are to reach.

    Raises:
        SettingsError: If none of the cells is clean tissue without a composed artefact on its tile.
    """
    is_clean = (classes == list(order).index(ArtefactClass.CLEAN)) & is_real
    if not is_clean.any():
        raise SettingsError(
            "no clean tissue was left to find thresholds on", "name sources with clean tissue of more patients"
        )
    temperature = fit_temperature(logits, classes)
    prior = prior_shift(np.bincount(classes, minlength=len(order)), order, operating.prevalence)
    read = Calibration(temperature, tuple(prior.tolist()), {})
    is_artefact = np.isin(classes, [index for index, one in enumerate(order) if one in ARTEFACTS])
    weights = np.zeros(len(classes))
    weights[is_clean] = -_alike(slides[is_clean])
    weights[is_artefact] = _alike(classes[is_artefact])
    thresholds = find_thresholds(read.probabilities(logits), weights, order, operating.tnr, operating.suspicion_min)
    return Calibration(temperature, read.prior, thresholds)


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
    p: Probabilities, weights: Weights, order: Sequence[ArtefactClass], tnr: float, suspicion_min: float
) -> dict[ArtefactClass, float]:
    """Suspicion from which each artefact is called, so that all together leave the share `tnr` of clean cells alone.

    What may be called falsely is given away step by step, each time to the artefact that finds most true ones for it.

    Args:
        p: (n, C) probabilities of cells.
        weights: (n,) of the cells: negative for clean ones, -1 in all; positive for artefacts.
        order: Classes in the order of the columns.
        tnr: 0-1.
        suspicion_min: No threshold is lower, 0-1.
    """
    limits = np.linspace(suspicion_min, 1, 1 + round((1 - suspicion_min) / _STEP))
    kinds = [index for index, one in enumerate(order) if one in ARTEFACTS]
    suspicion, kind = p[:, kinds].sum(axis=1), np.asarray(kinds)[p[:, kinds].argmax(axis=1)]
    curves = {index: _curve(suspicion[kind == index], weights[kind == index], limits) for index in kinds}
    chosen = dict.fromkeys(kinds, len(limits) - 1)
    left = 1 - tnr - sum(false[-1] for _true, false in curves.values())
    while (step := _next(curves, chosen, left)) is not None:
        index, place = step
        left -= curves[index][1][place] - curves[index][1][chosen[index]]
        chosen[index] = place
    return {order[index]: float(limits[place]) for index, place in chosen.items()}


def _next(curves: dict[int, tuple[Weights, Weights]], chosen: dict[int, int], left: float) -> tuple[int, int] | None:
    """The artefact and its next lower limit that find most for what they call falsely, at most `left`."""
    found: tuple[float, int, int] | None = None
    for index, (true, false) in curves.items():
        now = chosen[index]
        gain, cost = true[:now] - true[now], false[:now] - false[now]
        worth = np.where((gain > 0) & (cost <= left), gain / np.maximum(cost, _NOTHING), -1)
        place = now - 1 - int(np.argmax(worth[::-1])) if now else 0
        if now and worth[place] > 0 and (found is None or worth[place] > found[0]):
            found = float(worth[place]), index, place
    return found and found[1:]


def _curve(suspicion: NDArray[np.float64], weights: Weights, limits: NDArray[np.float64]) -> tuple[Weights, Weights]:
    """Weight of true and of false calls at each limit."""
    order = np.argsort(suspicion)
    first = np.searchsorted(suspicion[order], limits)
    return tuple(
        np.append(np.cumsum(part[order][::-1])[::-1], 0.0)[first]
        for part in (np.maximum(weights, 0), np.maximum(-weights, 0))
    )  # type: ignore[return-value]


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


def _alike(groups: NDArray) -> Weights:
    """Weights that let every group count alike, 1 in all."""
    _names, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return 1.0 / counts[index] / max(1, len(counts))
