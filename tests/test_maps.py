import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap, TissueMask, background, coverage, resample_nearest, stitch, tissue_in

sides = st.integers(1, 160)
mpps = st.sampled_from([0.25, 0.4990, 0.5056, 1.0, 1.2])
cell_mpps = st.floats(1.2, 20.0)


def grid_of(width, height, mpp=1.0, cell_mpp=1.0):
    return Grid(Size(width, height), Mpp(mpp), Mpp(cell_mpp))


@st.composite
def slides(draw):
    """A map and a tissue mask over one slide, on grids of their own."""
    width, height, mpp = draw(sides), draw(sides), draw(mpps)
    fine, coarse = grid_of(width, height, mpp, draw(cell_mpps)), grid_of(width, height, mpp, draw(cell_mpps))
    classes = draw(hnp.arrays(np.uint8, fine.shape, elements=st.integers(0, 7)))
    is_tissue = draw(hnp.arrays(np.bool_, coarse.shape))
    return ArtefactMap(classes, fine), TissueMask(is_tissue, coarse)


@settings(deadline=None, max_examples=60)
@given(slides())
def test_shares_of_tissue_add_up_to_one(slide):
    covered = coverage(*slide)

    total = covered.share(ArtefactClass.CLEAN, ArtefactClass.UNASSESSED, *ARTEFACTS)

    assert total == pytest.approx(1) if covered.tissue_cells else math.isnan(total)


@settings(deadline=None, max_examples=60)
@given(slides())
def test_coverage_counts_what_a_loop_over_cells_counts(slide):
    artefacts, tissue = slide
    pitch, tissue_pitch = artefacts.grid.pitch, tissue.grid.pitch
    counts = dict.fromkeys(ArtefactClass, 0)
    for y, x in np.ndindex(artefacts.grid.shape):
        row, column = math.floor((y + 0.5) * pitch / tissue_pitch), math.floor((x + 0.5) * pitch / tissue_pitch)
        height, width = tissue.grid.shape
        if tissue.is_tissue[min(row, height - 1), min(column, width - 1)]:
            counts[ArtefactClass(artefacts.classes[y, x])] += 1
    del counts[ArtefactClass.GLASS]

    covered = coverage(artefacts, tissue)

    assert sum(abs(covered.cells[c] - counts[c]) for c in counts) <= rounding_cells(artefacts.grid, tissue.grid)


def rounding_cells(grid, other):
    """Cells whose centre lies on an edge of the other grid to within rounding; either side is right."""
    ratio = grid.pitch / other.pitch
    on_edge = [
        np.abs((np.arange(n) + 0.5) * ratio - np.rint((np.arange(n) + 0.5) * ratio)) < 1e-9 for n in grid.size.shape
    ]
    return int(grid.size.area - np.outer(~on_edge[0], ~on_edge[1]).sum())


def test_no_tissue_has_no_share_rather_than_none_or_all():
    grid = grid_of(8, 8)

    covered = coverage(ArtefactMap(np.ones((8, 8), np.uint8), grid), TissueMask(np.zeros((8, 8), np.bool_), grid))

    assert math.isnan(covered.share(ArtefactClass.CLEAN))
    assert covered.area_mm2(ArtefactClass.CLEAN) == 0


def test_tissue_that_the_artefact_stage_calls_glass_is_no_tissue():
    grid = grid_of(4, 1, 1.0, 1.0)
    classes = np.array([[1, 2, 7, 7]], np.uint8)

    covered = coverage(ArtefactMap(classes, grid), TissueMask(np.ones((1, 4), np.bool_), grid))

    assert covered.tissue_cells == 2
    assert covered.share(ArtefactClass.FOLD) == 0.5


@settings(deadline=None, max_examples=60)
@given(slides(), st.integers(1, 40))
def test_stitching_blocks_gives_back_the_map_they_were_cut_from(slide, step):
    artefacts, _ = slide
    cut = [(block, artefacts.classes[block.slices].copy()) for block in artefacts.grid.blocks(step)]

    whole = stitch(np.full(artefacts.grid.shape, 99, np.uint8), artefacts.grid, cut)

    assert np.array_equal(whole.classes, artefacts.classes)


def test_a_tile_that_reaches_beyond_the_grid_on_any_side_is_cut_at_its_place():
    grid = grid_of(4, 3)
    tile = np.arange(8 * 7, dtype=np.uint8).reshape(7, 8)

    whole = stitch(np.zeros((3, 4), np.uint8), grid, [(Window(-2, -3, 8, 7), tile)])

    assert np.array_equal(whole.classes, tile[3:6, 2:6])


@settings(deadline=None, max_examples=60)
@given(slides())
def test_resampling_onto_its_own_grid_changes_nothing(slide):
    artefacts, _ = slide
    grid = artefacts.grid

    assert np.array_equal(resample_nearest(artefacts.classes, grid, grid, grid.window, fill=99), artefacts.classes)


@settings(deadline=None, max_examples=60)
@given(slides(), st.integers(-30, 60), st.integers(-30, 60), st.integers(1, 60), st.integers(1, 60))
def test_resampling_invents_no_label_and_fills_exactly_what_lies_beyond(slide, x, y, width, height):
    artefacts, tissue = slide
    target = tissue.grid
    window = Window(x, y, width, height)

    values = resample_nearest(artefacts.classes, artefacts.grid, target, window, fill=99)

    columns, rows = np.arange(x, x + width), np.arange(y, y + height)
    is_beyond = ((rows < 0) | (rows >= target.size.height))[:, None] | ((columns < 0) | (columns >= target.size.width))
    assert values.shape == window.size.shape
    assert np.array_equal(values == 99, is_beyond)
    assert set(values[~is_beyond]) <= set(artefacts.classes.ravel())


@settings(deadline=None, max_examples=60)
@given(slides(), st.integers(1, 8))
def test_a_finer_grid_loses_no_tissue_cell(slide, times):
    _, tissue = slide
    fine = tissue.grid.at(tissue.grid.cell_mpp / (2 * times + 1))  # odd, so that centres meet centres

    seen = tissue_in(tissue, fine, fine.window)

    rows, columns = np.nonzero(tissue.is_tissue)
    middle_rows = np.minimum(rows * (2 * times + 1) + times, fine.size.height - 1)
    middle_columns = np.minimum(columns * (2 * times + 1) + times, fine.size.width - 1)
    assert seen[middle_rows, middle_columns].all()


@settings(deadline=None, max_examples=60)
@given(slides())
def test_before_any_tile_tissue_is_unassessed_and_unscanned_glass_is_not_glass(slide):
    _, tissue = slide
    is_scanned = np.random.default_rng(0).random(tissue.grid.shape) < 0.5

    classes = background(tissue, is_scanned, tissue.grid)

    is_glass = is_scanned & ~tissue.is_tissue
    assert (classes[is_glass] == ArtefactClass.GLASS).all()
    assert (classes[~is_glass] == ArtefactClass.UNASSESSED).all()


def test_a_raster_that_does_not_fit_its_grid_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        TissueMask(np.ones((3, 4), np.bool_), grid_of(3, 4))
    with pytest.raises(ValueError, match="does not fit"):
        ArtefactMap(np.ones((4, 3), np.int64), grid_of(3, 4))  # pyright: ignore[reportArgumentType]
