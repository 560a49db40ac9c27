"""Many slides on one sheet, worst first, each with its verdict: the picture to look at after a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from qc.figures.overlay import draw_legend, shortened
from qc.labels import Verdict

_COLUMNS = 3
_CELL_PX = (560, 400)
_CAPTION_PX = 50
_LEGEND_HEIGHT_PX = 40
_NOTE_PX = 20
_INDENT_PX = 8


@dataclass(frozen=True)
class Entry:
    """One slide on the sheet."""

    picture: Image.Image
    slide_id: str
    verdict: Verdict
    reason: str


def contact_sheet(entries: Sequence[Entry], notes: Sequence[str] = ()) -> Image.Image:
    """Pictures in rows of three, in the order given, under one legend.

    Args:
        entries: Slides with a picture.
        notes: Lines below the legend, such as slides that have none.
    """
    rows = -(-len(entries) // _COLUMNS)
    head = _LEGEND_HEIGHT_PX + len(notes) * _NOTE_PX
    width, height = _CELL_PX[0], _CELL_PX[1] + _CAPTION_PX
    sheet = Image.new("RGB", (_COLUMNS * width, head + rows * height), "white")
    draw = ImageDraw.Draw(sheet)
    draw_legend(draw, _INDENT_PX, 12, (150, 0))
    for i, note in enumerate(notes):
        top = _LEGEND_HEIGHT_PX + i * _NOTE_PX
        draw.text((_INDENT_PX, top), shortened(note, 200), Verdict.UNASSESSED.hex_colour, ImageFont.load_default(14))
    for i, entry in enumerate(entries):
        _draw_entry(sheet, entry, i % _COLUMNS * width, head + i // _COLUMNS * height)
    return sheet


def _draw_entry(sheet: Image.Image, entry: Entry, left: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    picture = entry.picture.copy()
    picture.thumbnail((_CELL_PX[0] - 2 * _INDENT_PX, _CELL_PX[1] - _INDENT_PX))
    sheet.paste(picture, (left + _INDENT_PX, top + _CAPTION_PX))
    colour = entry.verdict.hex_colour
    draw.rectangle((left + _INDENT_PX, top + 8, left + _INDENT_PX + 6, top + _CAPTION_PX - 6), colour)
    draw.text((left + 22, top + 6), f"{entry.verdict}: {entry.slide_id}"[:64], colour, ImageFont.load_default(17))
    draw.text((left + 22, top + 27), shortened(entry.reason, 76), "black", ImageFont.load_default(14))
