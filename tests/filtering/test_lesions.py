import math

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qc.filtering.lesions import NOT_A_TILE, LesionSize, lesion_losses, loss_table, refusal
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap, TissueMask

MPP = 0.5


@pytest.fixture
def tiles() -> pd.DataFrame:
    """Four tiles of 1000 px in a row: kept, removed for a fold, kept, of a rejected slide."""
    reasons = ["", "fold 0.31 > 0.1", "", "slide rejected"]
    table = pd.DataFrame({"x_level0": [0, 1000, 2000, 3000], "y_level0": 0, "reason": reasons})
    return table.assign(width_level0=1000, height_level0=1000)


def test_what_a_lesion_loses_is_weighted_by_area_and_named_by_cause(tiles: pd.DataFrame):
    lesion = shapely.box(500, 500, 2000, 1500)  # 500 px over a kept tile, 1000 over a fold, half of it below the tiles

    (loss,) = lesion_losses("a-1", {"big": lesion}, tiles, MPP)

    assert loss.kept == pytest.approx(1 / 6)
    assert loss.lost == pytest.approx(5 / 6)
    assert loss.lost_to["fold"] == pytest.approx(2 / 6)
    assert loss.lost_to[NOT_A_TILE] == pytest.approx(1 / 2)
    assert loss.kept + sum(loss.lost_to.values()) == pytest.approx(1)
    assert loss.area_mm2 == pytest.approx(0.75 * 0.5)
    assert loss.diameter_mm == pytest.approx(math.hypot(0.75, 0.5))


def test_a_hole_in_a_lesion_is_no_tumour(tiles: pd.DataFrame):
    ring = shapely.box(0, 0, 2000, 1000) - shapely.box(1000, 0, 2000, 1000)

    (loss,) = lesion_losses("a-1", {"ring": ring}, tiles, MPP)

    assert loss.lost == pytest.approx(0)


@pytest.mark.parametrize(
    ("side_px", "size"), [(200, LesionSize.ITC), (400, LesionSize.MICRO), (3000, LesionSize.MACRO)]
)
def test_size_follows_the_longest_diameter(side_px: int, size: LesionSize, tiles: pd.DataFrame):
    (loss,) = lesion_losses("a-1", {"one": shapely.box(0, 0, side_px, side_px)}, tiles, MPP)

    assert loss.size is size


def test_a_slide_without_tiles_or_mpp_loses_everything(tiles: pd.DataFrame):
    (loss,) = lesion_losses("a-1", {"one": shapely.box(0, 0, 100, 100)}, tiles.iloc[:0], 0.0)

    assert (loss.lost, loss.size) == (1, LesionSize.UNKNOWN)
    assert math.isnan(loss.diameter_mm)


def test_isolated_tumour_cells_are_named_in_the_refusal(tiles: pd.DataFrame):
    lesions = {"cells": shapely.box(1100, 0, 1300, 200), "safe": shapely.box(0, 0, 500, 500)}
    losses = lesion_losses("a-1", lesions, tiles, MPP)

    sentence = refusal(losses, 0.1)

    assert sentence == (
        "the filter would take more than 10% of 1 of 2 lesions, among them isolated tumour cells a-1 cells (100%)"
    )
    assert refusal(losses, 1.0) == ""
    assert loss_table(losses, 0.1)["is_beyond_limit"].tolist() == [True, False]


def test_tissue_under_artefact_counts_cells_of_the_lesion(tiles: pd.DataFrame):
    grid = Grid(Size(4000, 1000), Mpp(MPP), Mpp(5.0))
    classes = np.full(grid.shape, ArtefactClass.CLEAN, np.uint8)
    classes[:, 100:200] = ArtefactClass.FOLD
    classes[:50, 200:300] = ArtefactClass.GLASS
    maps = ArtefactMap(classes, grid), TissueMask(np.ones(grid.shape, np.bool_), grid)

    (loss,) = lesion_losses("a-1", {"one": shapely.box(1001, 1, 2999, 999)}, tiles, MPP, maps)
    (speck,) = lesion_losses("a-1", {"one": shapely.box(1002, 2, 1003, 3)}, tiles, MPP, maps)
    (beyond,) = lesion_losses("a-1", {"one": shapely.box(9000, 0, 9100, 100)}, tiles, MPP, maps)

    assert loss.tissue_under_artefact == pytest.approx(2 / 3)
    assert speck.tissue_under_artefact == 1
    assert math.isnan(beyond.tissue_under_artefact)


def test_causes_of_many_lesions_match_their_areas(tiles: pd.DataFrame):
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 3500, (50, 2))
    lesions = {str(i): shapely.box(x, y / 4, x + 300, y / 4 + 200) for i, (x, y) in enumerate(corners)}
    kept_area = shapely.union_all([shapely.box(0, 0, 1000, 1000), shapely.box(2000, 0, 3000, 1000)])

    losses = lesion_losses("a-1", lesions, tiles, MPP)

    expected = [lesion.intersection(kept_area).area / lesion.area for lesion in lesions.values()]
    assert [loss.kept for loss in losses] == pytest.approx(expected)


def test_no_lesion_no_refusal():
    assert refusal([], 0.0) == ""
    assert loss_table([], 0.1).empty


@settings(max_examples=60, deadline=None)
@given(st.floats(300, 700), st.floats(300, 700), st.floats(20, 250))
def test_a_lesion_that_is_kept_whole_loses_nothing_at_all(x: float, y: float, radius: float):
    rows, columns = np.divmod(np.arange(100), 10)
    kept = pd.DataFrame({"x_level0": columns * 100, "y_level0": rows * 100, "reason": ""})

    (loss,) = lesion_losses(
        "a", {"round": shapely.Point(x, y).buffer(radius)}, kept.assign(width_level0=100, height_level0=100), MPP
    )

    assert loss.lost == 0
    assert not refusal([loss], 0.0)
