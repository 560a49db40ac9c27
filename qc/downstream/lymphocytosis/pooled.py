"""Clinical values and what is odd about a patient's cells, in one regression. In: bags. Out: arrays; chances.

Reactive cells differ from each other, a clone's are alike: so a patient is summarised by means and deviations of what
was measured of the cells. Few of these summaries are used, those that best explain what clinical values leave open.
"""

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import PooledSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.linear import chances, fit_logistic, fit_scaler, logits, scale
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.morphology import NAMES
from qc.downstream.lymphocytosis.tensors import Tensors

Float = NDArray[np.float64]

SUMMARIES = tuple(f"{what} of {name}" for what in ("mean", "deviation") for name in NAMES)
_LEAST_CELLS = 4


def pooled_model(settings: PooledSettings) -> Model:
    """The model of these settings."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:  # noqa: ARG001 - nothing is drawn, nothing is kept
        clinical, target = _clinical(bags, settings), bags.target
        chosen = _chosen(clinical, summaries(bags), target, settings) if settings.uses_images else []
        table = np.column_stack([clinical, summaries(bags)[:, chosen]])
        return {**fit_logistic(table, target, settings.strength), "chosen": np.array(chosen, np.int64)}

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:  # noqa: ARG001
        chosen = tensors["chosen"].astype(np.intp)
        table = np.column_stack([_clinical(bags, settings), summaries(bags)[:, chosen]])
        weights = tuple(
            _influence(tensors, row, own.values, chosen) for row, own in zip(table, bags.cells, strict=True)
        )
        return Judged(chances(tensors, table), weights, "change of the logit by the cell, against leaving it out")

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


def _influence(tensors: Tensors, row: Float, values: Float, chosen: NDArray[np.intp]) -> Float:
    """(N,) by how much the logit of a patient would be less without each cell."""
    if not len(chosen) or len(values) <= _LEAST_CELLS:
        return np.zeros(len(values))
    clinical = row[: len(row) - len(chosen)]
    table = np.column_stack([np.tile(clinical, (len(values), 1)), _without_each(values)[:, chosen]])
    return logits(tensors, row[None])[0] - logits(tensors, table)


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
