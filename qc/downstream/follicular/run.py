"""The follicular task on one's own manifest. In: a manifest. Out: a folder with scores, a report and pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from qc.config.downstream import DownstreamSettings
from qc.downstream.arms import Arm, Outcome
from qc.downstream.cases import tested_of_split
from qc.downstream.experiment import Experiment, prepare
from qc.downstream.follicular.arms import filter_arms, follicular_arms
from qc.downstream.follicular.pictures import write_pictures
from qc.downstream.tables import arm_table, changed_table, difference_table
from qc.files import replacing, write_text
from qc.manifest import read_manifest


def run_follicular(
    manifest: Path, settings: DownstreamSettings, folder: Path, trained: Callable[[], None]
) -> list[Path]:
    """The four arms: `report.md`, `slides.csv`, `tiles.png` and `slides.png` in `folder`."""
    experiment = _prepared(manifest, settings, folder, trained)
    arms = follicular_arms(settings.classifier)
    outcomes = [experiment.bench.outcome(arm) for arm in arms]
    pictures = write_pictures(experiment.bench, arms[-1], experiment.bench.parts[0], _labels(settings), folder)
    text = _report("Follicular lymphoma against hyperplasia", experiment, outcomes, outcomes[-2], settings)
    return [*_written(folder, text, outcomes), *pictures]


def run_compare(manifest: Path, settings: DownstreamSettings, folder: Path, trained: Callable[[], None]) -> list[Path]:
    """The filter nowhere, at training, at inference and at both: `report.md` and `slides.csv` in `folder`."""
    experiment = _prepared(manifest, settings, folder, trained)
    outcomes = [experiment.bench.outcome(arm) for arm in filter_arms(settings.classifier)]
    text = _report("What the quality filter changes", experiment, outcomes, outcomes[0], settings)
    return _written(folder, text, outcomes)


def asked_trainings(manifest: Path, settings: DownstreamSettings, arms: Sequence[Arm]) -> int:
    """How often a network is asked for."""
    tested = tested_of_split(read_manifest(manifest).tiles["split"], settings.compare)
    return len(arms) * len(settings.compare.seeds) * max(1, settings.compare.folds, len(tested))


def _prepared(manifest: Path, settings: DownstreamSettings, folder: Path, trained: Callable[[], None]) -> Experiment:
    return prepare(manifest, settings.classifier, settings.compare, folder, trained)


def _report(
    title: str, experiment: Experiment, outcomes: Sequence[Outcome], before: Outcome, settings: DownstreamSettings
) -> str:
    repeats = settings.compare.repeats
    tested = sum(len(set(part.test["slide_id"])) for part in experiment.bench.parts)
    return "\n".join(
        [
            f"# {title}\n",
            f"{len(experiment.tiles)} tiles, of which the filter removes {experiment.removed_share:.0%}; {tested} "
            f"slides tested, {len(settings.compare.seeds)} trainings an arm. Intervals are 95 % over patients. A slide "
            "without a tile is not scored and counts as not right.\n",
            arm_table(outcomes, repeats),
            difference_table(outcomes[0], outcomes[1:], repeats),
            f"Slides whose call changed from {before.arm.name} to {outcomes[-1].arm.name}:\n",
            changed_table(before, outcomes[-1], _labels(settings)),
        ]
    )


def _written(folder: Path, text: str, outcomes: Sequence[Outcome]) -> list[Path]:
    write_text(folder / "report.md", text)
    with replacing(folder / "slides.csv") as partial:
        pd.concat([_scores(one) for one in outcomes], ignore_index=True).to_csv(partial, index=False)
    return [folder / "report.md", folder / "slides.csv"]


def _scores(one: Outcome) -> pd.DataFrame:
    scores = one.scores
    means = scores.score.mean(axis=1)
    return pd.DataFrame(
        {
            "arm": one.arm.name,
            "slide_id": scores.slides,
            "patient": scores.people,
            "target": scores.target,
            "score": means,
        }
    )


def _labels(settings: DownstreamSettings) -> tuple[str, str]:
    return settings.classifier.negative, settings.classifier.positive
