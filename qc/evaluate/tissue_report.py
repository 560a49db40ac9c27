"""What tissue finders were measured at, side by side, as a report in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from qc.evaluate.numbers import shown
from qc.evaluate.tissue import CellTissue, TissueResult
from qc.figures.table import table
from qc.metrics import Counts

_FOUND_SHARE = 0.5
_table = partial(table, rule=" --- ")


@dataclass(frozen=True)
class FinderResults:
    """One finder on everything.

    Attributes:
        name: Of the finder.
        drawn: Against masks drawn by people.
        phantoms: Against exact masks.
        ink: Share (0-1) of the marks of each image that is called tissue.
        cells: Labelled cells of real slides.
        seen: Slides that the finder was trained on.
    """

    name: str
    drawn: Sequence[TissueResult] = ()
    phantoms: Sequence[TissueResult] = ()
    ink: Mapping[str, float] = field(default_factory=dict)
    cells: Sequence[CellTissue] = ()
    seen: frozenset[str] = frozenset()


def tissue_markdown(finders: Sequence[FinderResults], command: str) -> str:
    """The report.

    Args:
        finders: Measured on the same images, in the same order.
        command: That was given.
    """
    return "\n".join(_lines(finders, command)) + "\n"


def _lines(finders: Sequence[FinderResults], command: str) -> Iterator[str]:
    yield "# How tissue is found\n"
    yield f"Written by `{command}`. TPR is the share of tissue found, TNR the share of glass left alone.\n"
    yield "## Masks drawn by people\n"
    yield "With margin: what was found is grown by the distance at which the mask was drawn.\n"
    yield from _table(["image", "finder", "Dice", "Dice with margin", "TPR", "TNR"], _mask_rows(finders, "drawn"))
    yield "\n## Phantoms, whose tissue is known exactly\n"
    yield from _table(["phantom", "finder", "Dice", "TPR", "TNR"], _mask_rows(finders, "phantoms"))
    yield "\n## Ink and cover-slips\n"
    yield "Share of what is marked that is called tissue; some of it lies over tissue.\n"
    images = list(finders[0].ink)
    yield from _table(
        ["finder", *images], [[one.name, *(shown(one.ink[image]) for image in images)] for one in finders]
    )
    yield "\n## Labelled cells of real slides\n"
    yield "Share of cells of which at least half is found: clean tissue should be, glass should not."
    yield "A star marks slides that a finder was trained on.\n"
    columns = [f"{what}, {one.name}" for one in finders for what in ("tissue", "glass")]
    yield from _table(["slide", "tissue cells", "glass cells", *columns], _cell_rows(finders))


def _mask_rows(finders: Sequence[FinderResults], kind: str) -> Iterator[list[str]]:
    rows = [(one.name, _with_all(getattr(one, kind))) for one in finders]
    for place in range(len(rows[0][1])):
        for name, results in rows:
            result = results[place]
            margin = [shown(result.grown.dice) if result.grown else "-"] if kind == "drawn" else []
            c = result.counts
            yield [result.name, name, shown(c.dice), *margin, shown(c.tpr), shown(c.tnr)]


def _with_all(results: Sequence[TissueResult]) -> list[TissueResult]:
    if len(results) < 2:
        return list(results)
    return [*results, TissueResult("all", sum((one.counts for one in results), Counts(0, 0, 0, 0)))]


def _cell_rows(finders: Sequence[FinderResults]) -> Iterator[list[str]]:
    slides = sorted({cell.slide for cell in finders[0].cells})
    seen = frozenset().union(*(one.seen for one in finders))
    for name, those in [*((slide, {slide}) for slide in slides), ("all", {*slides}), ("unseen", {*slides} - seen)]:
        groups = [_by_code(one.cells, those) for one in finders]
        shares = [shown(float(np.mean(found)) if found else float("nan")) for pair in groups for found in pair]
        yield [f"{name} *" if name in seen else name, *(str(len(found)) for found in groups[0]), *shares]


def _by_code(cells: Sequence[CellTissue], slides: set[str]) -> tuple[list[bool], list[bool]]:
    """Whether each clean cell, and each glass cell, is found."""
    clean, glass = (
        [one.share >= _FOUND_SHARE for one in cells if one.slide in slides and one.code == code] for code in ("C", "G")
    )
    return clean, glass
