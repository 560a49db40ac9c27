"""`qc audit`."""

import json
import sys

import click

from qc.cli.options import json_option

EXIT_CHANGED = 1


@click.group()
def audit() -> None:
    """Who changed what in a store; STORE is a run folder, a SQLite file or a database URL."""


@audit.command()
@click.argument("store_name", metavar="STORE")
@click.option("--head", default="", help="Hash that an earlier check printed and that was kept elsewhere.")
@json_option
def verify(store_name: str, head: str, as_json: bool) -> None:
    """Check that no row was changed, removed or put in another place.

    Prints the hash of the last row. Keep it where whoever can change the store cannot, and give it back with --head:
    rows that were removed at the end can be found in no other way. Exit code 1 when anything is wrong.
    """
    from qc.cli.stores import opened

    with opened(store_name) as store:
        found = store.verify(head)
    if as_json:
        said = {"is_whole": found.is_whole, "rows": found.head.seq, "head": found.head.hash}
        click.echo(json.dumps({**said, "problems": found.problems}, indent=2))
    else:
        for problem in found.problems:
            click.echo(problem)
        plural = "" if found.head.seq == 1 else "s"
        whole = "the audit is whole" if found.is_whole else f"{len(found.problems)} thing(s) wrong"
        click.echo(f"{whole}: {found.head.seq} row{plural}, head {found.head.hash}")
    if not found.is_whole:
        sys.exit(EXIT_CHANGED)


@audit.command()
@click.argument("store_name", metavar="STORE")
@click.option("--run", "run_id", default="", help="Only this run.")
@click.option("--slide", "slide_id", default="", help="Only this slide.")
@click.option("--last", type=click.IntRange(0), default=50, show_default=True, help="Only so many rows; 0 for all.")
@json_option
def show(store_name: str, run_id: str, slide_id: str, last: int, as_json: bool) -> None:
    """Show what was changed, by whom and when, oldest first."""
    from qc.cli.stores import opened

    with opened(store_name) as store:
        entries = store.audit(run_id, slide_id, last)
    if as_json:
        click.echo(json.dumps([{**vars(e), "detail": json.loads(e.detail)} for e in entries], indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("row", "when, UTC", "who", "role", "what", "slide", "detail", pad_edge=False)
    for entry in entries:
        cells = (entry.at[:19].replace("T", " "), entry.name, entry.role, entry.action, entry.slide_id, entry.detail)
        table.add_row(str(entry.seq), *(Text(cell) for cell in cells))
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
