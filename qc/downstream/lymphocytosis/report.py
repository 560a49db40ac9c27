"""The report of the study. In: outcomes of arms and of filtering. Out: markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import LymphocytosisStudySettings, PooledSettings, TableSettings
from qc.downstream.compare import Statistic, changed, difference, figure
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.pooled import SUMMARIES, summaries
from qc.downstream.lymphocytosis.rates import RATES, balanced_of, counted, log_loss
from qc.downstream.lymphocytosis.study import Filtering, Line
from qc.downstream.lymphocytosis.validate import Outcome
from qc.downstream.tables import markdown, signed
from qc.figures.prose import paragraph
from qc.metrics.ranking import auroc

_LABELS = ("reactive", "tumoral")
_SINGLE = 10


@dataclass(frozen=True)
class Circumstances:
    """How the figures came about.

    Attributes:
        machine: Processor.
        images: Links to plots, one for each table.
    """

    machine: str
    images: Sequence[str]


def report_markdown(
    settings: LymphocytosisStudySettings,
    bags: Bags,
    tables: Sequence[Sequence[Line]],
    filterings: Sequence[Filtering],
    how: Circumstances,
) -> str:
    """The whole report."""
    sections = zip(settings.tables, tables, how.images, strict=True)
    return "\n".join(
        [
            "# Lymphocytosis: reactive or tumoral?\n",
            *_data(bags),
            *(_default(tables[0][0].outcome, settings) if tables[0][0].arm.model == PooledSettings() else []),
            *(line for table, lines, image in sections for line in _table(table, settings, lines, image)),
            *_single(bags, settings),
            *_filtering(filterings, settings),
            *(["## What follows\n"] if settings.notes else []),
            *(paragraph(note) for note in settings.notes),
            *_how(settings, tables, filterings, how),
        ]
    )


def mean_and_spread(values: NDArray[np.float64]) -> str:
    """`0.86 ± 0.01`; a single value has no spread.

    >>> mean_and_spread(np.array([0.5, 0.7])), mean_and_spread(np.array([0.5]))
    ('0.600 ± 0.141', '0.500')
    """
    if len(values) < 2:
        return f"{values.mean():.3f}"
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def repeats_of(outcome: Outcome, rate: str) -> NDArray[np.float64]:
    """A rate of each repeat, over all patients."""
    return np.array([RATES[rate](counted(column, outcome.target)) for column in outcome.chance.T])


def _data(bags: Bags) -> list[str]:
    counts, target = bags.counts, bags.target
    return [
        paragraph(
            f"{len(bags)} patients with lymphocytosis, {int(target.sum())} tumoral and {int((~target).sum())} "
            f"reactive, {counts.sum()} images of single blood cells of 112 px ({counts.min()} to {counts.max()} a "
            "patient), age, sex and lymphocyte count. The data carry no licence: they were measured with, and nothing "
            "that was trained on them is published."
        ),
        paragraph(
            "All figures are from cross-validations by patient, folds alike in label, age and count, repeated with "
            "other folds and seeds. In each repeat every patient is judged once by a model that never saw the patient; "
            "a rate is taken over all patients of a repeat, then mean and standard deviation over repeats. Tumoral is "
            "positive; a patient is called from a chance of 0.5 on; the log loss judges the chances "
            "themselves. One split of such a cohort says little: look how far the dots of one line lie apart."
        ),
    ]


def _default(outcome: Outcome, settings: LymphocytosisStudySettings) -> list[str]:
    found = figure(outcome.scores, balanced_of, settings.resamples)
    return [
        paragraph(
            f"**The default recipe reaches a balanced accuracy of {found.value:.3f}**, 95 % interval over patients "
            f"{found.low:.3f} to {found.high:.3f}, in {outcome.chance.shape[1]} repeats. Its settings were chosen on "
            "cross-validations of these patients; a line that chooses anew within "
            "each training part is free of that."
        )
    ]


def _table(table: TableSettings, settings: LymphocytosisStudySettings, lines: Sequence[Line], image: str) -> list[str]:
    theirs = any(line.arm.published for line in lines)
    folds = table.folds or settings.folds
    head = ["arm", f"repeats of {folds} folds", *RATES, "AUROC", "log loss", "minutes"]
    rows = [
        [
            line.arm.name,
            line.outcome.chance.shape[1],
            *(mean_and_spread(repeats_of(line.outcome, rate)) for rate in RATES),
            mean_and_spread(_of_repeats(line.outcome, auroc)),
            mean_and_spread(_of_repeats(line.outcome, lambda target, chance: log_loss(chance, target))),
            f"{line.outcome.seconds / 60:.1f}",
        ]
        for line in lines
    ]
    published = [[line.arm.name, *(_theirs(line, rate) for rate in RATES)] for line in lines if line.arm.published]
    return [
        f"## {table.title}\n",
        *([paragraph(table.text)] if table.text else []),
        markdown(head, rows),
        *(
            ["Published by others, on other splits of other patients:\n", markdown(["arm", *RATES], published)]
            if theirs
            else []
        ),
        *([paragraph(f"Source: {table.source}")] if table.source else []),
        f"![Balanced accuracy of each repeat]({image})\n",
    ]


def _single(bags: Bags, settings: LymphocytosisStudySettings) -> list[str]:
    """What cells alone say, one number at a time."""
    pooled, target = summaries(bags.kept(settings.quality)), bags.target
    known = ~np.isnan(pooled).any(axis=1)
    found = [(auroc(target[known], column[known]), name) for column, name in zip(pooled.T, SUMMARIES, strict=True)]
    first = sorted(found, key=lambda one: -abs(one[0] - 0.5))[:_SINGLE]
    rows = [[name.replace("_", " "), f"{value:.2f}", _LABELS[value > 0.5]] for value, name in first]
    return [
        "## What cells say one number at a time\n",
        paragraph(
            "AUROC of single means and deviations over a patient's cells, of all patients, nothing trained. Reactive "
            "lymphocytes differ from each other in colour, shape and place of the nucleus; those of a clone are alike, "
            "and their chromatin is coarser."
        ),
        markdown(["over a patient's cells", "AUROC", "larger in"], rows),
    ]


def _theirs(line: Line, rate: str) -> str:
    value = line.arm.published.get(rate)
    return "" if value is None else f"*{value:.3f}*"


def _of_repeats(
    outcome: Outcome, value: Callable[[NDArray[np.bool_], NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    return np.array([value(outcome.target, column) for column in outcome.chance.T])


def _filtering(filterings: Sequence[Filtering], settings: LymphocytosisStudySettings) -> list[str]:
    if not filterings:
        return []
    lines = [
        "## Raw against filtered cells\n",
        paragraph(
            "Images that are blurred, stained over, empty or show a clump are left out by sharpness, brightness of the "
            "glass, covered area and nucleus (see docs/downstream-lymphocytosis.md); labels play no part. The same is "
            "done again with a share of all cells spoilt on purpose: out of focus by a disc, under a blot of stain, or "
            "empty. The default recipe, the same folds in every arm; differences are paired by patient and bold where "
            "their 95 % interval leaves out 0."
        ),
        markdown(
            ["cells spoilt", "left out", "of the spoilt", "because", "filter", "balanced accuracy", "change"],
            [row for one in filterings for row in _filter_rows(one, settings)],
        ),
    ]
    for one in filterings:
        lines += [f"Patients whose call changed, {one.share:.0%} of cells spoilt, no filter against filter at both:\n"]
        lines += [_changed(one.arms[0], one.arms[-1])]
    return lines


def _filter_rows(one: Filtering, settings: LymphocytosisStudySettings) -> list[list[str]]:
    statistic: Statistic = balanced_of
    because = ", ".join(f"{count} {reason}" for reason, count in one.by_reason.items() if count) or "-"
    caught = "-" if one.spoilt_removed != one.spoilt_removed else f"{one.spoilt_removed:.0%}"
    rows = []
    for arm in one.arms:
        change = (
            ""
            if arm is one.arms[0]
            else signed(difference(one.arms[0].scores, arm.scores, statistic, settings.resamples))
        )
        found = mean_and_spread(repeats_of(arm, "balanced accuracy"))
        rows.append([f"{one.share:.0%}", f"{one.removed:.1%}", caught, because, arm.recipe.name, found, change])
    return rows


def _changed(before: Outcome, after: Outcome) -> str:
    table = changed(before.scores, after.scores)
    if table.empty:
        return "No patient's call changed.\n"
    rows = [
        [row["slide_id"], _LABELS[int(row["target"])], f"{row['before']:.2f}", f"{row['after']:.2f}", row["became"]]
        for row in table.to_dict("records")
    ]
    return markdown(["patient", "is", "no filter", "filtered", "became"], rows)


def _how(
    settings: LymphocytosisStudySettings,
    tables: Sequence[Sequence[Line]],
    filterings: Sequence[Filtering],
    how: Circumstances,
) -> list[str]:
    outcomes = [*(line.outcome for lines in tables for line in lines), *(arm for one in filterings for arm in one.arms)]
    models = sum(one.trainings for one in outcomes)
    minutes = sum(one.seconds for one in outcomes) / 60
    return [
        "## How this was made\n",
        "```sh\n" + "\n".join(settings.commands) + "\n```\n",
        paragraph(
            f"{how.machine}; {models} models were trained and tested in {minutes:.0f} minutes of wall time on a "
            "machine that did other work beside it. What stands in several lines was trained once."
        ),
    ]
