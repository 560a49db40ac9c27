"""Records as a table in the terminal, worst first, or as JSON."""

import json
import math
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.metrics.percent import percent
from qc.record import Assessed, Failed, worst_first

_COLOURS = {Verdict.USABLE: "green", Verdict.REVIEW: "yellow", Verdict.REJECT: "red", Verdict.UNASSESSED: "magenta"}
_ICONS = {Verdict.USABLE: "+", Verdict.REVIEW: "?", Verdict.REJECT: "x", Verdict.UNASSESSED: "!"}
_PLAIN_WIDTH = 160
_WIDE = 130
_SHARE_SHOWN = 0.0005


def print_records(records: Sequence[Assessed | Failed], as_json: bool) -> None:
    """Print records to standard output."""
    if as_json:
        click.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    ordered = worst_first(records)
    failed = [record for record in ordered if isinstance(record, Failed)]
    assessed = [record for record in ordered if isinstance(record, Assessed)]
    if failed:
        console.print(_failed_table(failed))
    if assessed:
        console.print(_assessed_table(assessed, console.width < _WIDE))
    console.print(_summary(ordered))


def _failed_table(records: Sequence[Failed]) -> Table:
    table = Table(_slide_column(), Column("verdict", no_wrap=True), "why", "way out", pad_edge=False)
    for record in records:
        table.add_row(record.stamp.slide_id, _verdict(record), Text(record.reason), Text(record.remedy))
    return table


def _assessed_table(records: Sequence[Assessed], is_narrow: bool) -> Table:
    """All columns, or in a narrow terminal those that a decision needs."""
    if is_narrow:
        table = Table(_slide_column(), Column("verdict", no_wrap=True), Column("usable", justify="right"), "why")
        for record in records:
            table.add_row(record.stamp.slide_id, _verdict(record), _usable(record), Text(record.reason))
        return table
    table = Table(_slide_column(), Column("verdict", no_wrap=True), pad_edge=False)
    for name in ("tissue mm2", "usable", "focus", "stain", "domain"):
        table.add_column(name, justify="right")
    for name, ratio in (("artefacts, share of tissue", 2), ("why", 3), ("what to do", 2)):
        table.add_column(name, ratio=ratio)
    for record in records:
        table.add_row(
            record.stamp.slide_id,
            _verdict(record),
            f"{record.tissue_mm2:.1f}",
            _usable(record),
            _score(record.focus_score),
            _score(record.stain_score),
            _score(record.domain_distance, 2),
            _artefacts(record),
            Text(record.reason),
            Text(record.remedy),
        )
    return table


def _slide_column() -> Column:
    return Column("slide", overflow="fold", min_width=16, ratio=2)


def _usable(record: Assessed) -> str:
    return percent(record.usable_mm2 / record.tissue_mm2) if record.tissue_mm2 else "-"


def _summary(records: Sequence[Assessed | Failed]) -> str:
    counts = [(verdict, sum(record.verdict is verdict for record in records)) for verdict in Verdict]
    return f"{len(records)} slide{'s' * (len(records) != 1)}: " + ", ".join(
        f"{count} {verdict}" for verdict, count in counts if count
    )


def _verdict(record: Assessed | Failed) -> Text:
    return Text(f"{_ICONS[record.verdict]} {record.verdict}", _COLOURS[record.verdict], no_wrap=True)


def _artefacts(record: Assessed) -> str:
    """Classes that cover anything worth a digit, most first."""
    shares = [(record.coverage[c.name.lower()].share, c.label) for c in (*ARTEFACTS, ArtefactClass.UNASSESSED)]
    seen = sorted((pair for pair in shares if pair[0] >= _SHARE_SHOWN), reverse=True)
    return ", ".join(f"{label} {percent(share)}" for share, label in seen) or "none"


def _score(score: float, digits: int = 1) -> str:
    return "-" if math.isnan(score) else f"{score:.{digits}f}"
