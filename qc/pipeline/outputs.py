"""An assessment into its slide folder: pictures, map, annotations, and last the record."""

from PIL import Image

from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.rasters import write_artefact_map
from qc.figures.overlay import draw_overlay, fitted
from qc.files import replacing
from qc.pipeline.assess import Assessment
from qc.pipeline.folder import SlideFolder

_OVERVIEW_SIDE_PX = 1600
_OUTLINE_TOLERANCE_CELLS = 1.0
_AREA_MIN_UM2 = 100.0


def write_outputs(assessment: Assessment, folder: SlideFolder) -> None:
    """Write everything; the record comes last, so a killed process leaves an unfinished slide, not a wrong one."""
    folder.clear()
    record, overview = assessment.record, assessment.overview
    write_artefact_map(assessment.artefacts, folder.artefacts)
    _write_jpeg(Image.fromarray(fitted(overview.rgb, _OVERVIEW_SIDE_PX)), folder)
    title = f"{record.stamp.slide_id}: {record.verdict} - {record.reason}"
    overlay = draw_overlay(overview.rgb, assessment.artefacts, assessment.tissue, title, _OVERVIEW_SIDE_PX)
    with replacing(folder.overlay) as partial:
        overlay.save(partial, "JPEG", quality=90)
    annotations = feature_collection(assessment.artefacts, assessment.tissue, _OUTLINE_TOLERANCE_CELLS, _AREA_MIN_UM2)
    write_geojson(annotations, folder.geojson)
    folder.write_record(record)


def _write_jpeg(image: Image.Image, folder: SlideFolder) -> None:
    with replacing(folder.overview) as partial:
        image.save(partial, "JPEG", quality=90)
