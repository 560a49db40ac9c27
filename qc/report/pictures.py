"""Pictures of one slide for its report: overview, overlay, and the worst places close up.

In: a slide's folder, its record, the slide file where it is still there. Out: small images as data URIs.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.errors import SlideError
from qc.figures.overlay import unframed
from qc.figures.scale_bar import ScaleBar, scale_bar
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap
from qc.pipeline.folder import SlideFolder
from qc.record import Assessed
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.slide.protocol import Slide
from qc.slide.window import read_window

_SIDE_PX = 1000
_CROP_PX = 360
_CROP_MIN_UM, _CROP_MAX_UM = 300.0, 1600.0
_SEARCH_CELLS = 2048
_MEMBER_SHARE = 0.3
_AREA_MIN_MM2 = 0.001
_QUALITY = 80
_INK = (23, 33, 43)


@dataclass(frozen=True)
class Overview:
    """The whole slide with and without what was found; both pictures have one size, pixels."""

    plain: str
    overlaid: str
    width: int
    height: int


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


@dataclass(frozen=True)
class Place:
    """A connected area of one class: centre and longest side in level-0 pixels."""

    cls: ArtefactClass
    area_mm2: float
    x_level0: float
    y_level0: float
    side_level0: float


def data_uri(image: Image.Image) -> str:
    """An image as JPEG inside a URI."""
    held = io.BytesIO()
    image.convert("RGB").save(held, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode()


def thumbnail(folder: SlideFolder, side_px: int) -> str:
    """The slide with its artefacts, small; empty when the folder has no picture."""
    if not folder.overlay.is_file():
        return ""
    with Image.open(folder.overlay) as framed:
        picture = unframed(framed)
        picture.thumbnail((side_px, side_px))
        return data_uri(picture)


def overview(folder: SlideFolder, record: Assessed, spots: Sequence[Spot]) -> Overview | None:
    """The slide's two pictures, the second with the numbers of close-ups; None when its folder lacks them."""
    if not (folder.overview.is_file() and folder.overlay.is_file()):
        return None
    with Image.open(folder.overview) as plain, Image.open(folder.overlay) as framed:
        whole = plain.convert("RGB")
        overlaid = unframed(framed.convert("RGB")).crop((0, 0, *whole.size))
    for picture in (whole, overlaid):
        picture.thumbnail((_SIDE_PX, _SIDE_PX))
    for picture in (whole, overlaid):
        _draw_bar(picture, scale_bar(record.width_px * record.mpp / whole.width, whole.width))
    for spot in spots:
        _draw_number(overlaid, spot)
    return Overview(data_uri(whole), data_uri(overlaid), whole.width, whole.height)


def worst_places(artefacts: ArtefactMap, most: int = 6, most_of_a_class: int = 2) -> list[Place]:
    """The largest connected areas, at most so many of a class, largest first."""
    found = [
        place
        for cls in ARTEFACTS
        for place in _places(artefacts, cls)[:most_of_a_class]
        if place.area_mm2 >= _AREA_MIN_MM2
    ]
    return sorted(found, key=lambda place: -place.area_mm2)[:most]


def close_ups(record: Assessed, folder: SlideFolder, artefacts: ArtefactMap, places: list[Place]) -> Iterator[Spot]:
    """Each place as a picture, from the slide file while it is the one that was assessed, else from the overview."""
    slide = _opened(record)
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


def _places(artefacts: ArtefactMap, cls: ArtefactClass) -> list[Place]:
    """Connected areas of a class, largest first; searched on a coarser raster where the map is large."""
    grid, is_class = artefacts.grid, artefacts.classes == cls
    if not is_class.any():
        return []
    step = max(1, -(-max(is_class.shape) // _SEARCH_CELLS))
    small = (-(-is_class.shape[1] // step), -(-is_class.shape[0] // step))
    share = cv2.resize(is_class.astype(np.uint8) * np.uint8(255), small, interpolation=cv2.INTER_AREA)
    member = (share >= _MEMBER_SHARE * 255).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(member, connectivity=8)
    cell_mm2 = grid.cell_area_mm2 * step**2
    places = []
    for label in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:2]:
        x, y, width, height, cells = (int(value) for value in stats[label])
        inner = np.pad((labels[y : y + height, x : x + width] == label).astype(np.uint8), 1)
        row, column = np.unravel_index(np.argmax(cv2.distanceTransform(inner, cv2.DIST_L2, 3)), inner.shape)
        pitch = grid.pitch * step
        centre = (x + int(column) - 0.5) * pitch, (y + int(row) - 0.5) * pitch
        places.append(Place(cls, cells * cell_mm2, *centre, max(width, height) * pitch))
    return places


def _window(record: Assessed, place: Place, side_um: float) -> tuple[Window, Grid]:
    """A square around a place, inside the slide, and the grid on which it has about `_CROP_PX` cells a side."""
    cell_mpp = Mpp(max(record.mpp, side_um / _CROP_PX))
    grid = Grid(Size(record.width_px, record.height_px), Mpp(record.mpp), cell_mpp)
    side = max(1, min(round(side_um / cell_mpp), grid.size.width, grid.size.height))
    x, y = round(place.x_level0 / grid.pitch - side / 2), round(place.y_level0 / grid.pitch - side / 2)
    x, y = (int(np.clip(v, 0, length - side)) for v, length in ((x, grid.size.width), (y, grid.size.height)))
    return Window(x, y, side, side), grid


def _opened(record: Assessed) -> Slide | None:
    """The slide, or None when the file is gone, another one, or damaged by now."""
    path = Path(record.stamp.path)
    try:
        if fingerprint(path) != record.stamp.slide_fingerprint:
            return None
        return open_slide(SlideFile(path, Mpp(record.mpp) if record.mpp_source == "caller" else None))
    except (OSError, SlideError):
        return None


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
    _draw_bar(picture, scale_bar(um_per_px, picture.width))
    return picture


def _draw_bar(picture: Image.Image, bar: ScaleBar) -> None:
    """A scale bar on a light ground, bottom left."""
    unit = max(picture.width, 300) / 100
    draw, font = ImageDraw.Draw(picture, "RGBA"), ImageFont.load_default(round(max(12.0, 2.8 * unit)))
    length, thick, pad = round(bar.length_px), max(2, round(0.6 * unit)), round(max(5.0, 1.2 * unit))
    text_height = round(max(12.0, 2.8 * unit)) + 2
    left, bottom = pad, picture.height - pad
    draw.rectangle(
        (left, bottom - text_height - thick - 2 * pad, left + length + 2 * pad, bottom), (255, 255, 255, 220)
    )
    bar_top = bottom - pad - thick
    draw.rectangle((left + pad, bar_top, left + pad + length, bar_top + thick - 1), _INK)
    draw.text((left + pad + length / 2, bar_top - 3), bar.label, _INK, font, anchor="ms")


def _draw_number(picture: Image.Image, spot: Spot) -> None:
    """The number of a close-up in a white disc at its place."""
    x, y, radius = spot.x_share * picture.width, spot.y_share * picture.height, max(9.0, picture.width / 45)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), "white", _INK, max(1, round(radius / 8)))
    draw.text((x, y), str(spot.number), _INK, ImageFont.load_default(round(1.35 * radius)), anchor="mm")


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
