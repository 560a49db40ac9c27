"""Reading at an mpp: a window of a grid in, its pixels out, one per cell.

The nearest finer level is read and reduced by area. A cell has the same value whichever window it is
read through, so tiles meet without seams; only where a level is not quite a whole multiple finer than the
grid is it read as if it were, and cells of different windows may lie one pixel of that level apart.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qc.errors import NoUsableLevelError
from qc.geometry import Grid, Mpp, Size, Window
from qc.slide.protocol import Slide

_FINER_TOLERANCE = 1.005
_STRIP_CELLS = 512
_LEAST_AREA = 1e-3


@dataclass(frozen=True)
class Pixels:
    """Colours of a window and where they are real.

    Attributes:
        rgb: (H, W, 3) uint8; white where nothing was scanned.
        is_scanned: (H, W) bool; False beyond the slide and in transparent areas.
    """

    rgb: NDArray[np.uint8]
    is_scanned: NDArray[np.bool_]


def native_grid(slide: Slide, mpp: float, tolerance: float = 0.1) -> Grid:
    """The grid nearest to `mpp` that needs no fractional resampling, or exactly `mpp` when none is near.

    Fractional resampling blurs some pixels more than others, which a focus measure would see.

    Args:
        slide: The slide to lay the grid over.
        mpp: Wanted micrometres per cell; a slide coarser than this gives its own level 0.
        tolerance: Largest relative departure from `mpp`.
    """
    if mpp <= slide.mpp:
        return Grid(slide.size, slide.mpp, slide.mpp)
    candidates = [
        level_mpp * max(1, round(mpp / level_mpp))
        for level_mpp in (slide.mpp * level.downsample for level in slide.levels)
    ]
    best = min(candidates, key=lambda candidate: abs(math.log(candidate / mpp)))
    return Grid(slide.size, slide.mpp, Mpp(best if abs(best / mpp - 1) <= tolerance else mpp))


def level_for(slide: Slide, grid: Grid) -> int:
    """Index of the coarsest level that is at least as fine as the grid.

    Raises:
        NoUsableLevelError: If even level 0 is coarser than the grid.
    """
    fine_enough = [i for i, level in enumerate(slide.levels) if level.downsample <= grid.pitch * _FINER_TOLERANCE]
    if not fine_enough:
        raise NoUsableLevelError(
            f"{slide.name} has {slide.mpp:g} mpp at its finest, {grid.cell_mpp:g} is needed",
            "re-scan at a higher power",
        )
    return max(fine_enough, key=lambda i: slide.levels[i].downsample)


def read_window(slide: Slide, grid: Grid, window: Window) -> Pixels:
    """Pixels of `window`, one per cell of `grid`; the window may reach beyond the slide.

    Raises:
        NoUsableLevelError: If the slide has no level as fine as the grid.
        TruncatedSlideError: If the pixels cannot be decoded.
    """
    level = level_for(slide, grid)
    ratio = grid.pitch / slide.levels[level].downsample
    whole = round(ratio)
    if abs(ratio - whole) * max(window.width, window.height) < 0.5:
        x, y = round(window.x * ratio), round(window.y * ratio)
        rgba = slide.read(level, x, y, Size(window.width * whole, window.height * whole))
        return _opaque(rgba) if whole == 1 else _reduced(rgba, window.size)
    return _resampled(slide, level, ratio, window)


def read_overview(slide: Slide, grid: Grid) -> Pixels:
    """The whole slide on a coarse grid, read in strips so that memory stays bounded.

    Coarse levels end at whole pixels, so the slide's last strip, narrower than a cell, may be missing from them; it is
    taken to look like its neighbour, lest tissue there is never looked for.
    """
    rgb = np.empty((*grid.shape, 3), np.uint8)
    is_scanned = np.empty(grid.shape, np.bool_)
    for window in grid.blocks(_STRIP_CELLS):
        pixels = read_window(slide, grid, window)
        rgb[window.slices], is_scanned[window.slices] = pixels.rgb, pixels.is_scanned
    for last, before in ((np.s_[-1:], np.s_[-2:-1]), (np.s_[:, -1:], np.s_[:, -2:-1])):
        if not is_scanned[last].any() and is_scanned[before].any():
            rgb[last], is_scanned[last] = rgb[before], is_scanned[before]
    return Pixels(rgb, is_scanned)


def _opaque(rgba: NDArray[np.uint8]) -> Pixels:
    is_scanned = rgba[..., 3] > 0
    rgb = np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)
    if not is_scanned.all():
        rgb[~is_scanned] = 255
    return Pixels(rgb, is_scanned)


def _reduced(rgba: NDArray[np.uint8], size: Size) -> Pixels:
    """Area mean over whole blocks of level pixels, weighted by alpha."""
    target = (size.width, size.height)
    if rgba[..., 3].min() == 255:
        rgb = np.asarray(cv2.resize(rgba[..., :3], target, interpolation=cv2.INTER_AREA), np.uint8)
        return Pixels(rgb, np.ones(size.shape, np.bool_))
    seen = (rgba[..., 3:] > 0).astype(np.float32)
    weight = cv2.resize(seen, target, interpolation=cv2.INTER_AREA)
    total = cv2.resize(rgba[..., :3] * seen, target, interpolation=cv2.INTER_AREA)
    is_scanned = weight > 0
    mean = np.divide(total, weight[..., None], where=is_scanned[..., None], out=np.full_like(total, 255))
    return Pixels(np.rint(mean).astype(np.uint8), is_scanned)


def _resampled(slide: Slide, level: int, ratio: float, window: Window) -> Pixels:
    """Area mean over fractional blocks, weighted by alpha; a pixel on an edge counts in both cells by its share."""
    x0, width, across = _overlaps(window.x, window.right, ratio)
    y0, height, down = _overlaps(window.y, window.bottom, ratio)
    rgba = slide.read(level, x0, y0, Size(width, height))
    values = rgba.astype(np.float32)
    values[..., 3] = rgba[..., 3] > 0
    values[..., :3] *= values[..., 3:]
    columns = np.asarray(cv2.transpose(_weighted(down, values)), np.float32)
    sums = np.asarray(cv2.transpose(_weighted(across, columns)), np.float32)
    is_scanned = sums[..., 3:] > _LEAST_AREA
    mean = np.divide(sums[..., :3], sums[..., 3:], where=is_scanned, out=np.full_like(sums[..., :3], 255))
    return Pixels(np.rint(mean).astype(np.uint8), is_scanned[..., 0])


def _overlaps(start: int, stop: int, ratio: float) -> tuple[int, int, sparse.csr_array]:
    """First level pixel under the cells, number of pixels, and (cells, pixels): the length of each in each cell."""
    edges = np.arange(start, stop + 1) * ratio
    origin = math.floor(edges[0])
    length = math.ceil(edges[-1]) - origin
    touched = math.ceil(ratio) + 1
    pixel = np.floor(edges[:-1, None] - origin).astype(np.intp) + np.arange(touched)
    overlap = np.minimum(edges[1:, None], origin + pixel + 1) - np.maximum(edges[:-1, None], origin + pixel)
    weight = np.where(pixel < length, overlap.clip(0), 0).astype(np.float32)
    ends = np.arange(0, weight.size + 1, touched)
    parts = (weight.ravel(), pixel.clip(max=length - 1).ravel(), ends)
    return origin, length, sparse.csr_array(parts, shape=(stop - start, length))


def _weighted(overlaps: sparse.csr_array, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums along the first axis of (H, W, C)."""
    rows = np.ascontiguousarray(values).reshape(values.shape[0], -1)
    return (overlaps @ rows).reshape(-1, *values.shape[1:])
