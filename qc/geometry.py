"""Sizes, regions and grids: the only place where (x, y) meets (row, column) and level 0 meets a raster.

Geometry is (x, y) and (width, height), in level-0 pixels unless a name says otherwise.
Arrays are (H, W[, C]). A `Grid` is a raster laid over a slide at a stated mpp (micrometres per pixel).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self


class Mpp(float):
    """Micrometres per pixel: small is sharp.

    Raises:
        ValueError: If the value is not a positive finite number.

    >>> Mpp(0.25) * 4
    1.0
    """

    def __new__(cls, value: float) -> Self:
        """Check and wrap `value`."""
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"mpp must be a positive number of micrometres per pixel, got {value}")
        return super().__new__(cls, value)


@dataclass(frozen=True, order=True)
class Size:
    """Width and height in pixels or cells, both positive."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"empty size {self.width} x {self.height}; width and height must be positive")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W), as an array has it."""
        return self.height, self.width

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @classmethod
    def of(cls, array_shape: tuple[int, ...]) -> Self:
        """Size of an array of shape (H, W[, C])."""
        return cls(array_shape[1], array_shape[0])

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


@dataclass(frozen=True)
class Window:
    """A rectangle of whole cells of a grid; may reach beyond the grid (a halo does)."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"empty window {self}; width and height must be positive")

    @property
    def right(self) -> int:
        """First column beyond the window."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row beyond the window."""
        return self.y + self.height

    @property
    def size(self) -> Size:
        """Width and height."""
        return Size(self.width, self.height)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of this window in an (H, W) array; the window must lie inside it."""
        if self.x < 0 or self.y < 0:
            raise ValueError(f"{self} starts outside the array")
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def grown(self, margin: int) -> "Window":
        """The window with `margin` more cells on each side."""
        return Window(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin)

    def clipped(self, size: Size) -> "Window":
        """The part inside a grid of `size`; ValueError when there is none."""
        x, y = max(self.x, 0), max(self.y, 0)
        return Window(x, y, min(self.right, size.width) - x, min(self.bottom, size.height) - y)


@dataclass(frozen=True)
class Region:
    """A rectangle in level-0 pixels."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"empty region {self}; width and height must be positive")


@dataclass(frozen=True)
class Grid:
    """Square cells of `cell_mpp` laid over a slide from its top left corner.

    Cell (x, y) covers the level-0 pixels [x * pitch, (x + 1) * pitch), pitch = cell_mpp / slide_mpp.
    The last column and row may reach beyond the slide, so that every level-0 pixel lies in one cell.

    >>> Grid(Size(1000, 600), Mpp(0.5), Mpp(8.0)).size
    Size(width=63, height=38)
    """

    slide_size: Size
    slide_mpp: Mpp
    cell_mpp: Mpp

    @property
    def pitch(self) -> float:
        """Level-0 pixels per cell side."""
        return self.cell_mpp / self.slide_mpp

    @property
    def size(self) -> Size:
        """Cells across and down."""
        return Size(_cells(self.slide_size.width, self.pitch), _cells(self.slide_size.height, self.pitch))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of an array on this grid."""
        return self.size.shape

    @property
    def cell_area_mm2(self) -> float:
        """Area of one cell in square millimetres."""
        return (self.cell_mpp / 1000) ** 2

    @property
    def window(self) -> Window:
        """All cells."""
        return Window(0, 0, self.size.width, self.size.height)

    def region(self, window: Window) -> Region:
        """The level-0 pixels that `window` touches, cut at the slide's edges."""
        x0, y0 = max(0, math.floor(window.x * self.pitch)), max(0, math.floor(window.y * self.pitch))
        x1 = min(self.slide_size.width, math.ceil(window.right * self.pitch))
        y1 = min(self.slide_size.height, math.ceil(window.bottom * self.pitch))
        return Region(x0, y0, x1 - x0, y1 - y0)

    def first_cell(self, level0: int) -> int:
        """First column (or row) whose centre lies at or beyond a level-0 coordinate: tiles side by side share no cell.

        >>> Grid(Size(1000, 600), Mpp(0.5), Mpp(8.0)).first_cell(512)
        32
        """
        return max(0, math.ceil(level0 / self.pitch - 0.5))

    def at(self, cell_mpp: float) -> "Grid":
        """The same slide under cells of another size."""
        return Grid(self.slide_size, self.slide_mpp, Mpp(cell_mpp))

    def blocks(self, step: int) -> Iterator[Window]:
        """Windows of `step` x `step` cells, row by row, cut at the edges; each cell lies in one."""
        size = self.size
        for y in range(0, size.height, step):
            for x in range(0, size.width, step):
                yield Window(x, y, min(step, size.width - x), min(step, size.height - y))


def _cells(length_px: int, pitch: float) -> int:
    """Cells needed to cover a length; a rounding error of the division must not add an empty one."""
    return max(1, math.ceil(length_px / pitch - 1e-6))
