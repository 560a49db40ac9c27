import json

import cv2
import numpy as np
import pytest
import shapely.geometry
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qc.exchange.annotations import burnt, read_drawing
from qc.exchange.geojson import feature_collection, write_geojson
from qc.geometry import Grid, Mpp, Size
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap, TissueMask

pitches = st.sampled_from([(0.25, 2.0), (0.499, 1.996), (0.5056, 2.0224), (1.0, 1.0), (0.253, 2.1)])


@st.composite
def maps(draw):
    """A map and a mask on one grid of small, ragged, holed areas."""
    width, height = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    slide_mpp, cell_mpp = draw(pitches)
    pitch = cell_mpp / slide_mpp
    grid = Grid(Size(int(width * pitch) or 1, int(height * pitch) or 1), Mpp(slide_mpp), Mpp(cell_mpp))
    classes = draw(hnp.arrays(np.uint8, grid.shape, elements=st.integers(0, 7)))
    is_tissue = draw(hnp.arrays(np.bool_, grid.shape))
    return ArtefactMap(classes, grid), TissueMask(is_tissue, grid)


def expected(artefacts, tissue):
    base = np.where(tissue.is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS)
    return np.where(np.isin(artefacts.classes, ARTEFACTS), artefacts.classes, base)


def back(collection, base, folder):
    path = folder / "drawn.geojson"
    write_geojson(collection, path)
    return burnt(read_drawing(path).annotations, base)


@settings(deadline=None)
@given(maps())
def test_a_map_comes_back_from_its_outlines_cell_by_cell(tmp_path_factory, slide):
    artefacts, tissue = slide
    seen = ArtefactMap(np.full_like(artefacts.classes, ArtefactClass.GLASS), artefacts.grid)

    collection = feature_collection(artefacts, tissue)

    assert np.array_equal(back(collection, seen, tmp_path_factory.getbasetemp()), expected(artefacts, tissue))


@settings(deadline=None)
@given(maps())
def test_a_stored_map_comes_back_whole_what_nobody_saw_included(tmp_path_factory, slide):
    artefacts, drawn = slide
    is_classified = np.isin(artefacts.classes, (ArtefactClass.CLEAN, *ARTEFACTS))
    is_unseen = artefacts.classes == ArtefactClass.UNASSESSED
    tissue = TissueMask(is_classified | (is_unseen & drawn.is_tissue), artefacts.grid)

    collection = feature_collection(artefacts, tissue)

    assert np.array_equal(back(collection, artefacts, tmp_path_factory.getbasetemp()), artefacts.classes)


def test_simplified_outlines_move_borders_by_a_cell_and_no_more(tmp_path):
    grid = Grid(Size(400, 400), Mpp(0.5), Mpp(1.0))
    y, x = np.mgrid[:200, :200]
    classes = np.where((x - 90) ** 2 + (y - 100) ** 2 < 70**2, ArtefactClass.CLEAN, ArtefactClass.GLASS)
    classes[(x - 90) ** 2 + (y - 80) ** 2 < 30**2] = ArtefactClass.PEN
    artefacts = ArtefactMap(classes.astype(np.uint8), grid)

    tissue = TissueMask(artefacts.classes != ArtefactClass.GLASS, grid)

    collection = feature_collection(artefacts, tissue, simplify_cells=1.0)

    changed = back(collection, artefacts, tmp_path) != artefacts.classes
    inner = np.zeros_like(changed)
    for value in (ArtefactClass.CLEAN, ArtefactClass.GLASS, ArtefactClass.PEN):
        inner |= cv2.erode((artefacts.classes == value).astype(np.uint8), np.ones((5, 5))) > 0
    assert changed.any()
    assert not (changed & inner).any()


@settings(deadline=None)
@given(maps())
def test_every_outline_is_valid_inside_the_slide_and_has_its_true_area(slide):
    artefacts, tissue = slide
    grid = artefacts.grid

    features = feature_collection(artefacts, tissue)["features"]

    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    assert all(shape.is_valid and not shape.is_empty for shape in shapes)
    in_cells = np.count_nonzero(np.isin(artefacts.classes, ARTEFACTS)) + np.count_nonzero(tissue.is_tissue)
    assert sum(shape.area for shape in shapes) == pytest.approx(in_cells * grid.pitch**2, rel=0.01)
    measured = sum(feature["properties"]["measurements"]["Area mm^2"] for feature in features)
    assert measured == pytest.approx(in_cells * grid.cell_area_mm2, rel=0.01)


def test_a_hole_stays_a_hole_and_what_lies_in_it_is_found(tmp_path):
    grid = Grid(Size(100, 100), Mpp(1.0), Mpp(1.0))
    classes = np.full((100, 100), ArtefactClass.CLEAN, np.uint8)
    classes[20:80, 20:80] = ArtefactClass.FOLD
    classes[40:60, 40:60] = ArtefactClass.CLEAN
    classes[48:52, 48:52] = ArtefactClass.PEN
    slide = ArtefactMap(classes, grid), TissueMask(np.ones((100, 100), np.bool_), grid)

    collection = feature_collection(*slide)

    fold = next(f for f in collection["features"] if f["properties"]["classification"]["name"] == "Fold")
    assert len(fold["geometry"]["coordinates"]) == 2
    assert np.array_equal(back(collection, slide[0], tmp_path), classes)


def test_names_colours_and_ids_are_what_qupath_expects(tmp_path):
    grid = Grid(Size(40, 40), Mpp(0.5), Mpp(2.0))
    classes = np.full(grid.shape, ArtefactClass.OUT_OF_FOCUS, np.uint8)
    slide = ArtefactMap(classes, grid), TissueMask(np.ones(grid.shape, np.bool_), grid)

    write_geojson(feature_collection(*slide), tmp_path / "a.geojson")

    collection = json.loads((tmp_path / "a.geojson").read_text())
    by_name = {f["properties"]["classification"]["name"]: f for f in collection["features"]}
    assert by_name["Out of focus"]["properties"]["classification"]["color"] == [255, 232, 0]
    assert by_name["Out of focus"]["properties"]["objectType"] == "annotation"
    assert by_name["Out of focus"]["properties"]["isLocked"] is False
    assert len({f["id"] for f in collection["features"]}) == len(collection["features"])
    assert shapely.geometry.shape(by_name["Tissue"]["geometry"]).bounds == (0, 0, 40, 40)


def test_small_areas_are_left_out_by_their_true_size():
    grid = Grid(Size(100, 100), Mpp(0.5), Mpp(2.0))
    classes = np.full(grid.shape, ArtefactClass.CLEAN, np.uint8)
    classes[1, 1] = ArtefactClass.PEN  # 4 um2
    classes[10:12, 10:12] = ArtefactClass.PEN  # 16 um2

    collection = feature_collection(
        ArtefactMap(classes, grid), TissueMask(np.zeros(grid.shape, np.bool_), grid), min_area_um2=10
    )

    assert len(collection["features"]) == 1
