"""Many slides on one sheet, worst first, each with its verdict: the picture to look at after a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from qc.labels import Verdict

_COLUMNS = 3
_CELL_PX = (560, 400)
_CAPTION_PX = 50
_COLOURS = {
    Verdict.USABLE: (0, 110, 50),
    Verdict.REVIEW: (176, 96, 0),
    Verdict.REJECT: (176, 0, 32),
    Verdict.UNASSESSED: (90, 60, 140),
}


@dataclass(frozen=True)
class Entry:
    """One slide on the sheet."""

    picture: Image.Image
    slide_id: str
    verdict: Verdict
    reason: str


def contact_sheet(entries: Sequence[Entry]) -> Image.Image:
    """Pictures in rows of three, in the order given; at least one entry is needed."""
    if not entries:
        raise ValueError("a contact sheet needs at least one slide")
    columns = min(_COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    width, height = _CELL_PX[0], _CELL_PX[1] + _CAPTION_PX
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    draw = ImageDraw.Draw(sheet)
    for i, entry in enumerate(entries):
        left, top = i % columns * width, i // columns * height
        picture = entry.picture.copy()
        picture.thumbnail((width - 16, _CELL_PX[1] - 8))
        sheet.paste(picture, (left + 8, top + _CAPTION_PX))
        colour = _COLOURS[entry.verdict]
        draw.rectangle((left + 8, top + 8, left + 14, top + _CAPTION_PX - 6), colour)
        draw.text((left + 22, top + 6), f"{entry.verdict}: {entry.slide_id}"[:64], colour, ImageFont.load_default(17))
        draw.text((left + 22, top + 27), _cut(entry.reason), "black", ImageFont.load_default(14))
    return sheet


def _cut(text: str, length: int = 76) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
