"""What a tissue finder was measured at, as a report in Markdown."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from qc.evaluate.numbers import shown
from qc.evaluate.tissue import CellTissue, TissueResult
from qc.metrics import Counts

_FOUND_SHARE = 0.5


def markdown(
    finder_name: str,
    drawn: Sequence[TissueResult],
    phantoms: Sequence[TissueResult],
    agreed: Sequence[TissueResult],
    ink: Mapping[str, float],
    cells: Sequence[CellTissue],
) -> str:
    """The report."""
    return "\n".join(_lines(finder_name, drawn, phantoms, agreed, ink, cells)) + "\n"


def _lines(
    finder_name: str,
    drawn: Sequence[TissueResult],
    phantoms: Sequence[TissueResult],
    agreed: Sequence[TissueResult],
    ink: Mapping[str, float],
    cells: Sequence[CellTissue],
) -> Iterator[str]:
    yield f"# Tissue found by {finder_name}\n"
    yield "| truth | image | Dice | TPR | TNR | Dice with margin |"
    yield "|---|---|---|---|---|---|"
    for truth, results in (("drawn", drawn), ("phantom", phantoms), ("agreement", agreed)):
        rows = [*results, *([_pooled(results)] if len(results) > 1 else [])]
        for one in rows:
            c, grown = one.counts, shown(one.grown.dice) if one.grown else "-"
            yield f"| {truth} | {one.name} | {shown(c.dice)} | {shown(c.tpr)} | {shown(c.tnr)} | {grown} |"
    yield "\n| ink | share called tissue |"
    yield "|---|---|"
    yield from (f"| {name} | {shown(share)} |" for name, share in ink.items())
    yield "\n| slide | clean cells | at least half found | glass cells | at least half found |"
    yield "|---|---|---|---|---|"
    for slide in sorted({cell.slide for cell in cells}):
        yield _cell_row(slide, [cell for cell in cells if cell.slide == slide])
    if cells:
        yield _cell_row("all", list(cells))


def _cell_row(name: str, cells: list[CellTissue]) -> str:
    shares = []
    for code in ("C", "G"):
        found = [cell.share >= _FOUND_SHARE for cell in cells if cell.code == code]
        shares += [str(len(found)), shown(float(np.mean(found)) if found else float("nan"))]
    return f"| {name} | " + " | ".join(shares) + " |"


def _pooled(results: Sequence[TissueResult]) -> TissueResult:
    return TissueResult("all", sum((one.counts for one in results), Counts(0, 0, 0, 0)))
