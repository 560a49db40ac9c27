"""`qc report`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qc.cli.options import AnyPath, ExistingFile

if TYPE_CHECKING:
    from qc.report.render import Paper

_SUFFIXES = (".html", ".pdf")
_Day = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("run_path", metavar="RUN", type=AnyPath)
@click.option(
    "--slide", "slides", multiple=True, help="Report of one slide: id, file name or stem. Repeatable; or all."
)
@click.option("--batch", help="Only slides of this batch: the folder they lie in, or as --about says.")
@click.option(
    "--from", "since", type=_Day, metavar="DAY", help="Only slides scanned, or recorded, on this day or later."
)
@click.option("--to", "until", type=_Day, metavar="DAY", help="Only slides scanned, or recorded, up to this day.")
@click.option("--format", "form", type=click.Choice(["html", "pdf"]), help="What to write.  [default: html]")
@click.option(
    "--out", type=AnyPath, help="File that ends in .html or .pdf, or a folder.  [default: the folder RUN/reports]"
)
@click.option(
    "--about", type=ExistingFile, help="CSV of the lab: slide, and any of stain, stainer, scanner, scanned, batch."
)
@click.option("--paper", type=click.Choice(["A4", "letter"]), default="A4", show_default=True, help="Size of the page.")
@click.option("--paths", "with_paths", is_flag=True, help="Print paths of slide files, which may hold names.")
@click.option(
    "--glass/--no-glass",
    "with_glass",
    default=True,
    help="Print the photograph of the glass, its label covered.  [default: glass]",
)
@click.option("--store", "store_url", help="SQLAlchemy URL of a database; default is RUN/store.sqlite.")
def report(
    run_path: Path,
    slides: tuple[str, ...],
    batch: str | None,
    since: datetime | None,
    until: datetime | None,
    form: str | None,
    out: Path | None,
    about: Path | None,
    paper: "Paper",
    with_paths: bool,
    with_glass: bool,
    store_url: str | None,
) -> None:
    """Write a report: of a run, a batch, a period, or single slides.

    A report is one file that opens without a network and prints. Beside that of many slides lies its full table.
    """
    from qc.exchange.chosen import chosen_records
    from qc.pipeline.folder import open_run
    from qc.report.facts import read_facts
    from qc.report.write import Scope, write_cohort_report, write_slide_report

    run = open_run(run_path)
    facts = read_facts(run, store_url, about)
    scope = Scope(since.date() if since else None, until.date() if until else None, batch)
    if scope != Scope():
        facts = facts.within(scope.since, scope.until, scope.batch)
    out = out or run.root / "reports"
    if not slides:
        for path in write_cohort_report(facts, scope, _target(out, scope.stem, form), paper, with_paths):
            click.echo(path)
        return
    chosen = chosen_records(facts.records, () if slides == ("all",) else slides)
    if len(chosen) > 1 and out.suffix in _SUFFIXES:
        raise click.UsageError(f"--out {out} is one file for {len(chosen)} reports; name a folder")
    for record in chosen:
        path = _target(out, f"slide-{record.stamp.slide_id}", form)
        write_slide_report(facts, record, path, paper, with_paths, with_glass)
        click.echo(path)


def _target(out: Path, stem: str, form: str | None) -> Path:
    """The file to write; a suffix that contradicts --format is refused."""
    if out.suffix not in _SUFFIXES:
        return out / f"{stem}.{form or 'html'}"
    if form and out.suffix != f".{form}":
        raise click.UsageError(f"--out {out} contradicts --format {form}")
    return out
