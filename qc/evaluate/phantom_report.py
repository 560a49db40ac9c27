"""Phantom results as a report in Markdown."""

from collections.abc import Iterator, Sequence

import numpy as np

from qc.evaluate.numbers import shown, span
from qc.evaluate.phantoms import MEASURED, PhantomResult, verdict_counts
from qc.figures.table import table
from qc.labels import ArtefactClass
from qc.metrics import Counts, bootstrap_interval, wilson_interval
from qc.version import __version__

_NOTHING = Counts(0, 0, 0, 0)
_SEED = 20251


def phantoms_markdown(results: Sequence[PhantomResult], cohort: str, stage: str, profile: str, command: str) -> str:
    """The report; intervals of cells are bootstrapped over slides, those of slides are Wilson's."""
    return "\n".join(_lines(list(results), cohort, stage, profile, command)) + "\n"


def _lines(results: list[PhantomResult], cohort: str, stage: str, profile: str, command: str) -> Iterator[str]:
    rng = np.random.default_rng(_SEED)
    yield f"# Phantom cohort `{cohort}`\n"
    yield f"Written by `{command}`, SlideGate {__version__}, artefact stage {stage}, profile {profile}, "
    yield f"{len(results)} synthetic slides with exact truth. Phantoms show that the software does what it says;"
    yield "they say nothing about other laboratories' slides.\n"
    yield "## Tissue and clean tissue\n"
    tissue = _dice_row("tissue", [(r.name, r.tissue) for r in results], rng)
    clean = _dice_row("clean tissue", [(r.name, r.clean) for r in results], rng)
    yield from table(["what", "Dice", "95 % interval", "worst slide"], [tissue, clean])
    yield "\n## Classes, per cell of true tissue\n"
    yield from table(
        ["class", "prevalence", "TPR", "TNR", "PPV", "NPV", "Dice", "95 % interval of Dice"],
        [_class_row(cls, [r.classes[cls] for r in results], rng) for cls in MEASURED],
    )
    yield from _verdict_lines(results)
    yield "\n## Slides\n"
    yield from table(
        [
            *("slide", "tissue Dice", "clean Dice", "focus", "stain"),
            *("verdict", "deserved", "why it is not what it deserves"),
        ],
        [
            [
                *(r.name, shown(r.tissue.dice), shown(r.clean.dice)),
                *(f"{r.focus_score:.1f}", f"{r.stain_score:.1f}", r.verdict, r.true_verdict),
                "" if r.verdict is r.true_verdict else r.reason,
            ]
            for r in results
        ],
    )


def _dice_row(what: str, counts: list[tuple[str, Counts]], rng: np.random.Generator) -> list[str]:
    worst = min(counts, key=lambda entry: entry[1].dice)
    interval = _dice_interval([c for _, c in counts], rng)
    pooled = sum((c for _, c in counts), _NOTHING)
    return [what, shown(pooled.dice), interval, f"{shown(worst[1].dice)} ({worst[0]})"]


def _class_row(cls: ArtefactClass, counts: list[Counts], rng: np.random.Generator) -> list[str]:
    pooled = sum(counts, _NOTHING)
    rates = (pooled.prevalence, pooled.tpr, pooled.tnr, pooled.ppv, pooled.npv, pooled.dice)
    return [cls.label, *(shown(rate) for rate in rates), _dice_interval(counts, rng)]


def _dice_interval(counts: list[Counts], rng: np.random.Generator) -> str:
    return span(*bootstrap_interval(counts, lambda draw: sum(draw, _NOTHING).dice, rng))


def _verdict_lines(results: list[PhantomResult]) -> Iterator[str]:
    counts = verdict_counts(results)
    yield "\n## Verdicts\n"
    yield "Positive is a slide that needs something (review, reject or unassessed); deserved is the verdict that the"
    yield f"true coverage gets under the same profile. Prevalence {shown(counts.prevalence)}. A slide in colours unlike"
    yield "those of the training slides is sent to review whatever its truth is; the last table says where.\n"
    shares = {
        "TPR": (counts.tp, counts.tp + counts.fn),
        "TNR": (counts.tn, counts.tn + counts.fp),
        "PPV": (counts.tp, counts.tp + counts.fp),
        "NPV": (counts.tn, counts.tn + counts.fn),
        "accuracy": (counts.tp + counts.tn, counts.total),
    }
    rows = [
        [name, shown(right / asked if asked else np.nan), span(*wilson_interval(right, asked)), f"{right} of {asked}"]
        for name, (right, asked) in shares.items()
    ]
    yield from table(["rate", "value", "95 % interval (Wilson)", "slides"], rows)
