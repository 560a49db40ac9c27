"""Pictures of one slide for its report: overview, overlay, and the worst places close up.

In: a slide's folder, its record, the slide file where it is still there. Out: small images as data URIs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from qc.figures.glass import glass_photo
from qc.figures.overlay import unframed
from qc.figures.scale_bar import scale_bar
from qc.pipeline.slide_folder import SlideFolder
from qc.record import Assessed
from qc.report.close_ups import Spot
from qc.report.drawing import data_uri, draw_bar, draw_number
from qc.report.slide_file import opened

_SIDE_PX = 1000


@dataclass(frozen=True)
class Glass:
    """The photographed glass, and what it shows in words."""

    picture: str
    caption: str


@dataclass(frozen=True)
class Overview:
    """The whole slide with and without what was found; both pictures have one size, pixels."""

    plain: str
    overlaid: str
    width: int
    height: int


def thumbnail(folder: SlideFolder, side_px: int) -> str:
    """The slide with its artefacts, small; empty when the folder has no picture."""
    if not folder.overlay.is_file():
        return ""
    with Image.open(folder.overlay) as framed:
        picture = unframed(framed)
        picture.thumbnail((side_px, side_px))
        return data_uri(picture)


def glass(record: Assessed) -> Glass | None:
    """The photographed glass with the scanned area, from the slide file while it is the one that was assessed."""
    slide = opened(record)
    if slide is None:
        return None
    try:
        photo = glass_photo(slide)
    finally:
        slide.close()
    return None if photo is None else Glass(data_uri(Image.fromarray(photo.rgb)), photo.caption)


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
        draw_bar(picture, scale_bar(record.width_px * record.mpp / whole.width, whole.width))
    for spot in spots:
        draw_number(overlaid, spot.number, spot.x_share, spot.y_share)
    return Overview(data_uri(whole), data_uri(overlaid), whole.width, whole.height)
