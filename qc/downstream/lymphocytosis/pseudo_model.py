"""The pseudo-label recipe as a model. In: bags. Out: arrays; chances from counted cells, lymphocyte count and age."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import PseudoLabelSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.boosting import boosted_chances, fit_boosting
from qc.downstream.lymphocytosis.cells import measure_all
from qc.downstream.lymphocytosis.cohort import IMAGE_SUFFIXES, Patient
from qc.downstream.lymphocytosis.features import features_of, fit_features
from qc.downstream.lymphocytosis.learners import Learner, NetworkLearner, RegressionLearner
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.pseudo_labels import CALLED_FROM, find_cells, match_colours
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed
from qc.errors import SettingsError

Float = NDArray[np.float64]
Rows = NDArray[np.intp]

_START_NAMES = ("/start-0", "/start-1")  # no patient is called so


def pseudo_label_model(settings: PseudoLabelSettings) -> Model:
    """The model of these settings."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        start = _start_bags(settings, bench)
        everything = Bags(bags.patients + start.patients, bags.cells + start.cells)
        found = _representation(settings, bags, start, bench, seed)
        learner = _learner(settings, part("seen", found), everything, bench, seed)
        place = _Places.of(bags, start)
        rng = np.random.default_rng(seed)
        first = place.start(settings, rng)
        chosen = find_cells(
            lambda rows, labels: learner.chance(learner.learn(rows, labels)),
            first,
            np.setdiff1d(place.tumoral, first[0]),
            np.setdiff1d(place.reactive, first[0]),
            settings,
            rng,
        )
        rows, labels = first if not len(chosen.malignant) else chosen.labelled
        last = learner.learn(rows, labels)
        own = _split(learner.chance(last), everything)[: len(bags)]
        found |= prefixed("learner", last)
        return found | prefixed("boosting", fit_boosting(_table(own, bags), bags.target, settings.boosting, seed))

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        learner = _learner(settings, part("seen", tensors), bags, bench, 0)
        own = _split(learner.chance(part("learner", tensors)), bags)
        chance = boosted_chances(part("boosting", tensors), _table(own, bags))
        return Judged(chance, tuple(own), "chance that the cell is malignant")

    return Model(fit, judge)


@dataclass(frozen=True)
class _Places:
    """Rows of cells of reactive and of tumoral patients, and of cells that are labelled themselves."""

    reactive: Rows
    tumoral: Rows
    healthy_start: Rows
    malignant_start: Rows

    @classmethod
    def of(cls, bags: Bags, start: Bags) -> "_Places":
        owner = np.repeat(np.arange(len(bags) + len(start)), np.concatenate([bags.counts, start.counts]))
        is_tumoral = np.concatenate([bags.target, start.target]) if len(start) else bags.target
        own, malignant = owner < len(bags), is_tumoral[owner]
        groups = (own & ~malignant, own & malignant, ~own & ~malignant, ~own & malignant)
        return cls(*(np.flatnonzero(group) for group in groups))

    def start(self, settings: PseudoLabelSettings, rng: np.random.Generator) -> tuple[Rows, NDArray[np.bool_]]:
        """Labelled rows to begin with: those of the folder, or a draw from patients with their labels."""
        healthy, malignant = self.healthy_start, self.malignant_start
        if not len(malignant):
            healthy, malignant = (
                np.sort(rng.permutation(rows)[: settings.start_cells]) for rows in (self.reactive, self.tumoral)
            )
        return np.concatenate([healthy, malignant]), np.repeat([False, True], [len(healthy), len(malignant)])


def _start_bags(settings: PseudoLabelSettings, bench: Bench) -> Bags:
    """Cells of the start's folder as two bags, healthy and malignant; none without a folder."""
    if settings.start_folder is None:
        return Bags((), ())
    home, missing = Path(settings.start_folder), (np.nan, np.nan, np.nan)
    files = {
        label: tuple(sorted(one for one in (home / str(label)).glob("*") if one.suffix.lower() in IMAGE_SUFFIXES))
        for label in (0, 1)
    }
    for label, found in files.items():
        if not found:
            raise SettingsError(f"{home / str(label)} holds no image", "put labelled cells into folders 0 and 1")
    patients = tuple(Patient(_START_NAMES[label], label, missing, found) for label, found in files.items())
    return Bags(patients, measure_all(patients, bench.cells, bench.folder / "cells", lambda: None))


def _representation(settings: PseudoLabelSettings, bags: Bags, start: Bags, bench: Bench, seed: int) -> Tensors:
    """What is needed to show cells to the learner."""
    if settings.learner == "logistic":
        return prefixed("seen", fit_features(bags, settings.features, bench, seed))
    if not (settings.matches_colours and len(start)):
        return {}
    wanted, own = (_colours(_pixels(settings, one, bench)) for one in (start, bags))
    names = ("mean", "deviation", "own_mean", "own_deviation")
    return prefixed("seen", dict(zip(names, (*wanted, *own), strict=True)))


def _learner(settings: PseudoLabelSettings, seen: Tensors, bags: Bags, bench: Bench, seed: int) -> Learner:
    if settings.learner == "logistic":
        return RegressionLearner(np.concatenate(features_of(seen, settings.features, bags, bench)))
    pixels = _pixels(settings, bags, bench)
    if seen:
        is_start = np.repeat([one.name in _START_NAMES for one in bags.patients], bags.counts)
        own = seen["own_mean"].astype(np.float64), seen["own_deviation"].astype(np.float64)
        matched = match_colours(pixels, seen["mean"].astype(float), seen["deviation"].astype(float), own)
        pixels = np.where(is_start[:, None, None, None], pixels, matched)
    return NetworkLearner(pixels, settings, bench.folder, seed)


def _pixels(settings: PseudoLabelSettings, bags: Bags, bench: Bench) -> NDArray[np.uint8]:
    reader = Pixels(settings.pixels, bench.cells, bench.folder / "pixels")
    return np.concatenate([reader.of(cells) for cells in bags.cells])


def _colours(pixels: NDArray[np.uint8]) -> tuple[Float, Float]:
    flat = pixels.reshape(-1, 3)
    return flat.mean(axis=0, dtype=np.float64), flat.std(axis=0, dtype=np.float64)


def _split(chance: Float, bags: Bags) -> list[Float]:
    return np.split(chance, np.cumsum(bags.counts)[:-1])


def _table(own: list[Float], bags: Bags) -> Float:
    """(P, 4): cells called healthy, cells called malignant, lymphocyte count, age."""
    counts = [[int((one < CALLED_FROM).sum()), int((one >= CALLED_FROM).sum())] for one in own]
    return np.column_stack([np.array(counts, np.float64).reshape(-1, 2), bags.clinical[:, :2]])
