"""`qc bench worklist`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath


@click.command("worklist")
@click.option("--slides", type=click.IntRange(100), default=10_000, show_default=True, help="Slides in the store.")
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True, help="Times that each thing is done.")
@click.option("--out", type=AnyPath, default=Path("reports/worklist.md"), show_default=True, help="Report to write.")
def bench_worklist(slides: int, repeats: int, out: Path) -> None:
    """Time a worklist of very many made-up slides in a real browser; write a report."""
    import os
    import shlex
    import sys

    from qc.bench.worklist import time_worklist
    from qc.bench.worklist_report import worklist_markdown
    from qc.files import write_text

    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    timed = time_worklist(slides, repeats)
    for one in timed:
        click.echo(f"{one.name}: {one.median:.2f} s")
    write_text(out, worklist_markdown(timed, slides, busy, shlex.join(["qc", *sys.argv[1:]])))
    click.echo(f"written to {out}")
