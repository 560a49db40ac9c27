"""`qc phantoms`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath, ExistingFile


@click.command()
@click.argument("cohort", type=ExistingFile)
@click.option("--out", "folder", type=AnyPath, required=True, help="Folder for the slides and their truth.")
def phantoms(cohort: Path, folder: Path) -> None:
    """Write synthetic slides with exact truth, as a COHORT file specifies (see datasets/)."""
    from qc.phantom import load_cohort, write_cohort

    for file in write_cohort(load_cohort(cohort), folder):
        click.echo(file.path)
