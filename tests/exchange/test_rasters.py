import json

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from qc.errors import ExchangeError, RunError
from qc.exchange.rasters import (
    read_artefact_map,
    read_label_tiff,
    read_tissue_mask,
    write_artefact_map,
    write_label_mask,
    write_label_tiff,
    write_tissue_mask,
)
from qc.geometry import Grid, Mpp, Size
from qc.labels import IGNORE, ArtefactClass
from qc.maps import ArtefactMap, TissueMask


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.1, 5), st.floats(1, 9), st.data())
def test_a_map_comes_back_with_its_grid(tmp_path_factory, width, height, slide_mpp, times, data):
    grid = Grid(Size(width, height), Mpp(slide_mpp), Mpp(slide_mpp * times))
    classes = data.draw(hnp.arrays(np.uint8, grid.shape, elements=st.integers(0, 7)))
    path = tmp_path_factory.getbasetemp() / "map.png"

    write_artefact_map(ArtefactMap(classes, grid), path)
    back = read_artefact_map(path)

    assert np.array_equal(back.classes, classes)
    assert back.grid == grid


def test_any_viewer_sees_the_class_colours_and_the_legend(tmp_path):
    grid = Grid(Size(8, 1), Mpp(1.0), Mpp(1.0))
    write_artefact_map(ArtefactMap(np.arange(8, dtype=np.uint8)[None], grid), tmp_path / "map.png")

    image = Image.open(tmp_path / "map.png")

    shown = np.array(image.convert("RGB"))[0].tolist()
    assert shown == [list(c.colour) for c in ArtefactClass]
    assert json.loads(image.info["slidegate"])["legend"]["out of focus"]["id"] == 6


def test_a_tissue_mask_comes_back_with_its_grid_and_takes_a_bit_a_cell(tmp_path):
    grid = Grid(Size(8001, 6003), Mpp(0.2527), Mpp(8.0864))
    is_tissue = np.random.default_rng(0).random(grid.shape) < 0.5
    write_tissue_mask(TissueMask(is_tissue, grid), tmp_path / "tissue.png", {"slide_id": "a"})

    back = read_tissue_mask(tmp_path / "tissue.png")

    assert np.array_equal(back.is_tissue, is_tissue)
    assert back.grid == grid
    assert (tmp_path / "tissue.png").stat().st_size < grid.size.area / 8 * 1.2 + 500


def _cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def _replace_by_text(path):
    path.write_text("no map")


def _strip_chunk(path):
    Image.fromarray(np.array(Image.open(path))).save(path)


@pytest.mark.parametrize("spoil", [_cut, _replace_by_text, _strip_chunk, lambda path: path.unlink()])
def test_a_spoilt_map_is_an_error_with_a_way_out_and_never_a_map(tmp_path, spoil):
    path = tmp_path / "map.png"
    grid = Grid(Size(200, 200), Mpp(1.0), Mpp(1.0))
    classes = np.random.default_rng(0).integers(0, 8, (200, 200), np.uint8)
    write_artefact_map(ArtefactMap(classes, grid), path)

    spoil(path)

    with pytest.raises(RunError, match="assess the slide again"):
        read_artefact_map(path)
    with pytest.raises(RunError, match="assess the slide again"):
        read_tissue_mask(path)


def test_a_map_of_a_whole_large_slide_can_be_read_back(tmp_path):
    grid = Grid(Size(60_000, 12_600), Mpp(0.5), Mpp(1.0))  # 189 million cells, more than Pillow likes

    write_artefact_map(ArtefactMap(np.full(grid.shape, 7, np.uint8), grid), tmp_path / "map.png")

    assert read_artefact_map(tmp_path / "map.png").classes.shape == grid.shape


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 700), st.integers(1, 700), st.floats(0.1, 5), st.floats(1, 9), st.integers(0, 9))
def test_a_label_tiff_comes_back_with_its_grid(tmp_path_factory, width, height, slide_mpp, times, seed):
    grid = Grid(Size(width, height), Mpp(slide_mpp), Mpp(slide_mpp * times))
    classes = np.random.default_rng(seed).integers(0, 8, grid.shape, np.uint8)
    path = tmp_path_factory.getbasetemp() / "map.tif"

    write_label_tiff(ArtefactMap(classes, grid), path)
    back = read_label_tiff(path)

    assert np.array_equal(back.classes, classes)
    assert back.grid == grid


def test_other_programs_see_a_label_tiff_in_class_colours_and_its_cells_in_um(tmp_path):
    grid = Grid(Size(64, 8), Mpp(0.25), Mpp(2.0))
    write_label_tiff(ArtefactMap(np.arange(8, dtype=np.uint8)[None], grid), tmp_path / "map.tif")

    with Image.open(tmp_path / "map.tif") as image:
        shown = np.array(image.convert("RGB"))[0].tolist()
        values, per_inch = np.array(image)[0].tolist(), image.info["dpi"][0]
    with rasterio.open(tmp_path / "map.tif") as dataset:  # GDAL, as QGIS reads it
        colours, tags, transform = dataset.colormap(1), dataset.tags(), dataset.transform

    assert values == list(range(8))
    assert shown == [list(c.colour) for c in ArtefactClass]
    assert 25400 / per_inch == pytest.approx(2.0)
    assert colours[5][:3] == ArtefactClass.BUBBLE.colour
    assert float(tags["TIFFTAG_XRESOLUTION"]) == pytest.approx(5000)
    assert tags["TIFFTAG_RESOLUTIONUNIT"].startswith("3")
    assert tuple(transform)[:6] == (8, 0, 0, 0, -8, 0)


def test_a_tiff_that_is_no_map_is_one_sentence(tmp_path):
    Image.new("P", (8, 8)).save(tmp_path / "other.tif")

    with pytest.raises(ExchangeError, match="is no artefact map"):
        read_label_tiff(tmp_path / "other.tif")


def test_a_mask_with_ignored_cells_comes_back_and_is_read_by_index(tmp_path):
    grid = Grid(Size(9, 1), Mpp(1.0), Mpp(1.0))
    values = np.array([[0, 1, 2, 3, 4, 5, 6, 7, IGNORE]], np.uint8)

    write_label_mask(values, grid, tmp_path / "mask.png")

    assert np.array_equal(read_artefact_map(tmp_path / "mask.png").classes, values)
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "P"
        assert np.array_equal(np.array(image), values)
