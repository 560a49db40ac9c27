"""Predictions beside truth. In: a few test tiles and each run's scores of them. Out: a contact sheet.

Blue is an artefact that is found, red what is called without being one, black an artefact that is missed.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.ablate.blocks import BlockLabels
from qc.labels import ARTEFACTS, ArtefactClass
from qc.train.bank import TileBank

FOUND, WRONG, MISSED = (0, 70, 220), (220, 20, 20), (0, 0, 0)
_SIDE_PX, _GAP_PX, _LABEL_PX, _CAPTION_PX = 128, 4, 210, 20
_ALPHA = 0.55
_SHARES = (0.1, 0.6)
Rgb = NDArray[np.uint8]


def choose_shown(bank: TileBank, test: Sequence[int]) -> tuple[int, ...]:
    """A tile for each class of artefact that covers some of it but not all, and a clean one, of different slides."""
    chosen: list[int] = []
    slides: set[str] = set()
    for label in (*ARTEFACTS, None):
        for index in test:
            ref = bank.refs[index]
            if ref.slide not in slides and ref.classes == (frozenset({label}) if label else frozenset()):
                share = np.isin(bank.read(index, ArtefactClass.CLEAN, 0).classes, ARTEFACTS).mean()
                if label is None or _SHARES[0] <= share <= _SHARES[1]:
                    chosen.append(index)
                    slides.add(ref.slide)
                    break
    return tuple(chosen)


def sheet(
    bank: TileBank, shown: Sequence[int], runs: Sequence[tuple[str, NDArray[np.float32]]], cell_px: int
) -> Image.Image:
    """Tiles above, below them truth, below that a row for each run.

    Args:
        bank: All tiles.
        shown: Indices of the tiles.
        runs: Name and (n, h, w) scores of each run.
        cell_px: Side of a cell in pixels of a tile.
    """
    pitch = _SIDE_PX + _GAP_PX
    canvas = Image.new("RGB", (_LABEL_PX + len(shown) * pitch, _CAPTION_PX + (2 + len(runs)) * pitch), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(14)
    draw.text((4, 2), "blue: found   red: called without cause   black: missed", "black", font)
    for row, name in enumerate(["tile", "truth", *(name for name, _maps in runs)]):
        draw.text((4, _CAPTION_PX + row * pitch + _SIDE_PX // 2 - 8), name, "black", font)
    for column, index in enumerate(shown):
        tile = bank.read(index, ArtefactClass.CLEAN, 0)
        truth = BlockLabels(0.5)(tile.classes, cell_px)
        is_true = np.isin(truth, ARTEFACTS)
        pictures = [tile.rgb, _painted(tile.rgb, is_true, is_true)]
        is_known = is_true | (truth == ArtefactClass.CLEAN)
        pictures += [_painted(tile.rgb, is_true, _called(maps[column]) & is_known) for _name, maps in runs]
        for row, picture in enumerate(pictures):
            small = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
            canvas.paste(Image.fromarray(small), (_LABEL_PX + column * pitch, _CAPTION_PX + row * pitch))
    return canvas


def _called(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    return scores >= 0.5


def _painted(rgb: Rgb, is_true: NDArray[np.bool_], is_called: NDArray[np.bool_]) -> Rgb:
    grey = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.float32)
    scale = rgb.shape[0] // is_true.shape[0]
    for where, colour in (
        (is_true & is_called, FOUND),
        (~is_true & is_called, WRONG),
        (is_true & ~is_called, MISSED),
    ):
        cells = np.kron(where, np.ones((scale, scale), bool))
        grey[cells] = (1 - _ALPHA) * grey[cells] + _ALPHA * np.array(colour, np.float32)
    return grey.astype(np.uint8)
