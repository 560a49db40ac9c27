from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qc.config.filter import TileSettings
from qc.errors import SettingsError
from qc.filtering.candidates import find_candidates, lattice_of, near_glass
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.manifest import CLASS_COLUMNS
from qc.maps import ArtefactMap, TissueMask

Maps = tuple[ArtefactMap, TissueMask]
ANYWHERE = TileSettings(tile_px=256, tissue_min=0.01, hole_um=0)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(300, 9000),
    height=st.integers(300, 9000),
    slide_mpp=st.floats(0.1, 1.2),
    tile_px=st.integers(128, 1024),
    tile_mpp=st.floats(0.25, 2.0),
)
def test_tiles_lie_inside_the_slide_and_every_cell_in_one_at_most(
    width: int, height: int, slide_mpp: float, tile_px: int, tile_mpp: float
):
    grid = Grid(Size(width, height), Mpp(slide_mpp), Mpp(7.0))
    lattice = lattice_of(grid, TileSettings(tile_px=tile_px, tile_mpp=tile_mpp))
    rows, columns = lattice.shape

    regions = [lattice.region(column, row) for row in range(rows) for column in range(columns)]
    cells = lattice.summed(np.ones(grid.shape, np.bool_), grid) if regions else np.zeros((0, 0))

    covered = sum(region.width * region.height for region in regions)
    assert all(region.x + region.width <= width and region.y + region.height <= height for region in regions)
    assert len({(region.x // region.width, region.y // region.height) for region in regions}) == len(regions)
    assert covered == rows * columns * lattice.side_level0**2
    assert cells.size == len(regions)
    assert cells.sum() <= grid.size.area
    assert np.all(cells > 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), width=st.integers(1500, 4000), height=st.integers(1500, 4000))
def test_shares_are_those_of_a_count_cell_by_cell(seed: int, width: int, height: int, make_maps: Callable[..., Maps]):
    artefacts, tissue = make_maps(seed, width, height)
    pitch = artefacts.grid.pitch
    is_tissue = tissue.is_tissue & (artefacts.classes != ArtefactClass.GLASS)

    for tile in find_candidates(artefacts, tissue, ANYWHERE).to_dict("records"):
        centres_x = (np.arange(artefacts.grid.size.width) + 0.5) * pitch
        centres_y = (np.arange(artefacts.grid.size.height) + 0.5) * pitch
        inside_x = (centres_x >= tile["x_level0"]) & (centres_x < tile["x_level0"] + tile["width_level0"])
        inside_y = (centres_y >= tile["y_level0"]) & (centres_y < tile["y_level0"] + tile["height_level0"])
        classes = artefacts.classes[np.ix_(inside_y, inside_x)]
        inside = is_tissue[np.ix_(inside_y, inside_x)]
        assert tile["tissue"] == pytest.approx(inside.mean())
        for name in CLASS_COLUMNS:
            assert tile[name] == pytest.approx((classes[inside] == ArtefactClass[name.upper()]).mean())


def disc_of_tissue(hole_um: float) -> Maps:
    """A disc of clean tissue, 12 mm across, with a round hole in its middle, on a slide of 16 mm."""
    grid = Grid(Size(32000, 32000), Mpp(0.5), Mpp(8.0))
    y, x = np.indices(grid.shape) * 8.0 + 4.0
    distance_um = np.hypot(x - 8000, y - 8000)
    is_tissue = (distance_um < 6000) & (distance_um >= hole_um / 2)
    classes = np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
    return ArtefactMap(classes, grid), TissueMask(is_tissue, grid)


def test_no_tile_touches_the_border_or_a_hole_but_small_vessels_do_not_matter():
    around_hole = find_candidates(*disc_of_tissue(hole_um=600), TileSettings(tissue_min=0.1))
    around_vessel = find_candidates(*disc_of_tissue(hole_um=150), TileSettings(tissue_min=0.1))

    corners = [
        np.hypot(around_hole["x_level0"] + dx - 16000, around_hole["y_level0"] + dy - 16000)
        for dx in (0, 1024)
        for dy in (0, 1024)
    ]
    assert np.max(corners) < 12000 + 25  # glass is seen in cells of 12.5 um here
    assert len(around_vessel) == len(around_hole) + 4  # the four tiles that meet in the hole
    assert len(around_hole) > 200


def test_a_tile_keeps_its_distance_from_glass():
    near, far = (find_candidates(*disc_of_tissue(0), TileSettings(margin_um=margin)) for margin in (0, 400))

    assert 0 < len(far) < len(near)


def test_a_border_too_thin_for_the_disc_is_no_border_but_the_slide_edge_is():
    grid = Grid(Size(2000, 2000), Mpp(1.0), Mpp(10.0))
    is_tissue = np.ones(grid.shape, np.bool_)
    is_tissue[:, 100:105] = False

    is_near, coarse = near_glass(is_tissue, grid, TileSettings(hole_um=200))
    is_near_slit, fine = near_glass(is_tissue, grid, TileSettings(hole_um=40))
    is_near_edge, _ = near_glass(is_tissue, grid, TileSettings(hole_um=200, margin_um=300))

    assert not is_near[5:-5].any()
    assert (coarse.cell_mpp, fine.cell_mpp) == (12.5, 10.0)
    assert is_near_slit[:, 100:105].all()
    assert not is_near_slit[:, :95].any()
    assert is_near_edge[0].all()


def test_a_slide_coarser_than_its_tiles_has_none(make_maps: Callable[..., Maps]):
    assert find_candidates(*make_maps(mpp=1.0), ANYWHERE).empty


def test_a_slide_smaller_than_a_tile_has_none(make_maps: Callable[..., Maps]):
    assert find_candidates(*make_maps(width=900, height=3000), TileSettings(hole_um=0)).empty


def test_tiles_smaller_than_the_map_can_tell_are_refused(make_maps: Callable[..., Maps]):
    with pytest.raises(SettingsError, match=r"tiles of 16 um are too small for a map of 8 um cells"):
        find_candidates(*make_maps(), TileSettings(tile_px=32))
