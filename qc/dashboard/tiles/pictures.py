"""Pictures that the viewer asks for, as bytes: slide tiles, overlay tiles, the photographed glass.

In: an open slide or the floors of an artefact map, and which tile of which level. Tiles are those of the levels that
the file has, so that no pixel is read that is not shown.
"""

import io
from collections.abc import Collection
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qc.figures.class_floors import ClassFloors
from qc.geometry import Size, Window
from qc.labels import ArtefactClass
from qc.slide.protocol import Slide

TILE_PX = 512
_JPEG_QUALITY = 85
_LINE_PX = 2

Style = Literal["fill", "line"]


def tile_window(level_size: Size, column: int, row: int) -> Window | None:
    """Pixels of a level under one of its tiles; None when there is no such tile."""
    x, y = column * TILE_PX, row * TILE_PX
    if not (0 <= x < level_size.width and 0 <= y < level_size.height):
        return None
    return Window(x, y, TILE_PX, TILE_PX).clipped(level_size)


def slide_tile(slide: Slide, level: int, window: Window) -> bytes:
    """JPEG of a part of a level; white where nothing was scanned.

    Raises:
        TruncatedSlideError: If the pixels cannot be decoded.
    """
    rgba = slide.read(level, window.x, window.y, window.size)
    is_empty = rgba[..., 3] == 0
    bgr = np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGR), np.uint8)
    if is_empty.any():
        bgr[is_empty] = 255
    return _jpeg(bgr)


def overlay_tile(
    floors: ClassFloors, window: Window, picture_size: Size, shown: Collection[ArtefactClass], style: Style
) -> bytes:
    """Paletted PNG over a part of a level, transparent but for the classes shown.

    Args:
        floors: The slide's artefact map.
        window: The part, pixels of the level.
        picture_size: Size of the level.
        shown: Classes to show.
        style: `fill` paints areas; `line` paints their outlines, two pixels wide at every zoom.
    """
    halo = window.grown(_LINE_PX)
    classes = floors.under(halo, picture_size)
    is_shown = np.zeros(len(ArtefactClass) + 1, np.bool_)
    is_shown[list(shown)] = True
    values = np.where(is_shown[classes], classes + np.uint8(1), np.uint8(0))
    if style == "line":
        values = _outlines(values)
    inner = values[_LINE_PX:-_LINE_PX, _LINE_PX:-_LINE_PX]
    return _png(np.ascontiguousarray(inner))


def jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """JPEG of an (H, W, 3) uint8 picture."""
    return _jpeg(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8))


def _jpeg(bgr: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()


def _outlines(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Values that have another one within the width of a line."""
    kernel = np.ones((2 * _LINE_PX + 1, 2 * _LINE_PX + 1), np.uint8)
    is_edge = np.asarray(cv2.erode(values, kernel)) != np.asarray(cv2.dilate(values, kernel))
    return np.where(is_edge, values, np.uint8(0))


def _png(values: NDArray[np.uint8]) -> bytes:
    """Value 0 is transparent, value v > 0 has the colour of class v - 1."""
    image = Image.fromarray(values, "P")
    image.putpalette(np.array([(0, 0, 0), *(cls.colour for cls in ArtefactClass)], np.uint8).tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0, compress_level=1)
    return out.getvalue()
