"""One picture per slide: kept tiles outlined, removed tiles in the colour of what removed them. Pillow only."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.figures.overlay import draw_scale_bar, fitted, shortened
from qc.geometry import Size
from qc.labels import ArtefactClass

_SIDE_PX = 1600
_MARGIN_PX = 12
_TOP_PX = 34
_LEGEND_PX = 210
_BOTTOM_PX = 36
_LINE_PX = 24
_ALPHA = 150
_KEPT = (0, 158, 60)
_ARTEFACTS = (213, 94, 0)
_SLIDE = (110, 110, 110)
_NAMES = {"artefacts": "all artefacts", "slide": "the slide"}
Rgb = tuple[int, int, int]


def draw_kept_tiles(
    overview: NDArray[np.uint8],
    slide_size: Size,
    slide_mpp: float,
    tiles: pd.DataFrame,
    cause: Sequence[str],
    title: str,
) -> Image.Image:
    """The slide with its candidate tiles.

    Args:
        overview: (H, W, 3) uint8 of the whole slide.
        slide_size: Size of level 0.
        slide_mpp: Level-0 micrometres per pixel.
        tiles: Rows of the manifest: x_level0, y_level0, width_level0, height_level0.
        cause: What removed each tile, as a column name or `slide`; empty for a kept one.
        title: One line above the picture.
    """
    picture = Image.fromarray(fitted(overview, _SIDE_PX)).convert("RGB")
    boxes = _boxes(tiles, slide_size, Size(picture.width, picture.height))
    shade = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(shade)
    for box, name in zip(boxes, cause, strict=True):
        if name:
            draw.rectangle(box, (*cause_colour(name), _ALPHA))
    picture.paste(shade, (0, 0), shade)
    outline = ImageDraw.Draw(picture)
    for box, name in zip(boxes, cause, strict=True):
        if not name:
            outline.rectangle(box, outline=_KEPT, width=2)
    return _framed(picture, cause, title, slide_size.width * slide_mpp / picture.width)


def cause_colour(cause: str) -> Rgb:
    """Colour of what removed a tile: the class's own where it is a class."""
    if cause == "artefacts":
        return _ARTEFACTS
    return _SLIDE if cause == "slide" else ArtefactClass[cause.upper()].colour


def _boxes(tiles: pd.DataFrame, slide_size: Size, shown: Size) -> list[tuple[int, int, int, int]]:
    """Corners of each tile in the picture, one pixel inside the tile."""
    across, down = shown.width / slide_size.width, shown.height / slide_size.height
    left, top = tiles["x_level0"].to_numpy() * across, tiles["y_level0"].to_numpy() * down
    right = left + tiles["width_level0"].to_numpy() * across
    bottom = top + tiles["height_level0"].to_numpy() * down
    corners = np.rint(np.column_stack([left + 1, top + 1, right - 1, bottom - 1])).astype(int)
    corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2])
    return [(int(x0), int(y0), int(x1), int(y1)) for x0, y0, x1, y1 in corners]


def _framed(picture: Image.Image, cause: Sequence[str], title: str, um_per_px: float) -> Image.Image:
    font = ImageFont.load_default(15)
    names = ["", *sorted({name for name in cause if name})]
    height = max(picture.height, (len(names) + 1) * _LINE_PX)
    size = (max(picture.width, 360) + _LEGEND_PX + 3 * _MARGIN_PX, height + _TOP_PX + _BOTTOM_PX)
    canvas = Image.new("RGB", size, "white")
    canvas.paste(picture, (_MARGIN_PX, _TOP_PX))
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN_PX, 8), shortened(title, canvas.width // 8), "black", font)
    left = canvas.width - _LEGEND_PX - _MARGIN_PX
    for i, name in enumerate(names):
        top = _TOP_PX + i * _LINE_PX
        box = (left, top, left + 15, top + 15)
        count = sum(one == name for one in cause)
        if name:
            draw.rectangle(box, cause_colour(name), "black")
        else:
            draw.rectangle(box, "white", _KEPT, 2)
        label = f"removed for {_NAMES.get(name, name.replace('_', ' '))}" if name else "kept"
        draw.text((left + 22, top - 2), f"{label}: {count}", "black", font)
    draw_scale_bar(draw, canvas.height - 26, um_per_px, picture.width)
    return canvas
