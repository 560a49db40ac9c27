"""`qc demo`."""

import sys
from pathlib import Path

import click

from qc.cli.options import AnyPath, ExistingFile, jobs_option, profile_option


@click.command()
@click.option("--out", "folder", type=AnyPath, default=Path("demo"), show_default=True, help="Folder to write to.")
@click.option("--cohort", "cohort_path", type=ExistingFile, help="Another cohort file; default is the packaged one.")
@profile_option
@jobs_option
def demo(folder: Path, cohort_path: Path | None, profile_name: str, jobs: int) -> None:
    """Make sample slides, assess them, show the table, and say where to look next."""
    from qc.cli.options import load_assess_settings
    from qc.cli.progress import RunProgress, counted
    from qc.cli.table import print_records
    from qc.config.profile import load_profile
    from qc.demo import demo_cohort_path, write_missing
    from qc.phantom import load_cohort
    from qc.pipeline.folder import RunFolder
    from qc.pipeline.run import assess_many
    from qc.slide.files import find_slides

    profile = load_profile(profile_name)
    cohort = load_cohort(cohort_path or demo_cohort_path())
    run = RunFolder(folder / "run")
    try:
        with counted("making sample slides", len(cohort.slides)) as advance:
            paths = write_missing(cohort, folder / "slides", advance)
        with RunProgress(len(paths)) as progress:
            records = assess_many(find_slides(paths), run, load_assess_settings(None), profile, progress, jobs)
    except KeyboardInterrupt:
        click.echo("interrupted; run again to go on", err=True)
        sys.exit(130)
    print_records(records, as_json=False)
    click.echo(f"""
Where to look next
  {run.contact_sheet}  all slides on one sheet, worst first
  {run.root / "slides"}/<slide>/overlay.jpg  one slide with its artefacts
  {run.csv}  the table; slides.parquet and store.sqlite hold the same
  qc show {run.root}  this table again
  qc assess YOUR_SLIDES --out RUN  your own slides""")
