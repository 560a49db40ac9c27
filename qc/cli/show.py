"""`qc show`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath, json_option


@click.command()
@click.argument("run_path", metavar="RUN", type=AnyPath)
@json_option
def show(run_path: Path, as_json: bool) -> None:
    """Show a run as a table, worst slide first."""
    from qc.cli.table import print_records
    from qc.pipeline.folder import open_run

    print_records(open_run(run_path).records(), as_json)
