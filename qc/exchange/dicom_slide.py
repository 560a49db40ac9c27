"""The DICOM form of a slide. In: any file of its series. Out: the header of level 0, and where its pixels lie."""

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from qc.errors import ExchangeError

_EMPTY_IF_ABSENT = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime"),
)


@dataclass(frozen=True)
class Frame:
    """Where the level-0 pixels of a DICOM slide lie in its slide coordinate system, as its header says.

    The header wins over an mpp that was given by hand: a segmentation has to lie on the pixels of its slide.

    Attributes:
        origin_mm: (x, y, z) of the top left corner of the total pixel matrix.
        orientation: Direction cosines of its rows and of its columns.
        spacing_mm: Between rows, and between columns.
    """

    origin_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, float]


def find_source(path: Path, size: tuple[int, int]) -> Dataset:
    """The instance of a DICOM slide that holds level 0, without its pixels.

    Args:
        path: Any file of the series; the others lie beside it.
        size: Level-0 width and height that the map was made from, pixels.

    Raises:
        ExchangeError: If the file is no DICOM slide, or no instance of its series has this size.
    """
    series = _header(path).get("SeriesInstanceUID")
    for candidate in (path, *sorted(path.parent.glob("*.dcm"))):
        header = _header(candidate)
        if header.get("SeriesInstanceUID") == series and _size(header) == size:
            return _completed(header, candidate)
    raise ExchangeError(
        f"{path} and its series have no image of {size[0]} x {size[1]} pixels, which the map was made from",
        "pass the DICOM form of this very slide",
    )


def frame_of(header: Dataset) -> Frame:
    """Where the slide's pixels lie."""
    origin = header.TotalPixelMatrixOriginSequence[0]
    rows, columns = header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
    return Frame(
        (
            float(origin.XOffsetInSlideCoordinateSystem),
            float(origin.YOffsetInSlideCoordinateSystem),
            float(origin.get("ZOffsetInSlideCoordinateSystem", 0)),
        ),
        tuple(float(cosine) for cosine in header.ImageOrientationSlide),
        (float(rows), float(columns)),
    )


def thickness_mm(header: Dataset) -> float:
    """Thickness of the section, millimetres; a millionth of a metre where the slide does not say: DICOM wants one."""
    measures = header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    return float(measures.get("SliceThickness") or 0.001)


def _header(path: Path) -> Dataset:
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except (OSError, InvalidDicomError) as error:
        raise ExchangeError(
            f"{path} is no DICOM file, and a DICOM segmentation can only lie on a DICOM slide",
            "convert the slide to DICOM, then pass that file as --dicom",
        ) from error


def _completed(header: Dataset, path: Path) -> Dataset:
    """The header with what DICOM demands to be there, even if empty; a slide without origin begins at (0, 0).

    Raises:
        ExchangeError: If it is no whole slide image, or states no frame of reference, orientation or pixel spacing.
    """
    if header.get("SOPClassUID") != VLWholeSlideMicroscopyImageStorage:
        raise ExchangeError(f"{path} is no DICOM whole slide image", "pass a file of the slide")
    for name in _EMPTY_IF_ABSENT:
        if name not in header:
            setattr(header, name, "")
    if "TotalPixelMatrixOriginSequence" not in header:
        origin = Dataset()
        origin.XOffsetInSlideCoordinateSystem = origin.YOffsetInSlideCoordinateSystem = 0
        header.TotalPixelMatrixOriginSequence = [origin]
    if not header.get("PositionReferenceIndicator"):
        header.PositionReferenceIndicator = "SLIDE_CORNER"
    try:
        frame_of(header)
    except (AttributeError, IndexError) as error:
        raise ExchangeError(f"{path} does not say where its pixels lie ({error})", "convert the slide again") from error
    return header


def _size(header: Dataset) -> tuple[int, int]:
    return int(header.get("TotalPixelMatrixColumns", 0)), int(header.get("TotalPixelMatrixRows", 0))
