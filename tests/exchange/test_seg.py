import numpy as np
import pydicom
import pytest
from highdicom.seg import segread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    SegmentationStorage,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

from qc.errors import ExchangeError
from qc.exchange.dicom_slide import find_source
from qc.exchange.seg import read_seg, write_seg
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap
from qc.record import Assessed, ClassCoverage, Stamp
from qc.slide.files import SlideFile, open_slide


def record():
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    numbers = dict.fromkeys(("tissue_mm2", "usable_mm2", "focus_score", "stain_score", "seconds"), 1.0)
    return Assessed(
        stamp=Stamp.unkept("a-1", "/slides/a.dcm", "0.3.0"),
        **{"verdict": "usable", "reason": "", "remedy": "", "profile": "p", "artefact_stage": "rules", "findings": ()},
        **numbers,
        **{"width_px": 1000, "height_px": 900, "mpp": 0.25, "mpp_source": "header", "slide_format": "dicom"},
        **{"read_mpp": 1.0, "map_mpp": 2.0, "tiles": 1, "tiles_unread": 0},
        coverage={name: ClassCoverage(share=0.0, area_mm2=0.0) for name in names},
    )


def headers(folder, *, orientation, spacing_mm, origin_mm, sizes):
    """Levels of one DICOM slide, headers only, with a patient."""
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for number, (width, height) in enumerate(sizes):
        slide, meta = Dataset(), FileMetaDataset()
        slide.SOPClassUID = meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
        slide.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slide.file_meta = meta
        slide.StudyInstanceUID, slide.SeriesInstanceUID, slide.FrameOfReferenceUID = study, series, frame
        slide.PatientID, slide.PatientName, slide.Modality = "p-7", "Roe^Jane", "SM"
        slide.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
        slide.Rows = slide.Columns = 256
        slide.NumberOfFrames = -(-width // 256) * -(-height // 256)
        slide.TotalPixelMatrixColumns, slide.TotalPixelMatrixRows = width, height
        slide.DimensionOrganizationType = "TILED_FULL"
        slide.ImageOrientationSlide = list(orientation)
        origin, measures, shared = Dataset(), Dataset(), Dataset()
        origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = origin_mm
        slide.TotalPixelMatrixOriginSequence = [origin]
        measures.PixelSpacing = [spacing_mm * sizes[0][0] / width] * 2
        shared.PixelMeasuresSequence = [measures]
        slide.SharedFunctionalGroupsSequence = [shared]
        paths.append(folder / f"{9 - number}.dcm")
        slide.save_as(paths[-1], enforce_file_format=True)
    return paths


def place_mm(slide, column, row):
    """Where a corner of the total pixel matrix lies on the glass: PS3.3, C.7.6.2.1.1, with the slide's attributes."""
    origin = slide.TotalPixelMatrixOriginSequence[0]
    start = [float(origin.XOffsetInSlideCoordinateSystem), float(origin.YOffsetInSlideCoordinateSystem)]
    rows, columns = map(float, slide.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing)
    cosines = [float(one) for one in slide.ImageOrientationSlide]
    along, down = np.array(cosines[:2]), np.array(cosines[3:5])
    return np.array(start) + along * column * columns + down * row * rows


@pytest.mark.parametrize("orientation", [(0, -1, 0, -1, 0, 0), (1, 0, 0, 0, 1, 0), (0, 1, 0, 1, 0, 0)])
@pytest.mark.parametrize("cell_mpp", [2.0, 2.0224])
def test_a_marked_cell_lies_where_the_slide_has_it(tmp_path, orientation, cell_mpp):
    _, full = headers(
        tmp_path, orientation=orientation, spacing_mm=0.001, origin_mm=(12.5, 40.25), sizes=[(1000, 700), (4000, 2800)]
    )
    grid = Grid(Size(4000, 2800), Mpp(0.25), Mpp(cell_mpp))
    classes = np.full(grid.shape, ArtefactClass.GLASS, np.uint8)
    classes[300, 200] = ArtefactClass.PEN

    source = find_source(tmp_path / "9.dcm", (4000, 2800))
    write_seg(ArtefactMap(classes, grid), source, record(), "run", tmp_path / "a.seg.dcm")

    seg, slide = pydicom.dcmread(tmp_path / "a.seg.dcm"), pydicom.dcmread(full)
    (row,), (column,) = np.nonzero(segread(tmp_path / "a.seg.dcm").get_total_pixel_matrix(segment_numbers=[4])[..., 0])
    assert seg.FrameOfReferenceUID == slide.FrameOfReferenceUID
    expected = place_mm(slide, column * grid.pitch, row * grid.pitch)
    assert place_mm(seg, column, row) == pytest.approx(expected, abs=1e-6)
    tile = next(one for one in seg.PerFrameFunctionalGroupsSequence if _segment(one) == 4).PlanePositionSlideSequence[0]
    corner = place_mm(seg, tile.ColumnPositionInTotalImagePixelMatrix - 1, tile.RowPositionInTotalImagePixelMatrix - 1)
    offset = float(tile.XOffsetInSlideCoordinateSystem), float(tile.YOffsetInSlideCoordinateSystem)
    assert offset == pytest.approx(tuple(corner), abs=1e-6)


def _segment(frame):
    return frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber


def test_it_refers_to_its_slide_and_names_its_segments(tmp_path):
    (full,) = headers(
        tmp_path, orientation=(0, -1, 0, -1, 0, 0), spacing_mm=0.0005, origin_mm=(1, 2), sizes=[(1000, 900)]
    )
    grid = Grid(Size(1000, 900), Mpp(0.5), Mpp(2.0))
    classes = np.random.default_rng(0).integers(0, 8, grid.shape, np.uint8)

    write_seg(ArtefactMap(classes, grid), find_source(full, (1000, 900)), record(), "run", tmp_path / "a.seg.dcm")

    seg, slide = segread(tmp_path / "a.seg.dcm"), pydicom.dcmread(full)
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == slide.SeriesInstanceUID
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == slide.SOPInstanceUID
    assert (seg.StudyInstanceUID, seg.PatientID, str(seg.PatientName)) == (slide.StudyInstanceUID, "p-7", "Roe^Jane")
    labels = {number: seg.get_segment_description(number).segment_label for number in seg.segment_numbers}
    assert labels == {int(cls): cls.label for cls in ArtefactClass if cls}
    codes = [seg.get_segment_description(number).segmented_property_type for number in (3, 6)]
    assert [(code.scheme_designator, code.meaning) for code in codes] == [
        ("SCT", "Foreign body"),
        ("99SLIDEGATE", "Tissue out of focus"),
    ]
    assert np.array_equal(read_seg(tmp_path / "a.seg.dcm", grid).classes, classes)


def as_pydicom_reads(path):
    """Each segment by number, laid together from frames and plane positions by pydicom alone."""
    seg = pydicom.dcmread(path)
    matrix = {int(one.SegmentNumber): np.zeros((seg.TotalPixelMatrixRows, seg.TotalPixelMatrixColumns), np.bool_)
              for one in seg.SegmentSequence}  # fmt: skip
    frames = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
    for frame, where in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
        place = where.PlanePositionSlideSequence[0]
        top, left = place.RowPositionInTotalImagePixelMatrix - 1, place.ColumnPositionInTotalImagePixelMatrix - 1
        part = matrix[_segment(where)][top : top + seg.Rows, left : left + seg.Columns]
        part[:] = frame[: part.shape[0], : part.shape[1]]
    return seg, matrix


def test_pydicom_alone_finds_every_cell_in_its_segment_and_the_frame_of_its_slide(tmp_path):
    (full,) = headers(
        tmp_path, orientation=(0, -1, 0, -1, 0, 0), spacing_mm=0.0005, origin_mm=(1, 2), sizes=[(2400, 2100)]
    )
    grid = Grid(Size(2400, 2100), Mpp(0.5), Mpp(2.0))  # 600 x 525 cells: four frames, three of them cut
    classes = np.random.default_rng(0).integers(0, 8, grid.shape, np.uint8)
    write_seg(ArtefactMap(classes, grid), find_source(full, (2400, 2100)), record(), "run", tmp_path / "a.seg.dcm")

    seg, matrix = as_pydicom_reads(tmp_path / "a.seg.dcm")

    slide = pydicom.dcmread(full)
    assert all(np.array_equal(found, classes == number) for number, found in matrix.items())
    assert set(matrix) == set(range(1, 8))
    assert seg.SOPClassUID == SegmentationStorage
    assert (seg.SegmentationType, seg.BitsAllocated, seg.Modality) == ("BINARY", 1, "SEG")
    assert seg.FrameOfReferenceUID == slide.FrameOfReferenceUID
    assert seg.PositionReferenceIndicator == "SLIDE_CORNER"
    assert [float(one) for one in seg.ImageOrientationSlide] == [0, -1, 0, -1, 0, 0]
    origin = seg.TotalPixelMatrixOriginSequence[0]
    assert (origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem) == (1, 2)
    assert {int(one.SegmentNumber): one.SegmentLabel for one in seg.SegmentSequence}[6] == "out of focus"


def test_what_is_no_dicom_slide_of_this_size_is_one_sentence(tmp_path):
    (full,) = headers(
        tmp_path, orientation=(0, -1, 0, -1, 0, 0), spacing_mm=0.001, origin_mm=(0, 0), sizes=[(1000, 900)]
    )
    (tmp_path / "a.svs").write_text("no DICOM")

    with pytest.raises(ExchangeError, match=r"no DICOM file.*--dicom"):
        find_source(tmp_path / "a.svs", (1000, 900))
    with pytest.raises(ExchangeError, match="no image of 500 x 450"):
        find_source(full, (500, 450))


def test_a_header_that_does_not_say_where_its_pixels_lie_is_one_sentence(tmp_path):
    (full,) = headers(
        tmp_path, orientation=(0, -1, 0, -1, 0, 0), spacing_mm=0.001, origin_mm=(0, 0), sizes=[(1000, 900)]
    )
    slide = pydicom.dcmread(full)
    del slide.ImageOrientationSlide
    slide.save_as(full)

    with pytest.raises(ExchangeError, match="does not say where its pixels lie"):
        find_source(full, (1000, 900))


@pytest.mark.data
@pytest.mark.parametrize("name", ["raw", "jpeg", "jpeg2000"])
def test_a_real_slide_gets_a_segmentation_on_its_own_pixels(qc_data, tmp_path, name):
    path = qc_data / "slides" / "dicom" / f"{name}.dcm"
    slide = open_slide(SlideFile(path, Mpp(0.5)))  # its own 16.8 is no pixel size
    grid = Grid(slide.size, slide.mpp, Mpp(2.0))
    slide.close()
    classes = np.random.default_rng(1).integers(0, 8, grid.shape, np.uint8)

    source = find_source(path, (grid.slide_size.width, grid.slide_size.height))
    write_seg(ArtefactMap(classes, grid), source, record(), "run", tmp_path / "a.seg.dcm")

    seg, header = pydicom.dcmread(tmp_path / "a.seg.dcm"), pydicom.dcmread(path, stop_before_pixels=True)
    spacing = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
    own = header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
    assert np.array_equal(read_seg(tmp_path / "a.seg.dcm", grid).classes, classes)
    assert [float(one) for one in spacing] == pytest.approx([float(one) * grid.pitch for one in own])
    assert list(seg.ImageOrientationSlide) == list(header.ImageOrientationSlide)
    assert seg.FrameOfReferenceUID == header.FrameOfReferenceUID
