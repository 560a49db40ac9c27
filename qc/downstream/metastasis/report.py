"""The report of the metastasis task. In: an outcome of each way to use the filter. Out: markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qc.config.metastasis import MetastasisSettings, ModelName
from qc.downstream.metastasis.froc import RATES, froc
from qc.downstream.metastasis.outcome import STATISTICS, Outcome, Patient, difference, figure, froc_score
from qc.downstream.metastasis.slide_models import NAMES
from qc.downstream.metastasis.stages import NodeLabel, PNStage
from qc.downstream.tables import markdown, signed
from qc.figures.prose import paragraph, picture, typed

_SIZES = {"itc": "isolated tumour cells", "micro": "micrometastasis", "macro": "macrometastasis"}


@dataclass(frozen=True)
class Circumstances:
    """How the figures came about.

    Attributes:
        title: Of the report.
        data: What the slides are, in a sentence or two.
        machine: Processor and precision.
        trainings: How many networks were trained.
        minutes: Wall time of these trainings together.
        trained_on: Slides and tiles that trained the network, in words.
        images: Links to pictures with what they show.
        commands: What was typed.
        notes: What a reader must know besides.
    """

    title: str
    data: str
    machine: str
    trainings: int
    minutes: float
    trained_on: str
    images: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()
    notes: Sequence[str] = ()


def task_markdown(
    outcomes: Sequence[Outcome], losses: pd.DataFrame | None, settings: MetastasisSettings, how: Circumstances
) -> str:
    """The whole report.

    Args:
        outcomes: One for each way, that without the filter first.
        losses: What the filter took from each lesion, where it was measured (`qc filter --lesions`).
        settings: Of the task.
        how: Circumstances.
    """
    chosen, repeats = settings.slides.chosen, settings.repeats
    is_labelled = any(one.stage for one in outcomes[0].patients(chosen))
    return "\n".join(
        [
            f"# {how.title}\n",
            paragraph(how.data),
            *([paragraph(note) for note in how.notes]),
            *(_labelled_lines(outcomes, settings) if is_labelled else _unlabelled(outcomes[-1], chosen)),
            *(_froc_lines(outcomes, chosen, repeats) if outcomes[0].hits else []),
            *(_loss_lines(losses) if losses is not None and len(losses) else []),
            *(picture(link, text) for link, text in how.images),
            *_how(settings, how),
        ]
    )


def _labelled_lines(outcomes: Sequence[Outcome], settings: MetastasisSettings) -> list[str]:
    chosen, repeats = settings.slides.chosen, settings.repeats
    first, last = outcomes[0].patients(chosen), outcomes[-1].patients(chosen)
    return [
        f"## Stages of patients\n\nNode labels by the {NAMES[chosen]}, which was named before anything was run.\n",
        _way_table(outcomes, chosen, repeats),
        paragraph(
            "Intervals are 95 % over patients. A patient of whom a node has no heat map is not staged: kappa leaves "
            "such patients out, shares count them as not right."
        ),
        "What the filter changes against none, patients drawn for both at once:\n",
        _gains(outcomes, chosen, repeats),
        f"## Five models of slides\n\nKappa of stages, and of node labels:\n\n{_model_table(outcomes, settings)}",
        f"## What is taken for what\n\nNodes, {outcomes[0].way.name}; rows are the truth:\n\n{_nodes(first)}",
        f"Nodes, {outcomes[-1].way.name}:\n\n{_nodes(last)}",
        f"Patients, {outcomes[0].way.name}:\n\n{_stages(first)}",
        f"Patients, {outcomes[-1].way.name}:\n\n{_stages(last)}",
        f"Patients whose stage changed with the filter {outcomes[-1].way.name}:\n\n{_changed(first, last)}",
    ]


def _unlabelled(outcome: Outcome, chosen: ModelName) -> list[str]:
    rows = [
        [one.name, _name(one.found_stage), ", ".join(str(x or "-") for x in one.found)]
        for one in outcome.patients(chosen)
    ]
    return [f"## Stages of patients\n\n{markdown(['patient', 'stage', 'nodes'], rows)}"]


def _way_table(outcomes: Sequence[Outcome], chosen: ModelName, repeats: int) -> str:
    rows = []
    for one in outcomes:
        patients = one.patients(chosen)
        staged = sum(p.found_stage is not None for p in patients)
        figures = [str(figure(patients, statistic, repeats)) for statistic in STATISTICS.values()]
        rows.append([one.way.name, f"{staged} of {len(patients)}", len(one.tiles), *figures])
    return markdown(["filter", "patients staged", "tiles", *STATISTICS], rows)


def _gains(outcomes: Sequence[Outcome], chosen: ModelName, repeats: int) -> str:
    before = outcomes[0].patients(chosen)
    rows = [
        [one.way.name, *(signed(difference(before, one.patients(chosen), f, repeats)) for f in STATISTICS.values())]
        for one in outcomes[1:]
    ]
    return markdown(["filter", *STATISTICS], rows)


def _model_table(outcomes: Sequence[Outcome], settings: MetastasisSettings) -> str:
    stages, labels = STATISTICS["kappa of stages"], STATISTICS["kappa of node labels"]
    rows = [
        [
            NAMES[name],
            *(str(figure(one.patients(name), f, settings.repeats)) for one in outcomes for f in (stages, labels)),
        ]
        for name in settings.slides.models
    ]
    head = [f"{what}, {one.way.name}" for one in outcomes for what in ("stages", "nodes")]
    return markdown(["model", *head], rows)


def _nodes(patients: Sequence[Patient]) -> str:
    pairs = [(t, f) for one in patients for t, f in zip(one.truth, one.found, strict=False)]
    rows = [[t, *(_count(pairs, t, f) for f in (*NodeLabel, None))] for t in NodeLabel]
    return markdown(["", *NodeLabel, "not scored"], rows)


def _stages(patients: Sequence[Patient]) -> str:
    pairs = [(one.stage, one.found_stage) for one in patients if one.stage]
    rows = [[t, *(_count(pairs, t, f) for f in (*PNStage, None))] for t in PNStage]
    return markdown(["", *PNStage, "not staged"], rows)


def _count(pairs: Sequence[tuple[object, object]], truth: object, found: object) -> str:
    number = sum(pair == (truth, found) for pair in pairs)
    return f"**{number}**" if truth == found else str(number or "")


def _changed(first: Sequence[Patient], last: Sequence[Patient]) -> str:
    rows = [
        [a.name, _name(a.stage), _name(a.found_stage), _name(b.found_stage)]
        for a, b in zip(first, last, strict=True)
        if a.stage and a.found_stage != b.found_stage
    ]
    return markdown(["patient", "is", "without", "with"], rows) if rows else "No patient's stage changed.\n"


def _froc_lines(outcomes: Sequence[Outcome], chosen: ModelName, repeats: int) -> list[str]:
    rows = []
    for one in outcomes:
        curve = froc(list(one.hits.values()))
        score = figure(one.patients(chosen), froc_score, repeats)
        rows.append([one.way.name, str(score), *(f"{value:.2f}" for value in curve.at_rates)])
    before = outcomes[0].patients(chosen)
    gains = [
        f"{one.way.name} {signed(difference(before, one.patients(chosen), froc_score, repeats))}"
        for one in outcomes[1:]
    ]
    lesions = sum(len(one.lesions) for one in outcomes[0].hits.values())
    return [
        "## Lesions found (FROC)\n",
        paragraph(
            f"{lesions} lesions on {len(outcomes[0].hits)} slides whose lesions are known, isolated tumour cells left "
            "out, as CAMELYON16 measures it: share of lesions found at so many false positives per slide, and the "
            "mean over these six."
        ),
        markdown(["filter", "mean", *(f"{rate:g}" for rate in RATES)], rows),
        paragraph(f"Against no filter: {'; '.join(gains)}."),
    ]


def _loss_lines(losses: pd.DataFrame) -> list[str]:
    rows = []
    for size, name in _SIZES.items():
        own = losses.loc[losses["size"] == size]
        if len(own):
            lost = own["lost"].to_numpy(np.float64)
            share = f"{(lost > 0.5).mean():.0%}"
            rows.append([name, len(own), f"{np.mean(lost):.0%}", int(own["is_beyond_limit"].sum()), share])
    head = ["lesions", "number", "mean share of area lost", "beyond the filter's limit", "lost for more than half"]
    return [
        "## What the filter takes from lesions\n",
        paragraph("Share of each lesion's outline that lies in no kept tile, on all slides, as `qc filter` checks it:"),
        markdown(head, rows),
    ]


def _how(settings: MetastasisSettings, how: Circumstances) -> list[str]:
    own = settings.classifier
    return [
        "## How this was made\n",
        *([typed(how.commands)] if how.commands else []),
        paragraph(
            f"{how.machine}; {how.trainings} trainings took {how.minutes:.0f} minutes. {how.trained_on} {own.encoder} "
            f"from scratch, tiles of {own.input_px} px, {own.fit.epochs} epochs of at most {own.fit.epoch_tiles_max} "
            f"tiles, both kinds and all slides of a kind equally likely, normalisation {own.stain.method}. A tile is "
            f"tumour from {settings.labels.tumour_from:.0%} of its area under a lesion. Slides are labelled by a "
            f"{settings.slides.folds}-fold cross-validation by patient on six figures of the heat map, whose threshold "
            f"is {settings.heat.threshold:g}. The network was trained on other slides than those that are reported."
        ),
    ]


def _name(stage: PNStage | None) -> str:
    return str(stage) if stage else "not staged"
