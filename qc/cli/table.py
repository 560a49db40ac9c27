"""Records as a table in the terminal, worst first, or as JSON."""

import json
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from qc.labels import ARTEFACTS, Verdict
from qc.record import Assessed, Failed, worst_first

_COLOURS = {Verdict.USABLE: "green", Verdict.REVIEW: "yellow", Verdict.REJECT: "red", Verdict.UNASSESSED: "magenta"}
_ICONS = {Verdict.USABLE: "+", Verdict.REVIEW: "?", Verdict.REJECT: "x", Verdict.UNASSESSED: "!"}
_PLAIN_WIDTH = 160


def print_records(records: Sequence[Assessed | Failed], as_json: bool) -> None:
    """Print records to standard output."""
    if as_json:
        click.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    console.print(_table(records))


def _table(records: Sequence[Assessed | Failed]) -> Table:
    table = Table(show_lines=False, pad_edge=False)
    table.add_column("slide", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    for name in ("tissue mm2", "usable", *(c.label for c in ARTEFACTS), "focus", "stain"):
        table.add_column(name, justify="right")
    table.add_column("why, and what to do", ratio=1)
    for record in worst_first(records):
        table.add_row(*_cells(record))
    return table


def _cells(record: Assessed | Failed) -> list[str | Text]:
    verdict = Text(f"{_ICONS[record.verdict]} {record.verdict}", _COLOURS[record.verdict])
    words = f"{record.reason} -> {record.remedy}" if record.remedy else record.reason
    if isinstance(record, Failed):
        return [record.stamp.slide_id, verdict, *[""] * (len(ARTEFACTS) + 4), Text(words)]
    shares = [_percent(record.coverage[c.name.lower()].share) for c in ARTEFACTS]
    scores = [f"{record.focus_score:.1f}", f"{record.stain_score:.1f}"]
    usable = _percent(record.usable_mm2 / record.tissue_mm2) if record.tissue_mm2 else ""
    return [record.stamp.slide_id, verdict, f"{record.tissue_mm2:.1f}", usable, *shares, *scores, Text(words)]


def _percent(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"
