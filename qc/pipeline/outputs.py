"""Assessments into files: a slide into its folder, the record last; a run into its tables and contact sheet."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from qc.exchange import tables
from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.rasters import write_artefact_map, write_tissue_mask
from qc.figures.contact_sheet import Entry, contact_sheet
from qc.figures.overlay import draw_overlay, fitted, unframed
from qc.files import replacing
from qc.pipeline.assess import Assessment
from qc.pipeline.folder import RunFolder
from qc.pipeline.slide_folder import SlideFolder
from qc.record import Assessed, Failed, unnamed, worst_first

_PICTURE_SIDE_PX = 1600
_OUTLINE_TOLERANCE_CELLS = 1.0
_AREA_MIN_UM2 = 100.0
_SHEET_SLIDES_MAX = 24
_SHEET_NOTES_MAX = 12


def write_outputs(assessment: Assessment, folder: SlideFolder) -> None:
    """Write everything, each file with the record's stamp, less the path, which may hold a name.

    The record comes last, so a killed process leaves an unfinished slide, not a wrong one.
    """
    folder.clear()
    record, picture = assessment.record, assessment.picture
    stamp = record.stamp.model_dump(exclude={"path"})
    write_artefact_map(assessment.artefacts, folder.artefacts, stamp)
    write_tissue_mask(assessment.tissue, folder.tissue, stamp)
    _write_jpeg(Image.fromarray(fitted(picture, _PICTURE_SIDE_PX)), folder.overview, stamp)
    title = f"{record.stamp.slide_id}: {record.verdict} - {record.reason}"
    overlay = draw_overlay(picture, assessment.artefacts, assessment.tissue, title, _PICTURE_SIDE_PX)
    _write_jpeg(overlay, folder.overlay, stamp)
    annotations = feature_collection(assessment.artefacts, assessment.tissue, _OUTLINE_TOLERANCE_CELLS, _AREA_MIN_UM2)
    write_geojson(annotations, folder.geojson, stamp)
    folder.write_record(record)


def write_summary(run: RunFolder) -> None:
    """Write the tables and the contact sheet of all records in a run folder."""
    records = run.records()
    table = tables.rows(records)
    tables.write_csv(table, run.csv)
    tables.write_parquet(table, run.parquet)
    worst = worst_first(records)
    note = run.read_note()
    stamp = {"settings_fingerprint": note.settings_fingerprint, "software_version": note.software_version}
    _write_jpeg(contact_sheet(_entries(run, worst), _notes(worst)), run.contact_sheet, stamp)


def _entries(run: RunFolder, records: Sequence[Assessed | Failed]) -> list[Entry]:
    """The worst assessed slides whose picture is there."""
    entries = []
    for record in records:
        overlay = run.slide(record.stamp.slide_id).overlay
        if isinstance(record, Assessed) and overlay.is_file() and len(entries) < _SHEET_SLIDES_MAX:
            with Image.open(overlay) as picture:
                entries.append(Entry(unframed(picture), record.stamp.slide_id, record.verdict, record.reason))
    return entries


def _notes(records: Sequence[Assessed | Failed]) -> list[str]:
    """One line for each slide that could not be assessed, as far as there is room."""
    failed = [record for record in records if isinstance(record, Failed)]
    lines = [f"unassessed: {one.stamp.slide_id}: {unnamed(one.reason, one)}" for one in failed[:_SHEET_NOTES_MAX]]
    return [*lines, f"and {len(failed) - len(lines)} more"] if len(failed) > len(lines) else lines


def _write_jpeg(image: Image.Image, path: Path, stamp: Mapping[str, str]) -> None:
    with replacing(path) as partial:
        image.save(partial, "JPEG", quality=90, comment=json.dumps(dict(stamp)))
