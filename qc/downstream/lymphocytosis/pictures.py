"""The cells that decided, patient by patient. In: bags and what a model said. Out: one sheet a patient."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.config.lymphocytosis import CellSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cells import Cells, read_image
from qc.downstream.lymphocytosis.model import Judged
from qc.downstream.lymphocytosis.segment import find_cell
from qc.files import replacing

Float = NDArray[np.float64]

_SIDE_PX = 168
_CAPTION_PX = 20
_IN_ROW = 8
_FRAME_PX = 4
_FOR, _AGAINST, _EVEN = (178, 24, 43), (33, 102, 172), (120, 120, 120)
_INK = (20, 20, 20)


def write_sheets(bags: Bags, judged: Judged, cells: CellSettings, folder: Path) -> list[Path]:
    """`<patient>.png`: the eight cells that weighed most and the eight that weighed least, outlined and framed.

    Args:
        bags: Patients; one without cells gets no sheet.
        judged: What a model said of them.
        cells: How lymphocytes are found, for the outlines.
        folder: Where sheets go.
    """
    written = []
    for patient, own, chance, weights in zip(bags.patients, bags.cells, judged.chance, judged.weights, strict=True):
        if not own.files:
            continue
        title = (
            f"{patient.name}: chance of tumoral {chance:.2f}; {len(own.files)} cells; below each its {_short(judged)}"
        )
        path = folder / f"{patient.name}.png"
        with replacing(path) as partial:
            _sheet(own, weights, title, cells).save(partial, "PNG")
        written.append(path)
    return written


def most_and_least(weights: Float, few: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the largest and of the smallest weights, the largest first; none is in both."""
    order = np.argsort(-weights, kind="stable")
    top = order[: min(few, -(-len(order) // 2))]
    rest = order[len(top) :]
    return top, rest[max(0, len(rest) - few) :]


def _short(judged: Judged) -> str:
    return judged.meaning.split(";", maxsplit=1)[0].split(",", maxsplit=1)[0]


def _sheet(cells: Cells, weights: Float, title: str, settings: CellSettings) -> Image.Image:
    rows = [rows for rows in most_and_least(weights, _IN_ROW) if len(rows)]
    sheet = Image.new("RGB", (_IN_ROW * _SIDE_PX, _CAPTION_PX + len(rows) * (_SIDE_PX + _CAPTION_PX)), (255, 255, 255))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    draw.text((4, 2), title, _INK, font)
    is_signed = bool((weights < 0).any())
    for line, row in enumerate(rows):
        top = _CAPTION_PX + line * (_SIDE_PX + _CAPTION_PX)
        for column, cell in enumerate(row):
            weight = float(weights[cell])
            colour = (_FOR if weight > 0 else _AGAINST) if is_signed else (_FOR if line == 0 else _EVEN)
            sheet.paste(Image.fromarray(_framed(cells.files[cell], colour, settings)), (column * _SIDE_PX, top))
            text = f"{weight:+.3f}" if is_signed else f"{weight:.3f}"
            draw.text((column * _SIDE_PX + 4, top + _SIDE_PX + 2), text, _INK, font)
    return sheet


def _framed(path: Path, colour: tuple[int, int, int], settings: CellSettings) -> NDArray[np.uint8]:
    """A cell with the outlines of nucleus and cytoplasm, in a frame."""
    rgb = read_image(path)
    found = find_cell(rgb, settings)
    shown = cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_CUBIC)
    for mask, ink in ((found.whole, (255, 200, 0)), (found.nucleus, (0, 160, 60))):
        large = cv2.resize(mask.astype(np.uint8), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(large, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        shown = cv2.drawContours(shown, outlines, -1, ink, 1)
    edge = _FRAME_PX // 2
    return cv2.rectangle(shown, (edge, edge), (_SIDE_PX - edge - 1, _SIDE_PX - edge - 1), colour, _FRAME_PX).astype(
        np.uint8
    )
