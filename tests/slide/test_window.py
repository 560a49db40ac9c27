import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from qc.errors import NoUsableLevelError
from qc.geometry import Grid, Mpp, Size, Window
from qc.slide.memory import MemorySlide
from qc.slide.protocol import Level
from qc.slide.window import level_for, native_grid, read_overview, read_window


@dataclass(frozen=True)
class NoisySlide:
    """Noise that is another at every level, so that a reader cannot hide at which place it looked."""

    size: Size
    mpp: Mpp
    downsamples: tuple[float, ...]
    name: str = "noise"
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def levels(self):
        return tuple(Level(Size(*(max(1, math.floor(s / d)) for s in self.sides)), d) for d in self.downsamples)

    @property
    def sides(self):
        return self.size.width, self.size.height

    def image(self, level):
        shape = (*self.levels[level].size.shape, 3)
        return np.random.default_rng(level).integers(0, 255, shape, np.uint8)

    def read(self, level, x, y, size):
        return MemorySlide(self.image(level), self.mpp).read(0, x, y, size)

    def close(self):
        pass


@dataclass(frozen=True)
class PaintedSlide(NoisySlide):
    """One given picture at every level."""

    painted: Any = None

    def image(self, level):
        return self.painted


def area_mean(image, grid, downsample, window):
    """Each cell's mean over the exact area it covers, in float64, one cell after the other; NaN beyond the image."""
    ratio = grid.pitch / downsample
    across = overlap(window.x, window.width, ratio, image.shape[1])
    down = overlap(window.y, window.height, ratio, image.shape[0])
    area = down.sum(1)[:, None] * across.sum(1)[None, :]
    with np.errstate(invalid="ignore"):
        return np.einsum("ij,jkc,lk->ilc", down, image.astype(np.float64), across) / area[..., None]


def overlap(start, cells, ratio, length):
    """(cells, length): how much of each pixel lies in each cell."""
    low, high = ((np.arange(start, start + cells) + i)[:, None] * ratio for i in (0, 1))
    pixels = np.arange(length)[None, :]
    return np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None)


slides = st.builds(
    NoisySlide,
    size=st.builds(Size, st.integers(40, 200), st.integers(40, 200)),
    mpp=st.sampled_from([Mpp(0.25), Mpp(0.499), Mpp(0.7)]),
    downsamples=st.sampled_from([(1.0,), (1.0, 2.0), (1.0, 2.003, 4.017), (1.0, 3.9914)]),
)
offsets, lengths = st.integers(-20, 60), st.integers(1, 60)
windows = st.builds(Window, offsets, offsets, lengths, lengths)


def drift_px(slide, grid, window):
    """How far a window read in whole blocks departs from its true place, in pixels of the level."""
    ratio = grid.pitch / slide.levels[level_for(slide, grid)].downsample
    return abs(ratio - round(ratio)) * max(window.width, window.height)


@settings(max_examples=40, deadline=None)
@given(slides, st.floats(0.7, 4.0) | st.sampled_from([1.0, 2.0, 0.998, 1.497, 2.1]), windows)
@example(NoisySlide(Size(90, 70), Mpp(0.7), (1.0,)), 1.0, Window(3, 5, 20, 20))
def test_a_window_is_the_area_mean_of_its_cells_and_unscanned_beyond_the_slide(slide, cell_mpp, window):
    grid = Grid(slide.size, slide.mpp, Mpp(cell_mpp))
    assume(not 1e-9 < drift_px(slide, grid, window) < 0.5)
    level = level_for(slide, grid)
    expected = area_mean(slide.image(level), grid, slide.downsamples[level], window)

    pixels = read_window(slide, grid, window)

    is_real = ~np.isnan(expected[..., 0])
    assert np.abs(pixels.rgb[is_real & pixels.is_scanned] - expected[is_real & pixels.is_scanned]).max(initial=0) < 1.01
    columns, rows = np.arange(window.x, window.right), np.arange(window.y, window.bottom)
    is_outside = ((rows < 0) | (rows >= grid.size.height))[:, None] | ((columns < 0) | (columns >= grid.size.width))
    is_inside = ((rows >= 0) & (rows < grid.size.height - 1))[:, None] & (
        (columns >= 0) & (columns < grid.size.width - 1)
    )
    assert not pixels.is_scanned[is_outside].any()
    assert pixels.is_scanned[is_inside].all()
    assert (pixels.rgb[~pixels.is_scanned] == 255).all()


@settings(max_examples=40, deadline=None)
@given(slides, st.floats(0.7, 4.0) | st.sampled_from([1.0, 2.0, 0.998]), windows, windows)
def test_two_windows_agree_where_they_overlap(slide, cell_mpp, one, other):
    grid = Grid(slide.size, slide.mpp, Mpp(cell_mpp))
    assume(not any(1e-9 < drift_px(slide, grid, window) < 0.5 for window in (one, other)))

    first, second = read_window(slide, grid, one), read_window(slide, grid, other)

    left, top = max(one.x, other.x), max(one.y, other.y)
    right, bottom = min(one.right, other.right), min(one.bottom, other.bottom)
    if left < right and top < bottom:
        mine = first.rgb[top - one.y : bottom - one.y, left - one.x : right - one.x].astype(int)
        theirs = second.rgb[top - other.y : bottom - other.y, left - other.x : right - other.x]
        assert np.abs(mine - theirs).max() <= 1


@given(st.integers(0, 900), st.integers(1, 40))
def test_a_level_that_is_not_quite_a_whole_multiple_finer_is_read_at_most_one_pixel_off(x, width):
    position = np.arange(1004)
    ramp = np.stack([position // 4, position % 4, position * 0], axis=1).astype(np.uint8)[None].repeat(40, axis=0)
    slide = PaintedSlide(Size(2007, 80), Mpp(0.5), (1.0, 2.003), painted=ramp)
    grid = Grid(slide.size, slide.mpp, Mpp(1.0))

    value = read_window(slide, grid, Window(x, 0, width, 1)).rgb[0].astype(float)

    centre = (np.arange(x, x + width) + 0.5) * grid.pitch / 2.003 - 0.5
    assert np.abs(value[:, 0] * 4 + value[:, 1] - centre).max() <= 1.01


def test_the_overview_holds_the_same_cells_as_a_window():
    slide = NoisySlide(Size(2000, 1300), Mpp(0.5), (1.0, 2.0))
    grid = Grid(slide.size, slide.mpp, Mpp(1.0))

    overview = read_overview(slide, grid)

    window = Window(500, 400, 100, 100)  # across the seam between two strips
    assert np.array_equal(overview.rgb[window.slices], read_window(slide, grid, window).rgb)
    assert overview.is_scanned.all()


def test_transparent_pixels_do_not_colour_their_cell():
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:, :10] = (200, 100, 150, 255)
    for cell_mpp in (4.0, 4.3):
        slide = MemorySlide(rgba, Mpp(1.0))

        pixels = read_window(slide, Grid(slide.size, slide.mpp, Mpp(cell_mpp)), Window(0, 0, 9, 9))

        assert (np.abs(pixels.rgb[pixels.is_scanned].astype(int) - (200, 100, 150)) <= 1).all()
        assert pixels.is_scanned.sum() == 9 * 3


@given(st.floats(0.1, 5.0), st.lists(st.floats(1.5, 40), max_size=4), st.floats(0.2, 20))
def test_the_native_grid_is_never_finer_than_the_slide_and_near_the_wish(mpp, downsamples, wanted):
    slide = NoisySlide(Size(1000, 1000), Mpp(mpp), (1.0, *sorted(downsamples)))

    grid = native_grid(slide, wanted)

    assert grid.pitch >= 1 - 1e-9
    assert grid.cell_mpp == slide.mpp if wanted <= mpp else 0.9 <= grid.cell_mpp / wanted <= 1.1


def test_a_grid_finer_than_the_slide_is_refused_with_a_way_out():
    slide = MemorySlide(np.zeros((40, 40, 3), np.uint8), Mpp(2.0))

    with pytest.raises(NoUsableLevelError, match="re-scan at a higher power"):
        read_window(slide, Grid(slide.size, slide.mpp, Mpp(1.0)), Window(0, 0, 4, 4))
