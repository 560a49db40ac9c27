import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from qc.errors import RunError
from qc.exchange.rasters import read_artefact_map, write_artefact_map
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap


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


def test_a_map_of_a_whole_large_slide_can_be_read_back(tmp_path):
    grid = Grid(Size(60_000, 12_600), Mpp(0.5), Mpp(1.0))  # 189 million cells, more than Pillow likes

    write_artefact_map(ArtefactMap(np.full(grid.shape, 7, np.uint8), grid), tmp_path / "map.png")

    assert read_artefact_map(tmp_path / "map.png").classes.shape == grid.shape
