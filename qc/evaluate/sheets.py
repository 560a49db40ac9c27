"""Pictures of the cells that a stage gets most wrong. In: scored cells and their views. Out: contact sheets.

Pixels are shown only of slides whose table of sources gives a licence for it; a sheet stays with whoever has the data.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from qc.errors import SettingsError
from qc.evaluate.cell_figures import TARGET_TNRS, Thresholds, is_called, thresholds_at
from qc.evaluate.cells import CellResult
from qc.evaluate.real import CELL_LABELS, CELL_PX, CELL_SOURCES
from qc.files import replacing

N_WORST = 24

_COLUMNS = 6
_MOST_PER_SLIDE = 3
_CAPTION_PX = 36
_GAP_PX = 6


def write_sheets(results: Sequence[CellResult], root: Path, folder: Path) -> list[Path]:
    """Draw the worst cells at the loosest threshold as `called.png` and `missed.png`; returns their paths.

    Args:
        results: Scored cells of the reference data.
        root: Folder of the reference data.
        folder: Where to write.

    Raises:
        SettingsError: If the table of sources or a view is missing.
        RunError: If the folder cannot be written to.
    """
    licensed = licensed_slides(root / CELL_SOURCES)
    shown = [cell for cell in results if cell.slide in licensed]
    pages = worst_cells(shown, thresholds_at(results, TARGET_TNRS[0]), N_WORST)
    paths = [folder / "called.png", folder / "missed.png"]
    for path, cells in zip(paths, pages, strict=True):
        with replacing(path) as partial:
            cell_sheet(cells, (root / CELL_LABELS).parent, CELL_PX).save(partial)
    return paths


def worst_cells(results: Sequence[CellResult], thresholds: Thresholds, n: int) -> tuple[list[CellResult], ...]:
    """Clean cells called artefact, highest score first, and artefact cells not called, lowest first.

    `n` of each at most, and few of each slide, lest one slide fill the page.
    """
    ordered = sorted(results, key=lambda cell: (cell.score, cell.suspicion))
    called = [cell for cell in reversed(ordered) if cell.is_clean and is_called(cell, thresholds)]
    missed = [
        cell for cell in ordered if cell.is_artefact and cell.counts_for_artefacts and not is_called(cell, thresholds)
    ]
    return _few_per_slide(called)[:n], _few_per_slide(missed)[:n]


def _few_per_slide(cells: Sequence[CellResult]) -> list[CellResult]:
    taken: Counter[str] = Counter()
    few = []
    for cell in cells:
        taken[cell.slide] += 1
        if taken[cell.slide] <= _MOST_PER_SLIDE:
            few.append(cell)
    return few


def licensed_slides(sources_path: Path) -> set[str]:
    """Slides whose `use` is `train` in a CSV with columns slide and use.

    Raises:
        SettingsError: If the file or a column is missing.
    """
    try:
        rows = pd.read_csv(sources_path, dtype=str)
        return set(rows.loc[rows["use"] == "train", "slide"])
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"{sources_path} is no table of slides ({error})", "see datasets/README.md") from error


def cell_sheet(cells: Sequence[CellResult], root: Path, cell_px: int) -> Image.Image:
    """Cells in rows, in the order given, with slide, view, row, column, code, score and mean suspicion.

    Args:
        cells: Cells to show.
        root: Folder of the views, `<slide>/<view>.jpg`.
        cell_px: Side of a cell in its view.
    """
    pitch_x, pitch_y = cell_px + _GAP_PX, cell_px + _CAPTION_PX + _GAP_PX
    sheet = Image.new("RGB", (_COLUMNS * pitch_x, max(1, -(-len(cells) // _COLUMNS)) * pitch_y), "white")
    draw = ImageDraw.Draw(sheet)
    for i, cell in enumerate(cells):
        left, top = i % _COLUMNS * pitch_x, i // _COLUMNS * pitch_y
        x, y = cell.column * cell_px, cell.row * cell_px
        with Image.open(root / cell.slide / f"{cell.view}.jpg") as view:
            sheet.paste(view.crop((x, y, x + cell_px, y + cell_px)), (left, top + _CAPTION_PX))
        draw.text((left + 2, top + 1), cell.slide, "black", ImageFont.load_default(13))
        caption = f"{cell.view} r{cell.row} c{cell.column} {cell.code} {cell.score:.2f} ({cell.suspicion:.2f})"
        draw.text((left + 2, top + 17), caption, "black", ImageFont.load_default(13))
    return sheet
