"""Labelled cells of views. In: a table of codes. Out: windows of clean tissue, and windows with weak labels.

A code of letters says what is somewhere in a cell, not where: a network may learn from it what the cell's pixels
can be and what some of them are.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qc.artefact.training.raster import class_id
from qc.config.training import SourceSpec
from qc.errors import SettingsError
from qc.geometry import Grid, Window
from qc.labels import ArtefactClass

Codes = dict[tuple[int, int], str]
"""Code of each (row, column) of a view."""

_SOUND = frozenset({ArtefactClass.CLEAN, ArtefactClass.GLASS})


@dataclass(frozen=True)
class WeakLabel:
    """What is known of a window without knowing where.

    Attributes:
        present: Artefacts that some of its pixels show.
        allowed: All classes that its pixels may have.
    """

    present: frozenset[ArtefactClass]
    allowed: frozenset[ArtefactClass]


def read_codes(source: SourceSpec, root: Path) -> dict[tuple[str, str], Codes]:
    """Codes of each (slide, view).

    Raises:
        SettingsError: If the table cannot be read.
    """
    path = root / source.annotation
    views: dict[tuple[str, str], Codes] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                view = views.setdefault((row["slide"], row["view"]), {})
                view[int(row["row"]), int(row["col"])] = row["code"]
    except (OSError, KeyError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as labelled cells ({error})", "see datasets/README.md") from error
    return views


def clean_windows(codes: Codes, source: SourceSpec, grid: Grid, tile_px: int) -> Iterator[Window]:
    """Windows of a tile's size whose cells are all clean."""
    for window, inside in _windows(codes, source, grid, tile_px):
        if all(code in source.clean_codes for code in inside):
            yield window


def weak_windows(codes: Codes, source: SourceSpec, grid: Grid, tile_px: int) -> Iterator[tuple[Window, WeakLabel]]:
    """Windows of a tile's size with what their cells' codes say, without those that are clean all over.

    Raises:
        SettingsError: If tiles are smaller than cells, so that what a cell holds may lie outside.
    """
    cell_px = source.cell_px * grid.slide_mpp / grid.cell_mpp
    if tile_px < 0.99 * cell_px:
        raise SettingsError(f"cells of {cell_px:g} px do not fit into tiles of {tile_px} px", "read larger tiles")
    for window, inside in _windows(codes, source, grid, tile_px):
        letters = frozenset("".join(inside))
        is_clean = all(code in source.clean_codes for code in inside)
        if not is_clean and not letters & frozenset(source.skip_codes):
            yield window, _label(letters, source)


def _label(letters: frozenset[str], source: SourceSpec) -> WeakLabel:
    present = frozenset(ArtefactClass(class_id(source.present[one])) for one in letters if one in source.present)
    possible = frozenset(ArtefactClass(class_id(source.possible[one])) for one in letters if one in source.possible)
    return WeakLabel(present, _SOUND | present | possible)


def _windows(codes: Codes, source: SourceSpec, grid: Grid, tile_px: int) -> Iterator[tuple[Window, list[str]]]:
    """Windows that start at a cell's corner, with the codes of all cells they touch; none that leaves the table."""
    cell_px = source.cell_px * grid.slide_mpp / grid.cell_mpp
    across = int(np.ceil(tile_px / cell_px - 1e-6))
    for row, column in sorted(codes):
        inside = [codes.get((row + i, column + j)) for i in range(across) for j in range(across)]
        found = [code for code in inside if code is not None]
        if len(found) == len(inside):
            yield Window(round(column * cell_px), round(row * cell_px), tile_px, tile_px), found
