import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc.geometry import Grid, Mpp, Size, Window

sides = st.integers(1, 3000)
mpps = st.floats(0.1, 5.0)
cell_mpps = st.floats(0.1, 40.0)


@given(sides, sides, mpps, cell_mpps)
def test_every_level0_pixel_lies_in_exactly_one_cell(width, height, slide_mpp, cell_mpp):
    grid = Grid(Size(width, height), Mpp(slide_mpp), Mpp(cell_mpp))

    # half-open cells [i * pitch, (i + 1) * pitch) cannot overlap; the pixels must find theirs on the grid
    assert math.floor((width - 1) / grid.pitch) < grid.size.width
    assert math.floor((height - 1) / grid.pitch) < grid.size.height


@given(sides, sides, mpps, cell_mpps)
def test_no_cell_lies_wholly_beyond_the_slide(width, height, slide_mpp, cell_mpp):
    grid = Grid(Size(width, height), Mpp(slide_mpp), Mpp(cell_mpp))

    assert (grid.size.width - 1) * grid.pitch < width
    assert (grid.size.height - 1) * grid.pitch < height


@pytest.mark.parametrize(("width", "slide_mpp", "cell_mpp", "cells"), [(30, 0.1, 0.3, 10), (4096, 0.253, 1.012, 1024)])
def test_a_division_that_comes_out_even_adds_no_empty_column(width, slide_mpp, cell_mpp, cells):
    assert Grid(Size(width, 50), Mpp(slide_mpp), Mpp(cell_mpp)).size.width == cells


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 64))
def test_blocks_tile_the_grid(width, height, step):
    grid = Grid(Size(width, height), Mpp(1.0), Mpp(1.0))
    times = np.zeros(grid.shape, np.int64)

    for block in grid.blocks(step):
        times[block.slices] += 1

    assert (times == 1).all()


@given(sides, sides, mpps, cell_mpps)
def test_the_region_of_the_whole_grid_is_the_whole_slide(width, height, slide_mpp, cell_mpp):
    grid = Grid(Size(width, height), Mpp(slide_mpp), Mpp(cell_mpp))

    region = grid.region(grid.window)

    assert (region.x, region.y) == (0, 0)
    assert width - 1e-6 * grid.pitch <= region.width <= width
    assert height - 1e-6 * grid.pitch <= region.height <= height


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 80), st.integers(1, 80))
def test_a_clipped_window_holds_exactly_the_cells_inside(x, y, width, height):
    window, size = Window(x, y, width, height), Size(40, 30)
    inside = {(i, j) for i in range(x, x + width) for j in range(y, y + height) if 0 <= i < 40 and 0 <= j < 30}

    if not inside:
        with pytest.raises(ValueError, match="empty window"):
            window.clipped(size)
        return
    clipped = window.clipped(size)

    assert {(i, j) for i in range(clipped.x, clipped.right) for j in range(clipped.y, clipped.bottom)} == inside


def test_a_window_that_starts_outside_cannot_index_an_array_from_its_far_end():
    with pytest.raises(ValueError, match="outside the array"):
        _ = Window(-2, 0, 4, 4).slices


@pytest.mark.parametrize("value", [0, -0.25, math.nan, math.inf])
def test_an_mpp_that_is_no_positive_number_cannot_exist(value):
    with pytest.raises(ValueError, match="mpp must be a positive number"):
        Mpp(value)


def test_values_survive_the_way_to_a_worker_process():
    grid = Grid(Size(10, 20), Mpp(0.25), Mpp(1.0))

    back = pickle.loads(pickle.dumps(grid))

    assert back == grid
    assert type(back.cell_mpp) is Mpp


def test_width_comes_first_in_geometry_and_second_in_arrays():
    assert Size.of((20, 10, 3)) == Size(10, 20)
    assert Size(10, 20).shape == (20, 10)
    assert np.zeros((20, 10))[Window(9, 19, 1, 1).slices].shape == (1, 1)
