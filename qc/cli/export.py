"""`qc export`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qc.cli.options import AnyPath, ExistingFile
from qc.errors import ExchangeError, QCError

if TYPE_CHECKING:
    from qc.pipeline.folder import RunFolder
    from qc.record import Assessed

_OF_MAPS = ("geojson", "tiff", "seg")
_OF_RECORDS = ("csv", "parquet")
_OF_MANIFESTS = ("hdf5", "csv", "geojson")
_FORMATS = tuple(dict.fromkeys((*_OF_MAPS, *_OF_RECORDS, *_OF_MANIFESTS)))
_SUFFIXES = {"geojson": ".geojson", "tiff": ".labels.tif", "seg": ".seg.dcm"}


@click.command()
@click.argument("source", metavar="RUN|MANIFEST", type=AnyPath)
@click.option("--format", "wanted", type=click.Choice(_FORMATS), required=True, help="What to write.")
@click.option("--out", "folder", type=AnyPath, required=True, help="Folder for the files; made if it is missing.")
@click.option(
    "--slide", "slides", multiple=True, help="Slide id, file name or stem; may be repeated.  [default: all slides]"
)
@click.option(
    "--simplify",
    "simplify_cells",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="geojson of a run: how far outlines may depart from the map, cells.",
)
@click.option(
    "--min-area",
    "min_area_um2",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="geojson of a run: least area of an artefact, square micrometres.",
)
@click.option("--dicom", type=ExistingFile, help="seg: DICOM form of the slide, when it was assessed in another.")
def export(
    source: Path, wanted: str, folder: Path, slides: tuple[str, ...], dicom: Path | None, **outlines: float
) -> None:
    """Give results to other programs, in their formats.

    Of a RUN: geojson (QuPath), tiff (labels with palette), seg (DICOM segmentation), csv and parquet (slides). Of a
    MANIFEST: hdf5 (patches for CLAM and TRIDENT), csv (tiles), geojson (tiles, for QuPath). Exit code 1 if a slide
    could not be exported.
    """
    slides = () if slides == ("all",) else slides
    if source.is_dir():
        files = _of_run(source, wanted, folder, slides, dicom, outlines)
    else:
        files = _of_manifest(source, wanted, folder, slides)
    has_failed = False
    for file in files:
        if isinstance(file, QCError):
            click.echo(f"qc: {file}", err=True)
            has_failed = True
        else:
            click.echo(file)
    if has_failed:
        sys.exit(1)


def _of_run(
    path: Path, wanted: str, folder: Path, slides: tuple[str, ...], dicom: Path | None, outlines: dict[str, float]
) -> Iterator[Path | QCError]:
    from qc.exchange import tables
    from qc.exchange.chosen import chosen_records
    from qc.pipeline.folder import open_run
    from qc.record import Assessed

    run = open_run(path)
    if folder.resolve() == path.resolve():
        raise ExchangeError(f"{folder} is the run itself", "choose another --out")
    records = chosen_records(run.records(), slides)
    if wanted in _OF_RECORDS:
        write = tables.write_csv if wanted == "csv" else tables.write_parquet
        write(tables.rows(records), folder / f"slides.{wanted}")
        yield folder / f"slides.{wanted}"
        return
    if wanted not in _OF_MAPS:
        raise ExchangeError(f"{wanted} is made of a manifest, and {path} is a run", "make one with qc filter")
    if dicom and (wanted != "seg" or len(records) != 1):
        raise ExchangeError("--dicom is for the segmentation of one slide", "name it with --slide")
    write_map = _map_writer(wanted, run, dicom, outlines)
    for record in records:
        try:
            if not isinstance(record, Assessed):
                raise ExchangeError(f"{record.stamp.slide_id} has no map: {record.reason}", record.remedy)
            target = folder / f"{record.stamp.slide_id}{_SUFFIXES[wanted]}"
            write_map(record, target)
            yield target
        except QCError as error:
            yield error


def _map_writer(
    wanted: str, run: "RunFolder", dicom: Path | None, outlines: dict[str, float]
) -> "Callable[[Assessed, Path], None]":
    from qc.exchange.rasters import read_artefact_map, write_label_tiff
    from qc.pipeline.stored import stored_maps

    def write(record: "Assessed", target: Path) -> None:
        slide = run.slide(record.stamp.slide_id)
        stamp: dict[str, Any] = record.stamp.model_dump(exclude={"path"})
        if wanted == "geojson":
            from qc.exchange.geojson import feature_collection, write_geojson

            write_geojson(feature_collection(*stored_maps(slide), **outlines), target, stamp)
        elif wanted == "tiff":
            write_label_tiff(read_artefact_map(slide.artefacts), target, stamp)
        else:
            from qc.exchange.dicom_slide import find_source
            from qc.exchange.seg import write_seg

            artefacts = read_artefact_map(slide.artefacts)
            size = artefacts.grid.slide_size
            instance = find_source(dicom or Path(record.stamp.path), (size.width, size.height))
            write_seg(artefacts, instance, record, run.read_note().run_id, target)

    return write


def _of_manifest(path: Path, wanted: str, folder: Path, slides: tuple[str, ...]) -> Iterator[Path | str]:
    from qc.exchange import tables
    from qc.exchange.chosen import chosen_slides
    from qc.exchange.coords import write_coords, write_process_list
    from qc.exchange.geojson import write_geojson
    from qc.exchange.slide_tiles import slide_tiles
    from qc.exchange.tile_outlines import tile_collection
    from qc.manifest import read_manifest

    if wanted not in _OF_MANIFESTS:
        raise ExchangeError(f"{wanted} is made of a run, and {path} is none", "pass the run folder")
    manifest = read_manifest(path)
    chosen = chosen_slides(manifest, slides)
    tiles = manifest.tiles.loc[manifest.tiles["slide_id"].isin(chosen)]
    if wanted == "csv":
        tables.write_csv(tiles, folder / f"{path.stem}.csv")
        yield folder / f"{path.stem}.csv"
    elif wanted == "hdf5":
        of_slides = [one for one in slide_tiles(manifest) if one.slide_id in chosen]
        for one in of_slides:
            yield from write_coords(one, folder) or [f"{one.slide_id}: no tile is kept, no file"]
        yield write_process_list(of_slides, folder)
    else:
        for slide_id in chosen:
            target = folder / f"{slide_id}.tiles.geojson"
            write_geojson(tile_collection(tiles.loc[tiles["slide_id"] == slide_id]), target, {"slide_id": slide_id})
            yield target
