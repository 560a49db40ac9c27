"""`qc assess`."""

import sys
from pathlib import Path

import click

from qc.cli.options import (
    AnyPath,
    ExistingFile,
    jobs_option,
    json_option,
    load_assess_settings,
    mpp_option,
    profile_option,
    settings_option,
)


@click.command()
@click.argument("slides", nargs=-1, required=True, type=AnyPath)
@click.option("--out", "run_path", type=AnyPath, required=True, help="Run folder; an unfinished run is gone on with.")
@profile_option
@mpp_option
@click.option("--mpp-table", type=ExistingFile, help="CSV with columns slide (path, file name or stem) and mpp.")
@settings_option
@jobs_option
@click.option("--store", "store_url", help="SQLAlchemy URL of a database; default is RUN/store.sqlite.")
@json_option
def assess(
    slides: tuple[Path, ...],
    run_path: Path,
    profile_name: str,
    mpp: float | None,
    mpp_table: Path | None,
    settings_path: Path | None,
    jobs: int,
    store_url: str | None,
    as_json: bool,
) -> None:
    """Assess slides: find tissue, map artefacts, give a verdict with its reason.

    SLIDES are files or folders. Exit code 1 if any slide could not be assessed, 130 after Ctrl-C.
    """
    from qc.cli.progress import RunProgress
    from qc.cli.table import print_records
    from qc.config.profile import load_profile
    from qc.exchange.mpp_table import read_mpp_table
    from qc.geometry import Mpp
    from qc.pipeline.folder import RunFolder
    from qc.pipeline.run import assess_many
    from qc.slide.files import find_slides

    settings = load_assess_settings(settings_path)
    profile = load_profile(profile_name)
    table = read_mpp_table(mpp_table) if mpp_table else {}
    files = find_slides(slides, Mpp(mpp) if mpp else None, table)
    run = RunFolder(run_path)
    try:
        with RunProgress(len(files)) as progress:
            records = assess_many(files, run, settings, profile, progress, jobs, store_url)
    except KeyboardInterrupt:
        ids = {file.slide_id for file in files}
        done = sum(record.stamp.slide_id in ids for record in run.records())
        click.echo(f"interrupted; {done} of {len(files)} slides are done, run again to go on", err=True)
        sys.exit(130)
    print_records(records, as_json)
    if not as_json:
        click.echo(f"pictures, tables and annotations: {run.root}")
    if any(record.kind == "failed" for record in records):
        sys.exit(1)
