"""`qc import`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qc.cli.options import AnyPath
from qc.errors import ExchangeError

if TYPE_CHECKING:
    from qc.record import Assessed, Failed


@click.command("import")
@click.argument("paths", metavar="GEOJSON...", nargs=-1, required=True, type=AnyPath)
@click.option("--run", "run_path", type=AnyPath, required=True, help="Run that the slides were assessed in.")
@click.option("--slide", help="Slide id, file name or stem.  [default: as the file is named]")
@click.option(
    "--data", "root", type=AnyPath, required=True, help="Folder that trainings are told; all slides lie under it."
)
@click.option("--out", "folder", type=AnyPath, required=True, help="Folder for masks/ and sources.toml, added to.")
@click.option("--licence", default="", help="Licence of the slides' pixels; without it they may only be measured on.")
@click.option(
    "--rename",
    "renames",
    multiple=True,
    metavar="NAME=NAME",
    help="Read a class of the file as one that is known here.",
)
def import_command(
    paths: tuple[Path, ...],
    run_path: Path,
    slide: str | None,
    root: Path,
    folder: Path,
    licence: str,
    renames: tuple[str, ...],
) -> None:
    """Make training masks of annotations that were corrected in QuPath.

    GEOJSON are files or folders of them. Each becomes a label mask on the grid of its slide's map, and an entry of
    OUT/sources.toml, from which qc train artefact learns.
    """
    from qc.exchange.annotations import burnt, check_place, read_drawing
    from qc.exchange.corrections import SOURCES_FILE, add_sources, source_of, write_mask
    from qc.exchange.rasters import read_artefact_map
    from qc.pipeline.folder import open_run

    run = open_run(run_path)
    records, renamed = run.records(), dict(_split(one) for one in renames)
    files = list(_files(paths))
    if slide and len(files) > 1:
        raise ExchangeError("--slide names one slide, and there are several files", "name the files by slide ids")
    entries = []
    for path in files:
        drawing = read_drawing(path, renamed)
        record = _record(records, slide or drawing.slide_id or path.stem, path)
        base = read_artefact_map(run.slide(record.stamp.slide_id).artefacts)
        check_place(drawing, path, record.stamp.slide_id, base.grid.slide_size)
        mask = write_mask(burnt(drawing.annotations, base), base.grid, record, folder)
        entries.append(source_of(record, mask, root, licence))
        click.echo(mask)
    add_sources(entries, folder / SOURCES_FILE)
    click.echo(folder / SOURCES_FILE)
    if not licence:
        click.echo('entered with use = "evaluate": state a --licence to train weights that are kept', err=True)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(path.glob("*.geojson"))
            if not found:
                raise ExchangeError(f"{path} holds no .geojson files", "check the path")
            yield from found
        else:
            yield path


def _record(records: "Sequence[Assessed | Failed]", name: str, path: Path) -> "Assessed":
    from qc.exchange.chosen import chosen_records
    from qc.record import Assessed

    (record,) = chosen_records(records, [name])
    if not isinstance(record, Assessed):
        raise ExchangeError(f"{path} is about {name}, which has no map: {record.reason}", record.remedy)
    return record


def _split(rename: str) -> tuple[str, str]:
    name, sign, meant = rename.partition("=")
    if not sign:
        raise ExchangeError(f"--rename {rename!r} has no equals sign", "write it as 'Name in the file=Pen'")
    return name, meant
