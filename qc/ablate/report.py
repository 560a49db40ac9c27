"""The report of an ablation. In: runs of one experiment. Out: markdown, and the figure as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from textwrap import fill

import numpy as np

from qc.ablate.chart import Row, interval_chart
from qc.ablate.claims import Change, Claim, changes, claims
from qc.ablate.design import NO_NOISE, Factor, Point, base_point
from qc.ablate.measure import (
    TNR,
    Measure,
    Units,
    Value,
    auroc_of_cells,
    auroc_of_real_tiles,
    measured,
    measures,
    tnr,
    tpr,
    tpr_at_tnr,
    units_of,
)
from qc.ablate.run import Experiment, Result
from qc.ablate.tally import HALF
from qc.figures.table import table
from qc.labels import ARTEFACTS

CHART = "runs.svg"
_COMPARED: Mapping[str, Measure] = {
    "TPR": tpr,
    "TNR": tnr,
    "AUROC": auroc_of_cells,
    f"TPR at TNR {TNR:g}": tpr_at_tnr,
    "AUROC, real tiles": auroc_of_real_tiles,
}
_CHARTED = ("TPR", "TNR", "AUROC", "AUROC, real tiles")
_TITLES: Mapping[Factor, str] = {
    "sampling": "artefact tiles in a batch",
    "output": "output",
    "mpp": "resolution",
    "network": "network",
    "seed": "another seed",
    "noise": "label noise",
}


def figures_of(results: Sequence[Result], experiment: Experiment) -> dict[Point, dict[str, Value]]:
    """Every measure of every run."""
    chosen = measures(experiment.training.operating.prevalence)
    repeats = experiment.settings.test.repeats
    return {
        one.point: {name: measured(units_of(one.tallies), measure, repeats) for name, measure in chosen.items()}
        for one in results
    }


def chart(figures: Mapping[Point, Mapping[str, Value]], base: Point) -> str:
    """All runs, those that vary one choice under its name."""
    rows = [Row("base point"), Row(_short(base), [figures[base][name] for name in _CHARTED])]
    for factor, title in _TITLES.items():
        group = [point for point in figures if _differs_in(point, base) == [factor]]
        if group:
            rows.append(Row(title))
            rows += [Row(point.shown(factor), [figures[point][name] for name in _CHARTED]) for point in group]
    others = [point for point in figures if len(_differs_in(point, base)) > 1]
    if others:
        rows.append(Row("other combinations"))
        rows += [Row(_short(point), [figures[point][name] for name in _CHARTED]) for point in others]
    return interval_chart("Runs with 95 % intervals over slides", _CHARTED, rows)


def ablation_markdown(
    results: Sequence[Result],
    figures: Mapping[Point, Mapping[str, Value]],
    experiment: Experiment,
    command: str,
    images: str,
) -> str:
    """The report.

    Args:
        results: All runs.
        figures: Of `figures_of`.
        experiment: What the runs share.
        command: That made them.
        images: Folder of the figure, as the report names it.
    """
    base, repeats = base_point(experiment.settings), experiment.settings.test.repeats
    runs: dict[Point, Units] = {one.point: units_of(one.tallies) for one in results}
    lines = [
        *_head(results, experiment, command),
        *_run_lines(figures, experiment.training.operating.prevalence),
        f"\n![Runs]({images}/{CHART})",
        *_class_lines(results),
        *_change_lines(changes(runs, base, _COMPARED, repeats)),
        *_claim_lines(claims(runs, base, repeats)),
        *_limit_lines(),
    ]
    return "\n".join(lines) + "\n"


def _head(results: Sequence[Result], experiment: Experiment, command: str) -> Iterator[str]:
    settings, bank, test = experiment.settings, experiment.bank, experiment.settings.test
    slides = [one.slide for one in results[0].tallies]
    trained = len({bank.refs[index].slide for index in experiment.tiles.train})
    composed = sum(bank.refs[index].is_composed for index in experiment.tiles.test)
    clean = len(experiment.tiles.test) - composed
    real = [bool(bank.refs[index].classes) for index in experiment.tiles.real]
    sizes = dict.fromkeys((one.point.network, one.parameters) for one in results)
    varied = "one choice changed" if settings.design == "one-at-a-time" else "all combinations of choices"
    networks = ", ".join(f"{name} ({size / 1e6:.2f} million parameters)" for name, size in sizes)
    yield "# What goes around the network\n"
    yield f"`{command}`\n"
    if settings.note:
        yield _paragraph(settings.note)
    yield _paragraph(
        f"One training, repeated with {varied}. Each of {len(results)} runs takes {settings.epochs * settings.batches}",
        f"steps of {settings.batch_tiles} tiles from {trained} slides, too little for a good network; what counts is",
        f"the difference between runs. Tiles are {_side_um(experiment):g} um wide. Runs of one seed start from equal",
        f"weights. Networks: {networks}.",
    )
    yield _paragraph(
        f"Judged on {len(slides)} slides of other patients ({', '.join(slides)}): {clean} clean tiles and {composed}",
        f"with composed artefacts. Cells of {test.cell_um:g} um are counted where tissue is known; a cell is",
        f"an artefact when half of its tissue is. Besides, {sum(real)} tiles with a real artefact somewhere and",
        f"{len(real) - sum(real)} without. Nothing was chosen on these slides. Intervals are 95 %, by bootstrap over",
        "slides.",
    )


def _paragraph(*parts: str) -> str:
    return fill(" ".join(parts), 120, break_long_words=False, break_on_hyphens=False) + "\n"


def _side_um(experiment: Experiment) -> float:
    return experiment.bank.mpp * experiment.bank.read(0, ARTEFACTS[0], 0).rgb.shape[0]


def _run_lines(figures: Mapping[Point, Mapping[str, Value]], prevalence: float) -> Iterator[str]:
    names = list(next(iter(figures.values())))
    yield "## Runs\n"
    yield _paragraph(
        "An artefact is called where its probability is at least 0.5, uncorrected, as networks come out of training.",
        f"PPV, NPV and accuracy are those at a prevalence of {100 * prevalence:g} % of tissue. TPR at equal TNR is at",
        f"the threshold that leaves {100 * TNR:g} % of the other slides' clean cells uncalled. Real tiles are scored",
        "by the mean of their highest twentieth of cells.",
    )
    rows = []
    for point, values in figures.items():
        choices = (point.shown("sampling"), point.output, f"{point.mpp:g}", point.network, point.seed)
        noise = "" if point.noise == NO_NOISE else point.noise
        rows.append([*choices, noise, *(_shown(values[name]) for name in names)])
    yield from table(["sampling", "output", "mpp", "network", "seed", "noise", *names], rows)


def _class_lines(results: Sequence[Result]) -> Iterator[str]:
    yield "\n## TPR of each class at 0.5\n"
    rows = []
    for result in results:
        cells = [np.sum([tally.cells[one] for tally in result.tallies], axis=0) for one in ARTEFACTS]
        rates = (f"{one[HALF:].sum() / one.sum():.3f}" if one.sum() else "-" for one in cells)
        rows.append([_short(result.point), *rates])
    yield from table(["run", *(one.label for one in ARTEFACTS)], rows)


def _change_lines(found: Sequence[Change]) -> Iterator[str]:
    yield "\n## What each choice changes\n"
    yield _paragraph(
        "The other level minus that of the base point, all else equal, on the same slides. What another seed changes",
        "is chance: a difference no larger than that says nothing.",
    )
    rows = [
        [_TITLES[one.factor], one.before, one.after, *(_shown(one.values[name], signed=True) for name in _COMPARED)]
        for one in found
    ]
    yield from table(["choice", "from", "to", *_COMPARED], rows)


def _claim_lines(found: Sequence[Claim]) -> Iterator[str]:
    yield "\n## What was found before\n"
    yield _paragraph(
        "Foucart et al. 2018 (doi:10.1109/CloudTech.2018.8713350) found that details of the network hardly mattered,",
        "while balance and the kind of output did. A claim is confirmed when all of its figure's interval is above",
        "zero, refuted when all of it is below. The effect of a choice is the change of the TPR plus that of the TNR,",
        "without signs.",
    )
    rows = [
        [one.sentence, one.figure, _shown(one.value, signed=True) if one.value else "-", f"**{one.verdict}**"]
        for one in found
    ]
    yield from table(["claim", "figure", "value", "here"], rows)


def _limit_lines() -> Iterator[str]:
    yield "\n## Limits\n"
    yield "- Artefacts that are trained on and counted by cell are composed, so that their borders are known; real ones"
    yield "  count by tile only, in the last column."
    yield "- Intervals hold what differs between slides, not between trainings; a run with another seed hints at that."
    yield "- Coarser networks see the same tissue, not more of it. Equal steps favour networks that learn fast."
    yield "- An artefact tile need not be all artefact: in cells, artefacts are rarer than the share of a batch says."


def _differs_in(point: Point, base: Point) -> list[Factor]:
    return [factor for factor in _TITLES if getattr(point, factor) != getattr(base, factor)]


def _short(point: Point) -> str:
    parts = [point.shown("sampling"), point.output, point.shown("mpp"), point.network, f"seed {point.seed}"]
    return ", ".join([*parts, *([point.noise] if point.noise != NO_NOISE else [])])


def _shown(value: Value, signed: bool = False) -> str:
    def number(one: float) -> str:
        return "-" if isnan(one) else f"{one:+.3f}" if signed else f"{one:.3f}"

    if isnan(value.value):
        return "-"
    return f"{number(value.value)} ({number(value.low)} to {number(value.high)})"
