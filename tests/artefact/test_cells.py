"""Labelled cells of views: which windows are clean, and what is known of those that are not."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qc.artefact.training import IGNORE, TileSource, plan_sources
from qc.artefact.training.cells import WeakLabel, clean_windows, read_codes, weak_windows
from qc.config.training import ComposeSettings, LabelNoiseSettings, SourceSpec, TrainingSources
from qc.errors import SettingsError
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ArtefactClass

CLEAN, FOLD, FOREIGN, PEN, GLASS = (ArtefactClass[name] for name in ("CLEAN", "FOLD", "FOREIGN", "PEN", "GLASS"))
CODES = {(0, 0): "C", (0, 1): "FC", (0, 2): "TP", (1, 0): "G", (1, 1): "CX", (1, 2): "C"}
GRID = Grid(Size(192, 128), Mpp(1.0), Mpp(1.0))


def spec(**changes: Any) -> SourceSpec:
    content = {
        "name": "views",
        "kind": "cells",
        "files": "*/*.png",
        "annotation": "labels.csv",
        "slide": r"([^/]+)/",
        "mpp": 1.0,
        "use": "train",
        "licence": "CC0",
        "cell_px": 64,
        "all_tissue": True,
        "present": {"F": "fold", "P": "pen", "D": "foreign"},
        "possible": {"T": "fold"},
        "skip_codes": ["X"],
    }
    return SourceSpec.model_validate({**content, **changes})


def at(row: int, column: int) -> Window:
    return Window(64 * column, 64 * row, 64, 64)


def test_letters_say_what_is_somewhere_and_what_may_be() -> None:
    found = dict(weak_windows(CODES, spec(), GRID, 64))

    assert found == {
        at(0, 1): WeakLabel(frozenset({FOLD}), frozenset({CLEAN, GLASS, FOLD})),
        at(0, 2): WeakLabel(frozenset({PEN}), frozenset({CLEAN, GLASS, PEN, FOLD})),
        at(1, 0): WeakLabel(frozenset(), frozenset({CLEAN, GLASS})),
    }


def test_cells_that_are_clean_all_over_are_labelled_exactly_and_never_weakly() -> None:
    clean = list(clean_windows(CODES, spec(), GRID, 64))

    assert clean == [at(0, 0), at(1, 2)]
    assert not set(clean) & {window for window, _weak in weak_windows(CODES, spec(), GRID, 64)}


def test_a_window_over_several_cells_knows_all_of_them_and_stays_inside_the_table() -> None:
    codes = {place: code for place, code in CODES.items() if place[1] < 2} | {(1, 1): "D"}

    ((window, weak),) = weak_windows(codes, spec(), GRID, 128)

    assert window == Window(0, 0, 128, 128)
    assert weak == WeakLabel(frozenset({FOLD, FOREIGN}), frozenset({CLEAN, GLASS, FOLD, FOREIGN}))
    assert list(weak_windows(CODES, spec(), GRID, 128)) == []  # both windows hold a cell to be skipped


def test_tiles_smaller_than_cells_would_promise_what_they_may_not_hold() -> None:
    with pytest.raises(SettingsError, match="cells of 64 px do not fit into tiles of 32 px"):
        list(weak_windows(CODES, spec(), GRID, 32))


def test_cells_keep_their_place_when_tiles_are_coarser_than_the_view() -> None:
    grid = Grid(Size(384, 256), Mpp(0.5), Mpp(1.0))

    windows = [window for window, _weak in weak_windows(CODES, spec(cell_px=128, mpp=0.5), grid, 64)]

    assert windows == [at(0, 1), at(0, 2), at(1, 0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One view with six cells."""
    (tmp_path / "a").mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(90, 230, (128, 192, 3)).astype(np.uint8)).save(tmp_path / "a" / "01.png")
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("slide", "view", "row", "col", "code"))
        writer.writerows(("a", "01", row, column, code) for (row, column), code in CODES.items())
    return tmp_path


def test_weak_tiles_are_read_without_labelled_pixels_and_nothing_is_laid_on_them(folder: Path) -> None:
    settings = TrainingSources.model_validate({"tile_px": 64, "mpp": 1.0, "sources": [spec().model_dump()]})
    planned = plan_sources(settings, folder)
    source = TileSource(planned, ComposeSettings(), LabelNoiseSettings())

    weak = [index for index, ref in enumerate(source.refs) if ref.weak]
    tile = source.read(weak[0], PEN, 3)

    assert len(source.refs) == 5
    assert [source.refs[index].classes for index in weak] == [{FOLD}, {PEN}, frozenset()]
    assert not any(source.refs[index].composable for index in weak)
    assert (tile.classes == IGNORE).all()
    view = np.asarray(Image.open(folder / "a" / "01.png"))
    np.testing.assert_array_equal(tile.rgb, view[:64, 64:128])


def test_without_letters_only_clean_cells_are_taken(folder: Path) -> None:
    settings = TrainingSources.model_validate(
        {"tile_px": 64, "mpp": 1.0, "sources": [spec(present={}, possible={}).model_dump()]}
    )

    tiles = plan_sources(settings, folder).tiles

    assert [ref.window for ref in tiles] == [at(0, 0), at(1, 2)]
    assert all(ref.composable for ref in tiles)


@pytest.mark.parametrize("text", ["slide,view,row,col\na,01,0,0\n", "slide,view,row,col,code\na,01,x,0,C\n", None])
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "labels.csv").write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError, match=r"labels\.csv cannot be read as labelled cells"):
        read_codes(spec(), tmp_path)
