"""Results on labelled cells, in Markdown."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from qc.evaluate.biology import Biology
from qc.evaluate.cell_figures import (
    FIXED_LIMIT,
    TARGET_TNRS,
    BySlide,
    Thresholds,
    auroc_interval,
    auroc_of,
    counts,
    fixed,
    is_called,
    judged_by_slide,
    rate_interval,
    thresholds_at,
)
from qc.evaluate.cells import ARTEFACT_CODES, CellResult
from qc.evaluate.detection import WORST_SHARE
from qc.evaluate.numbers import shown, span
from qc.figures.table import table
from qc.metrics import wilson_interval
from qc.metrics.ranking import auroc
from qc.version import __version__

_RATES = ("tpr", "tnr", "ppv", "npv", "accuracy", "prevalence")


def cells_markdown(results: Sequence[CellResult], biology: Sequence[Biology], stage: str, command: str) -> str:
    """The report on labelled cells; `biology` names views to look at apart, and may be empty."""
    head = (
        f"# Labelled cells of real slides\n\nWritten by `{command}`, SlideGate {__version__}, artefact stage {stage}.\n"
    )
    return "\n".join([head, *cell_lines(results, biology, "##")]) + "\n"


def cell_lines(results: Sequence[CellResult], biology: Sequence[Biology], heading: str) -> Iterator[str]:
    """The figures, under headings that begin with `heading`."""
    groups = judged_by_slide(results)
    loose = thresholds_at(results, TARGET_TNRS[0])
    yield from _what_is_measured(groups)
    yield from _auroc_lines(groups)
    yield from _rate_lines(results, groups)
    yield from _code_lines(results, loose, heading)
    yield from _ink_lines(results, loose, heading)
    yield from _biology_lines(results, biology, loose, heading)
    yield from _slide_lines(groups, loose, heading)


def _what_is_measured(groups: BySlide) -> Iterator[str]:
    codes = ", ".join(ARTEFACT_CODES)
    n_cells = sum(len(cells) for cells in groups.values())
    yield f"{n_cells} tissue cells of {len(groups)} slides. Artefact is any of the codes {codes};"
    yield "cells of glass, padding and surgical ink are left out. Labels are one reader's, weak and noisy."
    yield f"A cell's detection score is the mean of the highest {WORST_SHARE:.0%} of suspicion over all that is seen of"
    yield "it, glass too, as readers give a letter to what lies on about 5 % of the cell; ties are broken by the mean."
    yield "For rules it ranks like the share called artefact. It is 1 where no tissue is found, as nothing of it is"
    yield "handed on.\n"


def _auroc_lines(groups: BySlide) -> Iterator[str]:
    cells = [cell for group in groups.values() for cell in group]
    low, high = auroc_interval(groups)
    by_mean = auroc([cell.is_artefact for cell in cells], [cell.suspicion for cell in cells])
    by_tissue = auroc([cell.is_artefact for cell in cells], [cell.tissue_score for cell in cells])
    yield f"AUROC **{shown(auroc_of(cells))}** (95 % interval {shown(low)} to {shown(high)}, bootstrap over slides);"
    yield f"by the detection score of tissue alone {shown(by_tissue)}, by mean suspicion of tissue {shown(by_mean)}.\n"
    most = max(groups, key=lambda slide: sum(cell.is_artefact for cell in groups[slide]), default=None)
    if most is None:
        return
    n_most, n_all = (sum(cell.is_artefact for cell in part) for part in (groups[most], cells))
    others = [cell for cell in cells if cell.slide != most]
    yield f"{n_most} of {n_all} artefact cells are of the slide {most};"
    yield f"without it AUROC is **{shown(auroc_of(others))}**.\n"


def _rate_lines(results: Sequence[CellResult], groups: BySlide) -> Iterator[str]:
    yield "A threshold at a stated TNR is found for each slide on the pooled clean cells of all other slides; where"
    yield "scores tie, more than that TNR is reached. Intervals are bootstrapped over slides, thresholds kept.\n"
    cuts = [thresholds_at(results, tnr) for tnr in TARGET_TNRS] + [fixed(results)]
    names = [f"threshold at TNR {tnr:.2f}" for tnr in TARGET_TNRS] + [f"score above {FIXED_LIMIT:g}"]
    pooled = [counts((cell for cells in groups.values() for cell in cells), cut) for cut in cuts]
    rows = []
    for rate in _RATES:
        parts = [
            f"{shown(getattr(of_all, rate))} ({span(*rate_interval(groups, cut, rate))})"
            for cut, of_all in zip(cuts, pooled, strict=True)
        ]
        rows.append([rate.upper() if len(rate) == 3 else rate, *parts])
    yield from table(["rate", *names], rows)


def _code_lines(results: Sequence[CellResult], thresholds: Thresholds, heading: str) -> Iterator[str]:
    yield f"\n{heading} By code\n"
    yield "Cells that are mainly glass (G), padding (X) or surgical ink (K) count for the tissue found alone. T (tear)"
    yield "and S (stitching) are no artefacts here. Intervals are Wilson's and take cells for independent, which those"
    yield f"of one slide are not. Called at the threshold for TNR {TARGET_TNRS[0]:.2f}.\n"
    rows = []
    for letter in sorted({letter for cell in results for letter in cell.code}):
        cells = [cell for cell in results if letter in cell.code]
        found = float(np.mean([cell.tissue_share for cell in cells]))
        called = _called([cell for cell in cells if cell.counts_for_artefacts], thresholds)
        rows.append([letter, *called, shown(found)])
    yield from table(["code", "tissue cells", "called artefact", "95 % interval", "tissue found"], rows)


def _ink_lines(results: Sequence[CellResult], thresholds: Thresholds, heading: str) -> Iterator[str]:
    cells = [cell for cell in results if cell.is_surgical_ink]
    yield f"\n{heading} False alarms on surgical ink\n"
    yield "Cells of tissue with surgical ink (K) on its margin and no artefact; they count in no other figure.\n"
    groups = {slide: [cell for cell in cells if cell.slide == slide] for slide in sorted({c.slide for c in cells})}
    rows = [[slide, *_called(own, thresholds)] for slide, own in [*groups.items(), ("all", cells)]]
    yield from table(["slide", "cells", "called artefact", "95 % interval (Wilson)"], rows)


def _biology_lines(
    results: Sequence[CellResult], biology: Sequence[Biology], thresholds: Thresholds, heading: str
) -> Iterator[str]:
    if not biology:
        return
    yield f"\n{heading} False alarms where biology resembles an artefact\n"
    yield "Clean cells of views in which this is seen; not every cell of a view shows it. Intervals take cells for"
    yield "independent, which those of one slide are not.\n"
    rows = []
    for group in biology:
        cells = [cell for cell in results if cell.is_clean and (cell.slide, cell.view) in group.views]
        rows.append([group.name, *_called(cells, thresholds), _shares(cells, group.slides, thresholds)])
    yield from table(["slides with", "cells", "called artefact", "95 % interval (Wilson)", "slides"], rows)


def _slide_lines(groups: BySlide, thresholds: Thresholds, heading: str) -> Iterator[str]:
    yield f"\n{heading} By slide\n"
    yield f"The threshold is that for TNR {TARGET_TNRS[0]:.2f} on the other slides.\n"
    rows = []
    for slide, cells in groups.items():
        c = counts(cells, thresholds)
        numbers = (shown(value) for value in (thresholds[slide], c.tpr, c.tnr, auroc_of(cells)))
        rows.append([slide, len(cells), sum(cell.is_artefact for cell in cells), *numbers])
    yield from table(["slide", "cells", "artefact cells", "threshold", "TPR", "TNR", "AUROC"], rows)


def _called(cells: Sequence[CellResult], thresholds: Thresholds) -> list[object]:
    """Three columns: cells, share called, Wilson's interval."""
    called = sum(is_called(cell, thresholds) for cell in cells)
    share = called / len(cells) if cells else float("nan")
    return [len(cells), shown(share), span(*wilson_interval(called, len(cells)))]


def _shares(cells: Sequence[CellResult], slides: Iterable[str], thresholds: Thresholds) -> str:
    """`called/cells` of each slide."""
    parts = []
    for slide in slides:
        own = [cell for cell in cells if cell.slide == slide]
        parts.append(f"{slide} {sum(is_called(cell, thresholds) for cell in own)}/{len(own)}")
    return ", ".join(parts)
