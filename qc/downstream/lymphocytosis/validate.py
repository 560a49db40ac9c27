"""Repeated cross-validation by patient. In: a recipe and bags. Out: a chance for each patient and repeat."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import ModelSettings, QualitySettings
from qc.downstream.compare import Scores
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.folds import fold_numbers
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.registry import model_of
from qc.errors import SettingsError
from qc.files import write_text

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """What is trained, and on which cells.

    Attributes:
        name: For tables.
        model: The model.
        quality: Cells left out at training.
        tested_quality: Cells left out at testing; None leaves out the same.
    """

    name: str
    model: ModelSettings
    quality: QualitySettings
    tested_quality: QualitySettings | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a recipe.

    Attributes:
        recipe: Which.
        patients: (P,) names.
        target: (P,) True for tumoral.
        chance: (P, R) of tumoral, each said by a model that did not see the patient.
        seconds: Wall time of all folds of all repeats.
        trainings: How many models were trained.
    """

    recipe: Recipe
    patients: tuple[str, ...]
    target: NDArray[np.bool_]
    chance: Float
    seconds: float
    trainings: int

    @property
    def scores(self) -> Scores:
        """For `qc.downstream.compare`: a patient is a slide, a repeat a training."""
        right = np.where(self.target[:, None], self.chance, 1 - self.chance)
        return Scores(self.patients, self.patients, self.target, self.chance, right)


@dataclass(frozen=True)
class Part:
    """What one model learns from, and who it is tested on.

    Raises:
        SettingsError: If a patient is in both, or a label is missing in training.
    """

    train: Bags
    test: Bags

    def __post_init__(self) -> None:
        both = {one.name for one in self.train.patients} & {one.name for one in self.test.patients}
        if both:
            raise SettingsError(f"patient {min(both)} is in training and test", "split by patient")
        if len(set(self.train.target.tolist())) < 2:
            raise SettingsError("a training part does not hold both labels", "use fewer folds, or more patients")


def parts(bags: Bags, folds: int, seed: int) -> list[tuple[NDArray[np.intp], Part]]:
    """Rows tested on and the part, for each fold."""
    number = fold_numbers(bags, folds, seed)
    rows = [np.flatnonzero(number == fold) for fold in range(folds)]
    return [(test, Part(bags.at(np.setdiff1d(np.arange(len(bags)), test)), bags.at(test))) for test in rows]


def validate(
    recipe: Recipe, bags: Bags, bench: Bench, folds: int, repeats: int, done: Callable[[], None] = lambda: None
) -> Outcome:
    """Train and test a recipe on every fold of every repeat.

    Args:
        recipe: Which.
        bags: Patients with labels and all their cells.
        bench: What lies in its folder is not trained again; without a pool of its own, auto-encoders learn from the
            cells, never the labels, of all patients.
        folds: Of a repeat.
        repeats: Seeds 1, 2, ...: they decide folds, first weights and draws.
        done: Called after each fold.
    """
    shared = bench if bench.pool else replace(bench, pool=bags.kept(recipe.quality))
    chance, seconds = np.full((len(bags), repeats), np.nan), 0.0
    for repeat in range(repeats):
        for rows, part in parts(bags, folds, repeat + 1):
            said, took = _fold(recipe, part, shared, repeat + 1)
            chance[rows, repeat] = said
            seconds += took
            done()
    return Outcome(recipe, tuple(one.name for one in bags.patients), bags.target, chance, seconds, folds * repeats)


def _fold(recipe: Recipe, part: Part, bench: Bench, seed: int) -> tuple[Float, float]:
    train, test = part.train.kept(recipe.quality), part.test.kept(recipe.tested_quality or recipe.quality)
    what = [recipe.model.model_dump(mode="json"), bench.cells.model_dump(mode="json"), train.digest, test.digest, seed]
    what.append(bench.pool.digest if bench.pool else "")
    file = bench.folder / "folds" / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]}.json"
    if not file.is_file():
        began = time.monotonic()
        model = model_of(recipe.model)
        chance = model.judge(model.fit(train, bench, seed), test, bench).chance
        kept = {"recipe": recipe.name, "seed": seed, "seconds": time.monotonic() - began, "chance": chance.tolist()}
        write_text(file, json.dumps(kept) + "\n")
    kept = json.loads(Path(file).read_text(encoding="utf-8"))
    return np.array(kept["chance"], np.float64), float(kept["seconds"])
