"""What was chosen, in the terminal: a table of slides, a table of lesions, and sums; or JSON."""

import json
import math
from collections.abc import Sequence

import click
import pandas as pd
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from qc.filtering.lesions import LesionLoss, loss_table
from qc.manifest import CAUSES, Manifest, SlideStatus

_COLOURS = {
    SlideStatus.KEPT: "green",
    SlideStatus.REVIEW: "yellow",
    SlideStatus.EXCLUDED: "red",
    SlideStatus.UNASSESSED: "magenta",
}
_PLAIN_WIDTH = 160
_LESIONS_SHOWN = 20


def print_filtered(manifest: Manifest, losses: Sequence[LesionLoss], lost_max: float, as_json: bool) -> None:
    """Print accounts and losses to standard output."""
    lesions = loss_table(losses, lost_max)
    if as_json:
        slides, lost = (json.loads(str(table.to_json(orient="records"))) for table in (manifest.slides, lesions))
        about = manifest.note.model_dump(mode="json")
        click.echo(json.dumps({"manifest": about, "slides": slides, "lesions": lost}, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    console.print(_slide_table(manifest.slides))
    if losses:
        console.print(_lesion_table(lesions))
    console.print(_summary(manifest.slides))


def _slide_table(slides: pd.DataFrame) -> Table:
    table = Table(Column("slide", overflow="fold", min_width=16, ratio=2), Column("status", no_wrap=True))
    for name in ("kept", "of tiles", "mm2 kept", "of mm2"):
        table.add_column(name, justify="right")
    table.add_column("removed for", ratio=3)
    table.add_column("why", ratio=3)
    for row in slides.to_dict("records"):
        status = Text(row["status"], _COLOURS[SlideStatus(row["status"])], no_wrap=True)
        numbers = (str(row["kept"]), str(row["candidates"]), f"{row['kept_mm2']:.1f}", f"{row['candidates_mm2']:.1f}")
        table.add_row(row["slide_id"], status, *numbers, _removed(row), Text(row["why"]))
    return table


def _removed(row: dict) -> str:
    counts = sorted(((row[f"removed_{cause}"], cause) for cause in CAUSES), reverse=True)
    return ", ".join(f"{cause.replace('_', ' ')} {count}" for count, cause in counts if count) or "-"


def _lesion_table(lesions: pd.DataFrame) -> Table:
    table = Table(Column("slide", overflow="fold", ratio=2), Column("lesion", overflow="fold", ratio=1), "size")
    for name in ("mm", "mm2", "lost", "under artefact"):
        table.add_column(name, justify="right")
    table.add_column("lost to", ratio=3)
    for row in lesions.head(_LESIONS_SHOWN).to_dict("records"):
        lost = Text(f"{row['lost']:.0%}", "red" if row["is_beyond_limit"] else "")
        measured = (_number(row["diameter_mm"]), _number(row["area_mm2"]))
        under = "-" if math.isnan(row["tissue_under_artefact"]) else f"{row['tissue_under_artefact']:.0%}"
        table.add_row(row["slide_id"], Text(row["lesion"]), row["size"], *measured, lost, under, _lost_to(row))
    if len(lesions) > _LESIONS_SHOWN:
        table.caption = f"and {len(lesions) - _LESIONS_SHOWN} lesions that lose less; --json shows all"
    return table


def _lost_to(row: dict) -> str:
    shares = sorted(((row[name], name) for name in row if str(name).startswith("lost_to_")), reverse=True)
    shown = [(share, str(name).removeprefix("lost_to_").replace("_", " ")) for share, name in shares if share >= 0.005]
    return ", ".join(f"{name} {share:.0%}" for share, name in shown) or "-"


def _summary(slides: pd.DataFrame) -> str:
    counts = [(str(status), slides["status"].tolist().count(str(status))) for status in SlideStatus]
    kept, candidates, kept_mm2, mm2 = (
        slides[name].to_numpy().sum() for name in ("kept", "candidates", "kept_mm2", "candidates_mm2")
    )
    area = f"{kept_mm2:.1f} of {mm2:.1f} mm2"
    stated = ", ".join(f"{count} {status}" for status, count in counts if count)
    return (
        f"{len(slides)} slide{'s' * (len(slides) != 1)}: {stated}; {kept} of {candidates} tiles kept, {area} of tissue"
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"
