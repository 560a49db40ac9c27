"""MI-SVM on features of cells, alone or with gradient boosting after it. In: bags. Out: arrays; chances."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from qc.config.lymphocytosis import BoostedSettings, MiSvmSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.boosting import boosted_chances, boosting_table, fit_boosting
from qc.downstream.lymphocytosis.features import features_of, fewer_negatives, fit_features
from qc.downstream.lymphocytosis.folds import of_others
from qc.downstream.lymphocytosis.mi_svm import fit_mi_svm
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed

Float = NDArray[np.float64]


def mi_svm_model(settings: MiSvmSettings) -> Model:
    """The model of these settings."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        found = prefixed("features", fit_features(bags, settings.features, bench, seed))
        vectors = features_of(part("features", found), settings.features, bags, bench)
        found |= prefixed("svm", _svm(vectors, bags.target, settings, seed))
        if settings.boosting:
            rates = _rates(vectors, bags, settings, seed, found)
            table = boosting_table(rates, bags)
            found |= prefixed("boosting", fit_boosting(table, bags.target, settings.boosting, seed))
        return found

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        vectors = features_of(part("features", tensors), settings.features, bags, bench)
        margins = _margins(part("svm", tensors), vectors)
        if settings.boosting:
            table = boosting_table(_positive_rate(margins), bags)
            chance = boosted_chances(part("boosting", tensors), table)
        else:
            chance = expit(np.array([own.max() if len(own) else 0.0 for own in margins]))
        return Judged(chance, tuple(margins), "distance to the plane, in margins; above 0 is tumoral")

    return Model(fit, judge)


def boosted_model(settings: BoostedSettings) -> Model:
    """Gradient boosting on count and age, for comparison."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:  # noqa: ARG001
        return fit_boosting(bags.clinical[:, :2], bags.target, settings.boosting, seed)

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:  # noqa: ARG001
        weights = tuple(np.zeros(count) for count in bags.counts)
        return Judged(boosted_chances(tensors, bags.clinical[:, :2]), weights, "cells are not looked at")

    return Model(fit, judge)


def _svm(vectors: list[Float], target: NDArray[np.bool_], settings: MiSvmSettings, seed: int) -> Tensors:
    fewer = fewer_negatives(vectors, target, settings.negative_cells_max, seed)
    plane = fit_mi_svm(fewer, target, settings.c, settings.rounds_max)
    return {"weight": plane.weight, "bias": np.array([plane.bias])}


def _margins(plane: Tensors, vectors: list[Float]) -> list[Float]:
    return [own @ plane["weight"] + plane["bias"][0] for own in vectors]


def _positive_rate(margins: list[Float]) -> Float:
    """(P,) share of cells on the tumoral side; NaN without cells."""
    return np.array([float((own > 0).mean()) if len(own) else np.nan for own in margins])


def _rates(vectors: list[Float], bags: Bags, settings: MiSvmSettings, seed: int, found: Tensors) -> Float:
    """Shares that boosting learns from: of the machine itself, or of machines that did not see the patient."""
    if not settings.inner_folds:
        return _positive_rate(_margins(part("svm", found), vectors))

    def judge(inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Float:
        plane = _svm([vectors[i] for i in inside], bags.target[inside], settings, seed)
        return _positive_rate(_margins(plane, [vectors[i] for i in outside]))

    return of_others(bags, settings.inner_folds, seed, judge)
