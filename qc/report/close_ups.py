"""The worst places of a slide close up. In: places, map, record, the slide file while it is there.

Out: small pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qc.errors import SlideError
from qc.figures.scale_bar import scale_bar
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap
from qc.pipeline.slide_folder import SlideFolder
from qc.record import Assessed
from qc.report.drawing import data_uri, draw_bar
from qc.report.places import Place
from qc.report.slide_file import opened
from qc.slide.protocol import Slide
from qc.slide.window import read_window

_CROP_PX = 360
_CROP_MIN_UM, _CROP_MAX_UM = 300.0, 1600.0


@dataclass(frozen=True)
class Spot:
    """One of the worst places.

    Attributes:
        number: 1 for the first.
        cls: What lies there.
        area_mm2: Of the connected area, square millimetres.
        x_share: Its place on the overview, 0-1 from the left.
        y_share: The same from the top.
        picture: Data URI of the close-up, square, with the area outlined and a scale bar.
        is_from_file: True when the slide file itself was read, False when the overview had to do.
    """

    number: int
    cls: ArtefactClass
    area_mm2: float
    x_share: float
    y_share: float
    picture: str
    is_from_file: bool


def close_ups(record: Assessed, folder: SlideFolder, artefacts: ArtefactMap, places: list[Place]) -> Iterator[Spot]:
    """Each place as a picture, from the slide file while it is the one that was assessed, else from the overview."""
    slide = opened(record)
    try:
        for number, place in enumerate(places, start=1):
            side_um = float(np.clip(1.25 * place.side_level0 * record.mpp, _CROP_MIN_UM, _CROP_MAX_UM))
            side_um = min(side_um, min(record.width_px, record.height_px) * record.mpp)
            window, grid = _window(record, place, side_um)
            rgb = None if slide is None else _read(slide, grid, window)
            picture = _from_overview(folder, record, grid, window) if rgb is None else rgb
            _outline(picture, artefacts, grid, window, place.cls)
            yield Spot(
                number,
                place.cls,
                place.area_mm2,
                place.x_level0 / record.width_px,
                place.y_level0 / record.height_px,
                data_uri(_barred(picture, grid.cell_mpp)),
                rgb is not None,
            )
    finally:
        if slide is not None:
            slide.close()


def _window(record: Assessed, place: Place, side_um: float) -> tuple[Window, Grid]:
    """A square around a place, inside the slide, and the grid on which it has about `_CROP_PX` cells a side."""
    cell_mpp = Mpp(max(record.mpp, side_um / _CROP_PX))
    grid = Grid(Size(record.width_px, record.height_px), Mpp(record.mpp), cell_mpp)
    side = max(1, min(round(side_um / cell_mpp), grid.size.width, grid.size.height))
    x, y = round(place.x_level0 / grid.pitch - side / 2), round(place.y_level0 / grid.pitch - side / 2)
    x, y = (int(np.clip(v, 0, length - side)) for v, length in ((x, grid.size.width), (y, grid.size.height)))
    return Window(x, y, side, side), grid


def _read(slide: Slide, grid: Grid, window: Window) -> NDArray[np.uint8] | None:
    try:
        return read_window(slide, grid, window).rgb.copy()
    except SlideError:
        return None


def _from_overview(folder: SlideFolder, record: Assessed, grid: Grid, window: Window) -> NDArray[np.uint8]:
    with Image.open(folder.overview) as whole:
        scale = whole.width / record.width_px * grid.pitch
        box = (window.x * scale, window.y * scale, window.right * scale, window.bottom * scale)
        return np.array(whole.convert("RGB").resize((window.width, window.height), Image.Resampling.BICUBIC, box))


def _barred(rgb: NDArray[np.uint8], um_per_px: float) -> Image.Image:
    picture = Image.fromarray(rgb)
    draw_bar(picture, scale_bar(um_per_px, picture.width))
    return picture


def _outline(
    picture: NDArray[np.uint8], artefacts: ArtefactMap, grid: Grid, window: Window, cls: ArtefactClass
) -> None:
    """Draw the border of a class, in its colour between two white lines, so that it shows on any stain."""
    centres = [
        np.clip((np.arange(start, stop) + 0.5) * grid.pitch / artefacts.grid.pitch, 0, length - 1).astype(np.intp)
        for start, stop, length in (
            (window.y, window.bottom, artefacts.grid.size.height),
            (window.x, window.right, artefacts.grid.size.width),
        )
    ]
    mask = (artefacts.classes[np.ix_(*centres)] == cls).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, (255, 255, 255), 4)
    cv2.drawContours(picture, contours, -1, cls.colour, 2)
