"""Results on images with masks, in Markdown."""

from collections.abc import Iterator, Sequence

from qc.evaluate.masks import MaskResult
from qc.evaluate.numbers import shown
from qc.figures.table import table
from qc.version import __version__


def masks_markdown(results: Sequence[MaskResult], stage: str, command: str) -> str:
    """The report on images with masks."""
    head = f"# Images with masks\n\nWritten by `{command}`, SlideGate {__version__}, artefact stage {stage}.\n"
    return "\n".join([head, *mask_lines(results)]) + "\n"


def mask_lines(results: Sequence[MaskResult]) -> Iterator[str]:
    """What is counted, and a row for each image."""
    yield "Tissue: found against marked cells. Artefacts: TPR is the share of marked cells kept out of clean tissue,"
    yield "TNR the share of found tissue outside the mask that is not called the class; prevalence is that of marked"
    yield "cells among both. Some masks were drawn at a distance from the tissue; the last column grows the tissue"
    yield "found by the margin that the table states before comparing.\n"
    rates = ("prevalence", "TPR", "TNR", "NPV")
    yield from table(
        ["image", "marked", "cells", *rates, "Dice", "margin (um)", "Dice with margin"], map(_row, results)
    )


def _row(r: MaskResult) -> list[object]:
    c = r.counts
    dice = (shown(c.dice), f"{r.margin_um:g}", shown(r.grown.dice)) if r.grown else ("-", "-", "-")
    return [r.name, r.truth, c.total, *(shown(rate) for rate in (c.prevalence, c.tpr, c.tnr, c.npv)), *dice]
