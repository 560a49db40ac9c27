"""`qc bench viewer`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath


@click.command("viewer")
@click.argument("run", type=AnyPath, default=Path("demo/run"))
@click.option("--requests", type=click.IntRange(10), default=400, show_default=True, help="Requests of each kind.")
@click.option("--people", type=click.IntRange(1), default=30, show_default=True, help="People who look at once.")
@click.option(
    "--seconds", type=click.FloatRange(1), default=30.0, show_default=True, help="How long they look, seconds."
)
@click.option(
    "--pause", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds for a view, on average."
)
@click.option("--out", type=AnyPath, default=Path("reports/viewer.md"), show_default=True, help="Report to write.")
def bench_viewer(run: Path, requests: int, people: int, seconds: float, pause: float, out: Path) -> None:
    """Time the dashboard's tiles on the slides of RUN, alone and for many people; write a report."""
    import os
    import shlex
    import sys

    from qc.bench.viewer import measure
    from qc.bench.viewer_report import viewer_markdown
    from qc.bench.viewer_server import served
    from qc.files import write_text

    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with served(run) as one:
        idle_mib = one.peak_mib()
        loads = measure(one, requests, people, seconds, pause)
        peak_mib, slides = one.peak_mib(), len(one.tokens)
    for load in loads:
        click.echo(f"{load.name}: p50 {load.percentile(50):.1f} ms, p95 {load.percentile(95):.1f} ms")
    command = shlex.join(["qc", *(Path(word).name if Path(word).exists() else word for word in sys.argv[1:])])
    write_text(out, viewer_markdown(loads, idle_mib, peak_mib, slides, busy, command))
    click.echo(f"peak {peak_mib:.0f} MiB; written to {out}")
