"""The best of several models, chosen without looking at whom it is tested on. In: bags. Out: arrays of the chosen."""

from collections.abc import Sequence

import numpy as np

from qc.config.lymphocytosis import SelectSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.folds import fold_numbers
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.rates import balanced_accuracy, counted
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed


def select_model(settings: SelectSettings, candidates: Sequence[Model]) -> Model:
    """The candidate of the highest balanced accuracy in an inner cross-validation.

    Args:
        settings: Inner folds and repeats.
        candidates: Its models, in order.
    """

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        found = [_inner(one, settings, bags, bench, seed) for one in candidates]
        best = int(np.argmax(found))
        return {"choice": np.array([best]), **prefixed("chosen", candidates[best].fit(bags, bench, seed))}

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        return candidates[int(tensors["choice"][0])].judge(part("chosen", tensors), bags, bench)

    return Model(fit, judge)


def _inner(model: Model, settings: SelectSettings, bags: Bags, bench: Bench, seed: int) -> float:
    """Mean balanced accuracy over inner repeats."""
    found = []
    for repeat in range(settings.repeats):
        number = fold_numbers(bags, settings.folds, 1000 * seed + repeat)
        chance = np.full(len(bags), np.nan)
        for fold in range(settings.folds):
            inside, outside = np.flatnonzero(number != fold), np.flatnonzero(number == fold)
            chance[outside] = model.judge(model.fit(bags.at(inside), bench, seed), bags.at(outside), bench).chance
        found.append(balanced_accuracy(counted(chance, bags.target)))
    return float(np.mean(found))
