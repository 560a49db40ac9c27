"""Distances of the domain gate as a report in Markdown."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from qc.domain.reference import DomainReference
from qc.evaluate.domain import DomainCase
from qc.evaluate.numbers import shown, span
from qc.figures.table import table
from qc.metrics import wilson_interval
from qc.version import __version__


def domain_markdown(
    cases: Sequence[DomainCase], reference: DomainReference, limit: float, about: str, command: str
) -> str:
    """The report; `limit` is the profile's, `about` a note of the sources file on how its slides were used."""
    return "\n".join(_lines(cases, reference, limit, about, command)) + "\n"


def _lines(
    cases: Sequence[DomainCase], reference: DomainReference, limit: float, about: str, command: str
) -> Iterator[str]:
    yield "# Domain gate\n"
    yield f"Written by `{command}`, SlideGate {__version__}, reference {reference.name}.\n"
    yield "The distance of a slide's colours from those of the training slides, as a multiple of the distance within"
    yield f"which {reference.card.quantile:.0%} of them lie if they are normal." if reference.card else ""
    yield f"Above {limit:g} a slide goes to review. Every training slide, and whatever is made of it, is measured"
    yield "against the reference of the others.\n"
    if about:
        yield f"{about}\n"
    yield "Intervals are Wilson's at 95 %; images of one laboratory are not independent, so they are too narrow.\n"
    for heading, belongs_inside, is_made in (
        ("Slides that should lie inside: false alarms", True, False),
        ("Slides that should lie outside: found", False, False),
        ("Training slides with faults that are not the gate's business: false alarms", True, True),
        ("Training slides made into something else: found", False, True),
    ):
        yield from _group_lines(
            heading, [c for c in cases if (c.belongs_inside, c.is_made) == (belongs_inside, is_made)], limit
        )
    yield from _farthest(cases)


def _group_lines(heading: str, cases: Sequence[DomainCase], limit: float) -> Iterator[str]:
    yield f"## {heading}\n"
    head = ["what", "slides", "beyond the limit", "95 % interval", "distance: least", "median", "most"]
    groups = dict.fromkeys(case.group for case in cases)
    rows = [[group, *_group_cells([case.distance for case in cases if case.group == group], limit)] for group in groups]
    yield from table(head, rows)
    yield ""


def _group_cells(distances: Sequence[float], limit: float) -> list[object]:
    beyond = sum(math.isnan(d) or d > limit for d in distances)
    known = [d for d in distances if math.isfinite(d)]
    spread = np.quantile(known, (0, 0.5, 1)) if known else (math.nan,) * 3
    interval = span(*wilson_interval(beyond, len(distances)))
    return [len(distances), beyond, interval, *(shown(value) for value in spread)]


def _farthest(cases: Sequence[DomainCase]) -> Iterator[str]:
    yield "## Training slides, farthest first\n"
    own = [case for case in cases if case.belongs_inside and not case.is_made and case.group.startswith("training")]
    rows = [[case.slide, shown(case.distance)] for case in sorted(own, key=lambda case: -case.distance)]
    yield from table(["slide", "distance from the others"], rows)
