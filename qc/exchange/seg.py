"""Artefact maps as DICOM segmentations that open against their slide.

In: a map, and the DICOM instance of the slide that it was made from. Out: a binary segmentation with a segment for each
class, in the slide's frame of reference, at the map's pitch. Like the levels of a pyramid it shares the slide's origin:
that is where their top left corners meet, so positions agree to the pixel whatever the pitch.
"""

from collections.abc import Iterator
from pathlib import Path

import highdicom
import numpy as np
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription, segread
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from qc.errors import ExchangeError
from qc.exchange.dicom_slide import frame_of, thickness_mm
from qc.files import replacing
from qc.geometry import Grid
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap
from qc.record import Assessed

_SCHEME = "99SLIDEGATE"
_TILE_CELLS = 512
_TISSUE = CodedConcept("85756007", "SCT", "Tissue")
_OBJECT = CodedConcept("260787004", "SCT", "Physical object")
_ANALYSIS = CodedConcept("123110", "DCM", "Artificial Intelligence")
_CODES = {
    ArtefactClass.CLEAN: (_TISSUE, _TISSUE),
    ArtefactClass.FOLD: (_TISSUE, CodedConcept("FOLD", _SCHEME, "Folded or torn tissue")),
    ArtefactClass.FOREIGN: (_OBJECT, CodedConcept("19227008", "SCT", "Foreign body")),
    ArtefactClass.PEN: (_OBJECT, CodedConcept("PEN", _SCHEME, "Pen marking")),
    ArtefactClass.BUBBLE: (_OBJECT, CodedConcept("BUBBLE", _SCHEME, "Air bubble or cover slip edge")),
    ArtefactClass.OUT_OF_FOCUS: (_TISSUE, CodedConcept("OUT_OF_FOCUS", _SCHEME, "Tissue out of focus")),
    ArtefactClass.GLASS: (_OBJECT, CodedConcept("433466003", "SCT", "Microscope slide")),
}
"""Category and type of each segment; its number is the class id, and UNASSESSED is what lies in no segment."""


def write_seg(artefacts: ArtefactMap, source: Dataset, record: Assessed, run_id: str, path: Path) -> None:
    """Write a map as a DICOM segmentation.

    Args:
        artefacts: The map.
        source: The slide's level 0, from `qc.exchange.dicom_slide.find_source`.
        record: The slide's record.
        run_id: The run that the map comes from.
        path: File to write.
    """
    frame = frame_of(source)
    pitch = artefacts.grid.pitch
    segmentation = Segmentation(
        source_images=[source],
        pixel_array=artefacts.classes[None],
        segmentation_type="BINARY",
        segment_descriptions=list(_segments(record)),
        series_instance_uid=highdicom.UID(),
        series_number=900,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="SlideGate",
        manufacturer_model_name="SlideGate",
        software_versions=record.stamp.software_version,
        device_serial_number=run_id,
        content_label="ARTEFACTS",
        content_description="Tissue and artefacts that SlideGate found",
        series_description="Tissue and artefacts (SlideGate)",
        coding_schemes=[CodingSchemeIdentificationItem(_SCHEME, name="SlideGate artefact classes")],
        pixel_measures=highdicom.PixelMeasuresSequence(
            pixel_spacing=[round(one * pitch, 12) for one in frame.spacing_mm], slice_thickness=thickness_mm(source)
        ),
        plane_orientation=highdicom.PlaneOrientationSequence("SLIDE", frame.orientation),
        plane_positions=[highdicom.PlanePositionSequence("SLIDE", frame.origin_mm, (1, 1))],
        tile_pixel_array=True,
        tile_size=(_TILE_CELLS, _TILE_CELLS),
    )
    with replacing(path) as partial:
        segmentation.save_as(partial)


def read_seg(path: Path, grid: Grid) -> ArtefactMap:
    """Read back what `write_seg` wrote.

    Raises:
        ExchangeError: If the file is no such segmentation or does not lie on `grid`.
    """
    try:
        segmentation = segread(path)
        classes: NDArray[np.uint8] = segmentation.get_total_pixel_matrix(combine_segments=True).astype(np.uint8)
        return ArtefactMap(classes, grid)
    except (OSError, InvalidDicomError, ValueError, AttributeError) as error:
        raise ExchangeError(f"{path} is no segmentation of this slide ({error})", "export it again") from error


def _segments(record: Assessed) -> Iterator[SegmentDescription]:
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=f"SlideGate {record.artefact_stage}"[:64],
        family=_ANALYSIS,
        version=record.stamp.software_version,
        parameters={"settings_fingerprint": record.stamp.settings_fingerprint},
    )
    for cls, (category, kind) in _CODES.items():
        yield SegmentDescription(
            segment_number=int(cls),
            segment_label=cls.label,
            segmented_property_category=category,
            segmented_property_type=kind,
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
            display_color=CIELabColor.from_rgb(*cls.colour),
        )
