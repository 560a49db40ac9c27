"""`qc watch`."""

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qc.cli.options import AnyPath, load_assess_settings, mpp_option, profile_option, settings_option

if TYPE_CHECKING:
    from qc.pipeline.file import Outcome


@click.command()
@click.argument("folder", type=AnyPath)
@click.option("--out", "run_path", type=AnyPath, required=True, help="Run folder; gone on with if it is there.")
@profile_option
@mpp_option
@settings_option
@click.option("--store", "store_url", help="SQLAlchemy URL of a database; default is RUN/store.sqlite.")
@click.option(
    "--every",
    "poll_s",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    help="Seconds between looks.",
)
@click.option(
    "--settle",
    "settle_s",
    type=click.FloatRange(0, 86400),
    default=30.0,
    show_default=True,
    help="Seconds without a change after which a slide has arrived.",
)
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0, 604800),
    default=600.0,
    show_default=True,
    help="Seconds after which a slide that does not open is noted as failed.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=3,
    show_default=True,
    help="How often a slide that failed is tried again.",
)
@click.option(
    "--retry-after",
    "retry_s",
    type=click.FloatRange(0, 604800),
    default=900.0,
    show_default=True,
    help="Seconds before the first further try; doubled each time.",
)
@click.option("--retry-failed", is_flag=True, help="First try all slides again that have failed.")
@click.option("--once", is_flag=True, help="Take what has arrived, then end; for cron.")
def watch(
    folder: Path,
    run_path: Path,
    profile_name: str,
    mpp: float | None,
    settings_path: Path | None,
    store_url: str | None,
    once: bool,
    **waiting: float,
) -> None:
    """Assess slides as they are dropped into FOLDER or below it.

    A slide is taken once it is whole: its files have stopped changing and it opens. SIGTERM or Ctrl-C let it finish the
    slide in hand; a second Ctrl-C does not. Exit code 1 if any slide could not be assessed.
    """
    from qc.config.profile import load_profile
    from qc.geometry import Mpp
    from qc.pipeline.folder import RunFolder
    from qc.pipeline.watch import watch as watch_folder
    from qc.pipeline.watch_job import Job, WatchSettings

    job = Job(
        folder,
        RunFolder(run_path),
        load_assess_settings(settings_path),
        load_profile(profile_name),
        WatchSettings.model_validate(waiting),
        Mpp(mpp) if mpp else None,
        store_url,
    )
    stop = _Stop()
    stop.listen()
    if not once:
        click.echo(f"{_now()} watching {folder}, results in {run_path}")
    try:
        failed = watch_folder(job, _Lines(), lambda: stop.is_asked, once)
    except KeyboardInterrupt:
        click.echo("interrupted; the slide in hand will be done again", err=True)
        sys.exit(130)
    if failed:
        sys.exit(1)


class _Stop:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.is_asked = False

    def listen(self) -> None:
        """Take SIGTERM and the first SIGINT as a question; the second SIGINT interrupts."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, _frame: object) -> None:
        self.is_asked = True
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class _Lines:
    """One line for each thing that happens."""

    def __init__(self) -> None:
        self._is_missing = False

    def finished(self, outcome: "Outcome") -> None:
        """See `Listener`."""
        self._is_missing = False
        record = outcome.record
        click.echo(f"{_now()} {record.stamp.slide_id}: {record.verdict}, {record.reason} ({record.seconds:.1f} s)")

    def same(self, path: Path, slide_id: str) -> None:
        """See `Listener`."""
        click.echo(f"{_now()} {path.name} holds the same as {slide_id}, which is done")

    def missing(self, folder: Path) -> None:
        """See `Listener`; said once."""
        if not self._is_missing:
            click.echo(f"{_now()} {folder} is not there; waiting for it", err=True)
        self._is_missing = True


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z"
