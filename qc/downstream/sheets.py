"""Loose tiles laid side by side on glass, a sheet for each slide, so that they are assessed and filtered as slides are.

In: which numbered files belong together. Out: PNG sheets, tiles at whole multiples of their side, and a cohort table.
"""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from qc.config.downstream import SheetSpec, SheetsSettings
from qc.errors import SettingsError
from qc.files import replacing, write_text

_GLASS = 243


def lay_sheets(
    settings: SheetsSettings, root: Path, folder: Path, tell: Callable[[int, int], None] | None = None
) -> Path:
    """Write `<name>.png` for each sheet and `cohort.csv`, whose path is returned.

    Args:
        settings: Which tiles make a sheet.
        root: Folder that the tiles' paths start from.
        folder: Where sheets go.
        tell: Called with sheets done and sheets in all.

    Raises:
        SettingsError: If a sheet has no tile, or a tile is of another size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    lines = csv.writer(table, lineterminator="\n")
    lines.writerow(["slide", "patient", "label"])
    for done, sheet in enumerate(settings.sheets, 1):
        with replacing(folder / f"{sheet.name}.png") as partial:
            _, encoded = cv2.imencode(".png", _laid(sheet, settings.tile_px, root))
            partial.write_bytes(encoded.tobytes())
        lines.writerow([sheet.name, sheet.name, sheet.label])
        if tell is not None:
            tell(done, len(settings.sheets))
    write_text(folder / "cohort.csv", table.getvalue())
    return folder / "cohort.csv"


def _laid(sheet: SheetSpec, side: int, root: Path) -> np.ndarray:
    """(H, W, 3) uint8 BGR: tiles row by row within a border of glass one tile wide."""
    tiles = [_tile(file, side) for file in _files(sheet, root)]
    across = math.ceil(math.sqrt(len(tiles)))
    down = math.ceil(len(tiles) / across)
    canvas = np.full(((down + 2) * side, (across + 2) * side, 3), _GLASS, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = (i // across + 1) * side, (i % across + 1) * side
        canvas[top : top + side, left : left + side] = tile
    return canvas


def _files(sheet: SheetSpec, root: Path) -> list[Path]:
    wanted = {number for first, last in sheet.numbers for number in range(first, last + 1)}
    numbered = (file for file in sorted((root / sheet.folder).glob("*")) if file.stem.isdigit())
    files = [file for file in numbered if int(file.stem) in wanted]
    if not files:
        raise SettingsError(f"{root / sheet.folder} holds no tile of sheet {sheet.name}", "correct folder or numbers")
    return files


def _tile(file: Path, side: int) -> np.ndarray:
    tile = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if tile is None or tile.shape[:2] != (side, side):
        found = "no image" if tile is None else f"{tile.shape[1]} x {tile.shape[0]} px"
        raise SettingsError(f"{file} is {found}, not {side} px square", "set tile_px, or leave the file out")
    return tile
