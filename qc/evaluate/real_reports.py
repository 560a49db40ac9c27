"""Results on masks and on labelled cells as reports in Markdown."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.metrics import roc_auc_score

from qc import __version__
from qc.evaluate.cells import ARTEFACT_CODES, CellResult
from qc.evaluate.masks import MaskResult
from qc.evaluate.numbers import shown
from qc.metrics import Counts, bootstrap_interval, wilson_interval

_SEED = 20252
_REPEATS = 500


def masks_markdown(results: Sequence[MaskResult], stage: str, command: str) -> str:
    """The report on images with masks."""
    return "\n".join(_mask_lines(results, stage, command)) + "\n"


def cells_markdown(results: Sequence[CellResult], limit: float, stage: str, command: str) -> str:
    """The report on labelled cells; `limit` is the share of tissue above which a cell is called artefact."""
    return "\n".join(_cell_lines(list(results), limit, stage, command)) + "\n"


def _mask_lines(results: Sequence[MaskResult], stage: str, command: str) -> Iterator[str]:
    yield "# Images with masks\n"
    yield f"Written by `{command}`, SlideGate {__version__}, artefact stage {stage}.\n"
    yield "Tissue: found against marked cells. Artefacts: TPR is the share of marked cells kept out of clean tissue,"
    yield "TNR the share of found tissue outside the mask that is not called the class; prevalence is that of marked"
    yield "cells among both. Some masks were drawn at a distance from the tissue; the last column grows the tissue"
    yield "found by the margin that the table states before comparing.\n"
    yield "| image | marked | cells | prevalence | TPR | TNR | NPV | Dice | margin (um) | Dice with margin |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for r in results:
        c = r.counts
        dice = f"{shown(c.dice)} | {r.margin_um:g} | {shown(r.grown.dice)}" if r.grown else "- | - | -"
        rates = " | ".join(shown(rate) for rate in (c.prevalence, c.tpr, c.tnr, c.npv))
        yield f"| {r.name} | {r.truth} | {c.total} | {rates} | {dice} |"


def _cell_lines(results: list[CellResult], limit: float, stage: str, command: str) -> Iterator[str]:
    cells = [r for r in results if r.counts_for_artefacts]
    slides = sorted({r.slide for r in cells})
    by_slide = [[r for r in cells if r.slide == slide] for slide in slides]
    pooled = _counts(cells, limit)
    rng = np.random.default_rng(_SEED)
    low, high = bootstrap_interval(by_slide, lambda draw: _auroc([r for s in draw for r in s]), rng, _REPEATS)
    yield "# Labelled cells of real slides\n"
    yield f"Written by `{command}`, SlideGate {__version__}, artefact stage {stage}.\n"
    codes = ", ".join(ARTEFACT_CODES)
    yield f"{len(cells)} tissue cells of {len(slides)} slides. Artefact is any of the codes {codes};"
    yield "cells of glass, padding and surgical ink are left out. Labels are one reader's, weak and noisy."
    yield "A cell's score is the share of its tissue that is not clean, and 1 where no tissue is found, because nothing"
    yield f"of it is handed on; it is called artefact above {limit:g}.\n"
    yield f"AUROC **{shown(_auroc(cells))}** (95 % interval {shown(low)} to {shown(high)}, bootstrap over slides).\n"
    most = max(by_slide, key=lambda one: sum(r.is_artefact for r in one))
    others = [r for r in cells if r.slide != most[0].slide]
    without = _counts(others, limit)
    n_most = sum(r.is_artefact for r in most)
    yield f"{n_most} of {pooled.tp + pooled.fn} artefact cells are of the slide {most[0].slide};"
    yield f"without it AUROC is **{shown(_auroc(others))}**, TPR {shown(without.tpr)}, TNR {shown(without.tnr)}.\n"
    yield "| rate | value | 95 % interval (bootstrap over slides) |"
    yield "|---|---|---|"
    for name in ("tpr", "tnr", "ppv", "npv", "accuracy", "prevalence"):
        bounds = bootstrap_interval(
            by_slide,
            lambda draw, name=name: getattr(_counts([r for s in draw for r in s], limit), name),
            rng,
            _REPEATS,
        )
        label = name.upper() if len(name) == 3 else name
        yield f"| {label} | {shown(getattr(pooled, name))} | {shown(bounds[0])} to {shown(bounds[1])} |"
    yield from _code_lines(results, limit)
    yield from _slide_lines(by_slide, limit)


def _code_lines(results: list[CellResult], limit: float) -> Iterator[str]:
    yield "\n## By code\n"
    yield "Cells that are mainly glass (G), padding (X) or surgical ink (K) count for the tissue found alone.\n"
    yield "Intervals are Wilson's and take cells for independent, which those of one slide are not.\n"
    yield "| code | tissue cells | called artefact | 95 % interval | tissue found |"
    yield "|---|---|---|---|---|"
    for letter in sorted({letter for r in results for letter in r.code}):
        cells = [r for r in results if letter in r.code]
        judged = [r for r in cells if r.counts_for_artefacts]
        called = sum(r.score > limit for r in judged)
        low, high = wilson_interval(called, len(judged))
        share = called / len(judged) if judged else float("nan")
        found = float(np.mean([r.tissue_share for r in cells]))
        yield f"| {letter} | {len(judged)} | {shown(share)} | {shown(low)} to {shown(high)} | {shown(found)} |"


def _slide_lines(by_slide: list[list[CellResult]], limit: float) -> Iterator[str]:
    yield "\n## By slide\n"
    yield "| slide | cells | artefact cells | TPR | TNR | AUROC |"
    yield "|---|---|---|---|---|---|"
    for cells in by_slide:
        c = _counts(cells, limit)
        rates = " | ".join(shown(rate) for rate in (c.tpr, c.tnr, _auroc(cells)))
        yield f"| {cells[0].slide} | {c.total} | {c.tp + c.fn} | {rates} |"


def _counts(cells: list[CellResult], limit: float) -> Counts:
    return Counts.of(np.array([r.is_artefact for r in cells], bool), np.array([r.score > limit for r in cells], bool))


def _auroc(cells: list[CellResult]) -> float:
    truth = [r.is_artefact for r in cells]
    return float(roc_auc_score(truth, [r.score for r in cells])) if 0 < sum(truth) < len(truth) else float("nan")
