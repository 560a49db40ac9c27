import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qc.geometry import Grid, Mpp, Size
from qc.maps import TissueMask, tissue_in
from qc.slide.tiles import plan_tiles


@st.composite
def masks(draw):
    """A tissue mask and a grid to read on, over a slide of any size and any pair of mpp."""
    size = Size(draw(st.integers(1, 900)), draw(st.integers(1, 900)))
    mpp = Mpp(draw(st.floats(0.1, 2.0)))
    coarse = Grid(size, mpp, Mpp(draw(st.floats(4.0, 30.0))))
    fine = Grid(size, mpp, Mpp(max(mpp, draw(st.floats(0.5, 3.0)))))
    seed, share = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.01, 0.3, 1.0]))
    is_tissue = np.random.default_rng(seed).random(coarse.shape) < share
    return TissueMask(is_tissue, coarse), fine


@settings(max_examples=50, deadline=None)
@given(masks(), st.integers(16, 600), st.sampled_from([0, 8, 32]))
def test_cores_cover_every_tissue_cell_exactly_once_and_the_edges_too(slide, tile_px, cut_px):
    tissue, grid = slide
    times = np.zeros(grid.shape, np.uint8)

    plan = plan_tiles(tissue, grid, tile_px, 32, cut_px)
    for core in plan.cores:
        times[core.clipped(grid.size).slices] += 1

    assert times.max(initial=0) <= 1
    assert times[tissue_in(tissue, grid, grid.window)].all()


@settings(max_examples=50, deadline=None)
@given(masks(), st.integers(16, 600))
def test_no_tile_is_read_without_need(slide, tile_px):
    tissue, grid = slide

    plan = plan_tiles(tissue, grid, tile_px, 32)

    ratio = grid.pitch / tissue.grid.pitch
    for core in plan.cores:
        rows = slice(max(0, int(core.y * ratio) - 1), int(core.bottom * ratio) + 2)
        columns = slice(max(0, int(core.x * ratio) - 1), int(core.right * ratio) + 2)
        assert tissue.is_tissue[rows, columns].any()


@settings(max_examples=50, deadline=None)
@given(masks(), st.integers(16, 600))
def test_cut_cores_lie_in_whole_ones_and_close_around_tissue(slide, tile_px):
    tissue, grid = slide

    whole, cut = plan_tiles(tissue, grid, tile_px, 32), plan_tiles(tissue, grid, tile_px, 32, 8)

    slack = 2 * (8 + 2 + np.ceil(tissue.grid.pitch / grid.pitch))
    for outer, inner in zip(whole.cores, cut.cores, strict=True):
        assert outer.x <= inner.x < inner.right <= outer.right
        assert outer.y <= inner.y < inner.bottom <= outer.bottom
        is_tissue = tissue_in(tissue, grid, inner)
        if is_tissue.any():
            assert inner.width <= max(min(tile_px, 32), np.ptp(np.flatnonzero(is_tissue.any(axis=0))) + slack)
            assert inner.height <= max(min(tile_px, 32), np.ptp(np.flatnonzero(is_tissue.any(axis=1))) + slack)


def test_tissue_in_the_very_last_cell_gets_a_tile():
    coarse = Grid(Size(5001, 3333), Mpp(0.499), Mpp(8.0))
    is_tissue = np.zeros(coarse.shape, np.bool_)
    is_tissue[-1, -1] = True

    plan = plan_tiles(TissueMask(is_tissue, coarse), coarse.at(0.998), 512, 32)

    assert [core.clipped(plan.grid.size).right for core in plan.cores][-1] == plan.grid.size.width
    assert [core.clipped(plan.grid.size).bottom for core in plan.cores][-1] == plan.grid.size.height
