"""`qc feedback`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath


@click.command()
@click.argument("run_path", metavar="RUN", type=AnyPath)
@click.option("--out", "folder", type=AnyPath, required=True, help="Folder for masks/ and sources.toml, added to.")
@click.option(
    "--data", "root", type=AnyPath, required=True, help="Folder that trainings are told; all slides lie under it."
)
@click.option("--drawings", type=AnyPath, help="Folder of outlines corrected in QuPath, <slide id>.geojson.")
@click.option("--licence", default="", help="Licence of the slides' pixels; without it they may only be measured on.")
@click.option("--store", "store_url", help="SQLAlchemy URL of a database; default is RUN/store.sqlite.")
def feedback(
    run_path: Path, folder: Path, root: Path, drawings: Path | None, licence: str, store_url: str | None
) -> None:
    """Make training data of what people decided against the verdict, and of what they corrected.

    The verdict is the one in force: of the profile by which the store judges the run, else of the assessment.
    Where sound tissue was marked, the marks are taken back. Where a fault was missed, the map is written for QuPath:
    draw the fault, then pass the folder as --drawings. qc train artefact learns from OUT/sources.toml.
    """
    from qc.errors import ExchangeError
    from qc.pipeline.feedback import write_feedback
    from qc.pipeline.folder import open_run
    from qc.pipeline.stored import settled

    run = open_run(run_path)
    if drawings is not None and not drawings.is_dir():
        raise ExchangeError(f"{drawings} is no folder", "name the folder that holds the .geojson files")
    people = settled(run, run.read_note().run_id, store_url)
    written = write_feedback(run, people, folder, root, licence, drawings)
    for path in written.files:
        click.echo(path)
    told = ", ".join(f"{count} {str(lesson).replace('_', ' ')}" for lesson, count in written.lessons.items())
    click.echo(f"{sum(written.lessons.values())} slides decided against the verdict: {told}")
    if not licence and any(path.suffix == ".png" for path in written.files):
        click.echo('entered with use = "evaluate": state a --licence to train weights that are kept', err=True)
