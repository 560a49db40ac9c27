"""All experiments of the report. In: settings and patients. Out: outcomes of arms, and of filtering."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qc.config.lymphocytosis import (
    ArmSettings,
    LymphocytosisStudySettings,
    PooledSettings,
    QualitySettings,
    TableSettings,
)
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cells import measure_all
from qc.downstream.lymphocytosis.cohort import Patient
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.quality import REASONS, reasons
from qc.downstream.lymphocytosis.spoil import spoilt
from qc.downstream.lymphocytosis.validate import Outcome, Recipe, validate

Done = Callable[[], None]
OFF = QualitySettings(is_on=False)


@dataclass(frozen=True)
class Line:
    """An arm and what came of it."""

    arm: ArmSettings
    outcome: Outcome


@dataclass(frozen=True)
class Filtering:
    """What leaving out spoilt cells changes.

    Attributes:
        share: Of cells spoilt on purpose.
        removed: Share of cells left out.
        spoilt_removed: Share of the spoilt cells that was left out; NaN when none was spoilt.
        by_reason: Number of cells left out for each reason.
        arms: No filter, at training, at inference, at both.
    """

    share: float
    removed: float
    spoilt_removed: float
    by_reason: dict[str, int]
    arms: tuple[Outcome, ...]


def read_bags(patients: Sequence[Patient], settings: LymphocytosisStudySettings, folder: Path, done: Done) -> Bags:
    """Patients with all their cells, measured once."""
    return Bags(tuple(patients), measure_all(patients, settings.cells, folder / "cells", done))


def run_table(
    table: TableSettings, settings: LymphocytosisStudySettings, bags: Bags, folder: Path, done: Done
) -> list[Line]:
    """Outcomes of a table's arms; folds that are done are not done again."""
    bench, folds = Bench(folder, settings.cells), table.folds or settings.folds
    recipes = [Recipe(arm.name, arm.model, settings.quality) for arm in table.arms]
    return [
        Line(arm, validate(recipe, bags, bench, folds, arm.repeats, done))
        for arm, recipe in zip(table.arms, recipes, strict=True)
    ]


def run_filtering(
    settings: LymphocytosisStudySettings, patients: Sequence[Patient], share: float, folder: Path, done: Done
) -> Filtering:
    """The default model on raw and on filtered cells, of which a share is spoilt."""
    own = spoilt(patients, share, folder / "spoilt")
    bags = read_bags(own, settings, folder, lambda: None)
    bench, on = Bench(folder, settings.cells), replace_on(settings.quality)
    recipes = (
        Recipe("no filter", PooledSettings(), OFF),
        Recipe("at training", PooledSettings(), on, OFF),
        Recipe("at inference", PooledSettings(), OFF, on),
        Recipe("at both", PooledSettings(), on),
    )
    arms = tuple(validate(one, bags, bench, settings.folds, settings.compare_repeats, done) for one in recipes)
    why = np.array([reason for cells in bags.cells for reason in reasons(cells.quality, on)])
    is_spoilt = np.array([folder / "spoilt" in path.parents for cells in bags.cells for path in cells.files])
    caught = float((why[is_spoilt] != "").mean()) if is_spoilt.any() else float("nan")
    by_reason = {reason: int((why == reason).sum()) for reason in REASONS}
    return Filtering(share, float((why != "").mean()), caught, by_reason, arms)


def replace_on(quality: QualitySettings) -> QualitySettings:
    """The same limits, in force."""
    return quality.model_copy(update={"is_on": True})


def fold_count(settings: LymphocytosisStudySettings) -> int:
    """Folds asked for, for a progress bar."""
    arms = sum((table.folds or settings.folds) * arm.repeats for table in settings.tables for arm in table.arms)
    return arms + settings.folds * 4 * len(settings.spoilt_shares) * settings.compare_repeats
