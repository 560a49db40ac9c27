import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tifffile

from qc.config.assess import AssessSettings
from qc.errors import (
    ImplausibleMppError,
    MissingMppError,
    NotBrightfieldError,
    SlideError,
    TooSmallError,
    TruncatedSlideError,
    UnopenableSlideError,
)
from qc.geometry import Grid, Mpp, Size, Window
from qc.pipeline.assess import look
from qc.slide.files import SlideFile, open_slide
from qc.slide.reader import OpenSlideSlide, series_of
from qc.slide.window import read_overview, read_window

_TILE = Size(256, 256)


@pytest.fixture
def opened():
    slides = []

    def open_it(path, mpp=None):
        slides.append(open_slide(SlideFile(path, mpp)))
        return slides[-1]

    yield open_it
    for slide in slides:
        slide.close()


@pytest.mark.parametrize("sub_ifds", [False, True])
def test_a_written_pyramid_is_read_with_its_mpp_and_colours(tissue_rgb, write_pyramid, tmp_path, opened, sub_ifds):
    slide = opened(write_pyramid(tmp_path / "a.tif", tissue_rgb, mpp=0.4, sub_ifds=sub_ifds))

    pixels = slide.read(0, 900, 700, Size(300, 200))

    assert slide.size == Size.of(tissue_rgb.shape)
    assert slide.mpp == pytest.approx(0.4)
    assert pixels.shape == (200, 300, 4)
    assert (pixels[..., 3] == 255).all()
    assert np.abs(pixels[..., :3].astype(int) - tissue_rgb[700:900, 900:1200]).mean() < 8  # JPEG
    assert (slide.properties["format"], slide.properties["mpp_source"]) == ("generic-tiff", "header")


def test_the_pages_of_a_pyramid_are_its_levels(pyramid_tiff, opened):
    slide = opened(pyramid_tiff)

    assert [level.downsample for level in slide.levels] == [1, 2, 4]
    assert slide.levels[1].size == Size(1100, 950)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_read_of_a_level_counts_in_pixels_of_that_level(pyramid_tiff, tissue_rgb, opened, level):
    slide = opened(pyramid_tiff)

    whole = slide.read(level, 0, 0, slide.levels[level].size)
    part = slide.read(level, 150, 90, Size(64, 48))

    assert np.array_equal(part, whole[90:138, 150:214])


def test_beyond_the_slide_there_is_nothing(pyramid_tiff, opened):
    slide = opened(pyramid_tiff)

    pixels = slide.read(0, -10, slide.size.height - 20, Size(30, 40))

    assert (pixels[:20, 10:, 3] == 255).all()
    assert (pixels[20:, :, 3] == 0).all()
    assert (pixels[:, :10, 3] == 0).all()


def test_levels_show_the_same_place(pyramid_tiff, opened):
    slide = opened(pyramid_tiff)
    window = Window(100, 90, 60, 60)
    grid = Grid(slide.size, slide.mpp, Mpp(4.0))

    from_coarse = read_window(slide, grid, window).rgb.astype(float)
    fine = slide.read(0, 400, 360, Size(240, 240))[..., :3].reshape(60, 4, 60, 4, 3).mean((1, 3))

    assert np.abs(from_coarse - fine).mean() < 4


def test_the_callers_mpp_wins_over_the_header(pyramid_tiff, opened):
    slide = opened(pyramid_tiff, Mpp(0.33))

    assert slide.mpp == 0.33
    assert slide.properties["mpp_source"] == "caller"


def test_a_slide_without_mpp_is_refused_until_the_caller_gives_one(tissue_rgb, write_pyramid, tmp_path, opened):
    path = write_pyramid(tmp_path / "a.tif", tissue_rgb, mpp=None)

    with pytest.raises(MissingMppError, match="--mpp"):
        opened(path)
    assert opened(path, Mpp(0.5)).mpp == 0.5


def test_pixels_that_are_not_square_are_not_believed(tissue_rgb, tmp_path, opened):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, tissue_rgb, tile=(256, 256), resolution=(1e4, 2e4), resolutionunit="CENTIMETER")

    with pytest.raises(MissingMppError, match="different mpp"):
        opened(path)


def spoil_tile(path, index):
    """Overwrite the compressed bytes of one level-0 tile."""
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        offset, length = page.dataoffsets[index], page.databytecounts[index]  # type: ignore[union-attr]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\x00" * length)


@pytest.fixture
def spoilt(pyramid_tiff, tmp_path):
    path = tmp_path / "spoilt.tiff"
    path.write_bytes(pyramid_tiff.read_bytes())
    spoil_tile(path, 0)
    return path


def test_a_bad_tile_is_truncated_and_its_neighbours_are_still_read(spoilt, pyramid_tiff, opened):
    slide, good = opened(spoilt), opened(pyramid_tiff)

    with pytest.raises(TruncatedSlideError, match="copy the file again"):
        slide.read(0, 0, 0, _TILE)

    assert np.array_equal(slide.read(0, 256, 0, _TILE), good.read(0, 256, 0, _TILE))
    with pytest.raises(TruncatedSlideError):
        slide.read(0, 0, 0, _TILE)


def test_a_bad_tile_in_one_thread_costs_no_good_tile_in_another(spoilt, opened):
    slide = opened(spoilt)
    start = threading.Barrier(8)

    def read(worker):
        start.wait()
        outcomes = []
        for i in range(40):
            bad = (worker + i) % 3 == 0
            try:
                slide.read(0, 0 if bad else 256 * (1 + i % 7), 0 if bad else 256 * (i % 6), _TILE)
                outcomes.append((bad, True))
            except TruncatedSlideError:
                outcomes.append((bad, False))
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        outcomes = [outcome for one in pool.map(read, range(8)) for outcome in one]

    assert all(was_read is not bad for bad, was_read in outcomes)


def read_all(path) -> Any:
    """Level 0 of a file, or what is wrong with it."""
    try:
        slide = open_slide(SlideFile(path, Mpp(1.0)))
        return read_overview(slide, Grid(slide.size, slide.mpp, slide.mpp)).rgb
    except (UnopenableSlideError, TruncatedSlideError) as error:
        return error


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.9, 0.99])
def test_a_file_cut_off_at_its_end_is_unopenable_or_truncated_or_lost_nothing(pyramid_tiff, tmp_path, share):
    whole = pyramid_tiff.read_bytes()
    path = tmp_path / "cut.tiff"
    path.write_bytes(whole[: int(share * len(whole))])

    outcome = read_all(path)

    if isinstance(outcome, SlideError):
        assert outcome.hint
    else:  # only the coarsest level is gone, and nothing in the file says that there was one
        assert share >= 0.9
        assert np.array_equal(outcome, read_all(pyramid_tiff))


def test_bytes_missing_from_the_middle_do_not_pass_unseen(pyramid_tiff, tmp_path):
    whole = pyramid_tiff.read_bytes()
    path = tmp_path / "cut.tiff"
    path.write_bytes(whole[: len(whole) // 3] + whole[len(whole) // 2 :])

    assert isinstance(read_all(path), SlideError)


def test_a_replaced_handle_that_finds_no_file_any_more_says_so(spoilt, opened):
    slide = opened(spoilt)
    spoilt.unlink()

    with pytest.raises(SlideError):
        slide.read(0, 0, 0, _TILE)


@pytest.mark.data
def test_a_real_aperio_slide(qc_data, opened):
    slide = opened(qc_data / "slides" / "cmu-1-small-region.svs")

    sight = look(slide, AssessSettings())

    assert (slide.properties["format"], slide.size) == ("aperio", Size(2220, 2967))
    assert slide.mpp == pytest.approx(0.499)
    assert sight.tissue.area_mm2 > 0.3


@pytest.mark.data
def test_a_real_aperio_slide_without_mpp(qc_data, opened):
    with pytest.raises(MissingMppError):
        opened(qc_data / "slides" / "tcga-cr-7395.svs")


@pytest.mark.data
def test_a_real_fluorescence_slide_is_refused(qc_data, opened):
    slide = opened(next((qc_data / "slides" / "not-brightfield").glob("*.ndpi")))

    with pytest.raises(NotBrightfieldError):
        look(slide, AssessSettings())


@pytest.mark.data
@pytest.mark.parametrize("codec", ["raw", "jpeg", "jpeg2000"])
def test_real_dicom_is_read_in_every_codec_and_its_meaningless_mpp_refused(qc_data, opened, codec):
    path = qc_data / "slides" / "dicom" / f"{codec}.dcm"
    slide = opened(path)

    pixels = slide.read(0, 0, 0, Size(64, 64))

    assert slide.properties["format"] == "dicom"
    assert slide.properties["series"] == series_of(path) != ""
    assert pixels[..., 3].any()
    with pytest.raises(ImplausibleMppError):
        look(slide, AssessSettings())


@pytest.mark.data
def test_real_malformed_files_are_errors_with_a_way_out(qc_data):
    for path in sorted((qc_data / "slides" / "malformed").iterdir()):
        with pytest.raises(SlideError) as caught:
            look(open_slide(SlideFile(path, Mpp(0.5))), AssessSettings())
        assert caught.value.hint
        assert caught.value.message.startswith(path.name)


@pytest.mark.data
def test_real_files_far_too_small_are_refused(qc_data, opened):
    with pytest.raises(TooSmallError):
        look(opened(qc_data / "slides" / "tiny" / "boxes.tiff", Mpp(0.25)), AssessSettings())


def test_an_adapter_of_a_file_that_is_no_slide(tmp_path):
    path = tmp_path / "a.svs"
    path.write_text("no slide")

    with pytest.raises(UnopenableSlideError, match=r"a\.svs"):
        OpenSlideSlide(path)
    assert series_of(path) == ""
