"""Patients by the share of cells that no reactive patient has. In: bags. Out: arrays; chances.

All cells of a reactive patient are reactive; a tumoral patient has some that are not. So a machine learns reactive
cells alone, and others are outliers. Patients that it learns from would have fewer of them than patients it has not
seen: shares to learn a border, or trees, from come from machines of other patients.
"""

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import OneClassSvmSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.boosting import boosted_chances, boosting_table, fit_boosting
from qc.downstream.lymphocytosis.features import features_of, fewer_negatives, fit_features
from qc.downstream.lymphocytosis.folds import of_others
from qc.downstream.lymphocytosis.linear import chances, fit_logistic
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.one_class import fit_one_class, one_class_margins
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed

Float = NDArray[np.float64]

_STRENGTH = 100.0  # one value: the regression is to find its border, not to be cautious


def one_class_svm_model(settings: OneClassSvmSettings) -> Model:
    """The model of these settings."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        found = prefixed("features", fit_features(bags, settings.features, bench, seed))
        vectors, target = features_of(part("features", found), settings.features, bags, bench), bags.target

        def judge_others(inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Float:
            machine = _machine([vectors[i] for i in inside], target[inside], settings, seed)
            return outlier_shares([one_class_margins(machine, vectors[i]) for i in outside])

        shares = of_others(bags, settings.inner_folds, seed, judge_others)
        found |= prefixed("machine", _machine(vectors, target, settings, seed))
        if settings.boosting:
            return found | prefixed("last", fit_boosting(boosting_table(shares, bags), target, settings.boosting, seed))
        return found | prefixed("last", fit_logistic(shares[:, None], target, _STRENGTH))

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        vectors = features_of(part("features", tensors), settings.features, bags, bench)
        margins = [one_class_margins(part("machine", tensors), own) for own in vectors]
        shares, last = outlier_shares(margins), part("last", tensors)
        chance = (
            boosted_chances(last, boosting_table(shares, bags)) if settings.boosting else chances(last, shares[:, None])
        )
        return Judged(
            chance, tuple(-own for own in margins), "how far the cell is from reactive ones; above 0 is outside"
        )

    return Model(fit, judge)


def outlier_shares(margins: list[Float]) -> Float:
    """(P,) share of cells with a margin below 0; NaN without cells."""
    return np.array([float((own < 0).mean()) if len(own) else np.nan for own in margins])


def _machine(vectors: list[Float], target: NDArray[np.bool_], settings: OneClassSvmSettings, seed: int) -> Tensors:
    fewer = fewer_negatives(vectors, target, settings.negative_cells_max, seed)
    return fit_one_class(np.concatenate([fewer[i] for i in np.flatnonzero(~target)]), settings.nu)
