"""Clinical values and what is odd about a patient's cells, in one regression. In: bags. Out: arrays; chances.

Reactive cells differ from each other, a clone's are alike: so a patient is summarised by means and deviations of what
was measured of the cells. A cautious regression makes one score of them, which stands beside the clinical values; the
patients that are trained on get theirs from regressions that did not see them, or it would be trusted too much.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from qc.config.lymphocytosis import PooledSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.linear import chances, fit_logistic, fit_scaler, logits, scale
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.morphology import NAMES
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed

Float = NDArray[np.float64]

SUMMARIES = tuple(f"{what} of {name}" for what in ("mean", "deviation") for name in NAMES)
_LEAST_CELLS = 4
_MEANING = "change of the logit by the cell, against leaving it out"


def pooled_model(settings: PooledSettings) -> Model:
    """The model of these settings."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:  # noqa: ARG001 - nothing is kept
        clinical, pooled, target = _clinical(bags, settings), summaries(bags), bags.target
        if not settings.uses_images:
            return prefixed("last", fit_logistic(clinical, target, settings.strength))
        if settings.cells_as == "summaries":
            chosen = _chosen(clinical, pooled, target, settings)
            last = fit_logistic(np.column_stack([clinical, pooled[:, chosen]]), target, settings.strength)
            return {"chosen": np.array(chosen, np.int64), **prefixed("last", last)}
        score = prefixed("score", fit_logistic(pooled, target, settings.score_strength))
        others = _scores_by_others(pooled, target, settings, seed)
        last = fit_logistic(np.column_stack([clinical, others]), target, settings.strength)
        return {**score, **prefixed("last", last)}

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:  # noqa: ARG001
        clinical, last = _clinical(bags, settings), part("last", tensors)
        chance = chances(last, np.column_stack([clinical, _read(tensors, summaries(bags))]))
        weights = [_influence(tensors, row, own.values) for row, own in zip(clinical, bags.cells, strict=True)]
        return Judged(chance, tuple(weights), _MEANING)

    return Model(fit, judge)


def summaries(bags: Bags) -> Float:
    """(P, len(SUMMARIES)): mean and deviation over cells; NaN for a patient with fewer than four."""
    return np.array([_summary(cells.values) for cells in bags.cells]).reshape(-1, len(SUMMARIES))


def _summary(values: Float) -> Float:
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    filled = np.where(known, values, 0)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    spread = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / np.maximum(count, 1))
    return np.tile(np.where(count >= _LEAST_CELLS, 1.0, np.nan), 2) * np.concatenate([mean, spread])


def _clinical(bags: Bags, settings: PooledSettings) -> Float:
    """(P, len(settings.clinical))."""
    values = bags.clinical
    columns = {"count": np.minimum(values[:, 0], np.log(settings.count_cap)), "age": values[:, 1], "sex": values[:, 2]}
    return np.column_stack([np.empty((len(bags), 0)), *(columns[name] for name in settings.clinical)])


def _scores_by_others(pooled: Float, target: NDArray[np.bool_], settings: PooledSettings, seed: int) -> Float:
    """(P,) logit of each patient by regressions on others."""
    folds = min(settings.inner_folds, int(target.sum()), int((~target).sum()))
    if folds < 2:  # too few patients to leave any out
        return logits(fit_logistic(pooled, target, settings.score_strength), pooled)
    found = np.zeros((settings.inner_repeats, len(target)))
    for repeat in range(settings.inner_repeats):
        deal = StratifiedKFold(folds, shuffle=True, random_state=1000 * seed + repeat)
        for inside, outside in deal.split(pooled, target):
            own = fit_logistic(pooled[inside], target[inside], settings.score_strength)
            found[repeat, outside] = logits(own, pooled[outside])
    return found.mean(axis=0)


def _read(tensors: Tensors, pooled: Float) -> Float:
    """(N, K) what the last regression sees of summaries: the score, those that were chosen, or nothing."""
    if "chosen" in tensors:
        return pooled[:, tensors["chosen"].astype(np.intp)]
    score = part("score", tensors)
    return logits(score, pooled)[:, None] if score else np.empty((len(pooled), 0))


def _chosen(clinical: Float, pooled: Float, target: NDArray[np.bool_], settings: PooledSettings) -> list[int]:
    """Summaries that go with the residuals of a regression on clinical values, labels weighing the same."""
    weights = np.where(target, 0.5 / target.mean(), 0.5 / (1 - target.mean()))
    left = target.astype(np.float64)
    if clinical.shape[1]:
        left = left - chances(fit_logistic(clinical, target, settings.strength), clinical)
    left = left - np.average(left, weights=weights)
    standard = scale(fit_scaler(pooled), pooled)
    standard = standard - np.average(standard, axis=0, weights=weights)
    standard = standard / np.sqrt(np.average(standard**2, axis=0, weights=weights) + 1e-12)
    together = np.abs(standard.T @ (weights[:, None] * standard)) / weights.sum()
    found: list[int] = []
    for candidate in np.argsort(-np.abs((weights * left) @ standard), kind="stable").tolist():
        if all(together[candidate, other] < settings.correlation_max for other in found):
            found.append(candidate)
        if len(found) == settings.summaries_max:
            break
    return found


def _influence(tensors: Tensors, clinical: Float, values: Float) -> Float:
    """(N,) by how much the logit of a patient would be less without each cell."""
    if len(values) <= _LEAST_CELLS or not ({"chosen", "score.weight"} & set(tensors)):
        return np.zeros(len(values))
    last, every = part("last", tensors), np.concatenate([_summary(values)[None], _without_each(values)])
    found = logits(last, np.column_stack([np.tile(clinical, (len(every), 1)), _read(tensors, every)]))
    return found[0] - found[1:]


def _without_each(values: Float) -> Float:
    """(N, len(SUMMARIES)): the summary without the first cell, without the second and so on."""
    known = ~np.isnan(values)
    # about the mean, or squares would swallow what is left
    filled = np.where(known, values - np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0)
    count = known.sum(axis=0) - known
    total, squares = filled.sum(axis=0) - filled, (filled**2).sum(axis=0) - filled**2
    mean = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    centre = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.tile(np.where(count >= _LEAST_CELLS, 1.0, np.nan), 2) * np.concatenate([mean + centre, spread], axis=1)
