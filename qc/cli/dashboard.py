"""`qc dashboard`."""

import os
from pathlib import Path

import click

from qc.cli.options import AnyPath

_DEMO = Path("demo")


@click.command()
@click.argument("run", required=False, type=AnyPath)
@click.option("--store", "store_url", help="SQLAlchemy URL of the database; default is RUN/store.sqlite.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port to listen on.")
@click.option(
    "--address", default="127.0.0.1", show_default=True, help="Address to listen on; others need a configured login."
)
@click.option("--demo", "makes_demo", is_flag=True, help="Make the demonstration first, then show it.")
@click.pass_context
def dashboard(
    context: click.Context, run: Path | None, store_url: str | None, port: int, address: str, makes_demo: bool
) -> None:
    """Open the dashboard on RUN, a run folder; by default on the demonstration.

    Without a configured login it answers only to this machine (docs/dashboard.md).
    """
    from qc.cli.demo import demo
    from qc.dashboard.attributes import write_demo_table
    from qc.dashboard.serve import prepare, serve
    from qc.dashboard.sources import DEFAULT_RUN, RUN_VARIABLE, STORE_VARIABLE, Sources

    if makes_demo and run:
        raise click.UsageError("--demo shows its own run; leave RUN out")
    if makes_demo:
        context.invoke(demo, folder=_DEMO, cohort_path=None, profile_name="default", jobs=1)
        write_demo_table(DEFAULT_RUN)
    os.environ[RUN_VARIABLE] = str((run or DEFAULT_RUN).resolve())
    if store_url:
        os.environ[STORE_VARIABLE] = store_url
    Sources.from_environment().open_store()
    click.echo(f"SlideGate: http://{'localhost' if address == '127.0.0.1' else address}:{port}  (Ctrl-C ends it)")
    if not prepare(address, port):
        click.echo("no login is configured: only this machine is answered")
    serve(address, port)
