"""Tiles drawn once: the same as read from their slides, and drawn anew only when something else is wanted."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qc.artefact.training import Planned, TileSource, plan_sources
from qc.config.train import TrainSettings
from qc.config.training import TrainingSources
from qc.labels import ARTEFACTS, ArtefactClass
from qc.train.bank import PartOfBank, TileBank
from qc.train.draw import draw_bank

CLEAN, FOLD = ArtefactClass.CLEAN, ArtefactClass.FOLD
MASKS = {
    "name": "own",
    "kind": "masks",
    "files": "*.png",
    "mpp": 1.0,
    "use": "train",
    "licence": "CC0",
    "all_tissue": True,
    "annotation": "{stem}.mask.tif",
    "values": {"1": "clean", "2": "fold", "7": "glass"},
}
TISSUE = {"name": "clean", "kind": "tissue", "files": "*-[01].png", "mpp": 1.0, "use": "train", "licence": "CC0"}
SOURCES = TrainingSources.model_validate(
    {"mpp": 1.0, "tile_px": 64, "sources": [MASKS, {**TISSUE, "all_tissue": True}]}
)


@pytest.fixture(scope="module")
def planned(labelled_images: Path) -> Planned:
    return plan_sources(SOURCES, labelled_images)


def settings(**changes: Any) -> TrainSettings:
    return TrainSettings.model_validate({"sources": "-", "sampling": {"composed_tiles": 4}, **changes})


def draw(planned: Planned, folder: Path, **changes: Any) -> tuple[TileBank, int]:
    """The bank, and how many tiles had to be drawn."""
    drawn = [0]
    bank = draw_bank(planned, settings(**changes), folder, 0, lambda done, _total: drawn.append(done))
    return bank, drawn[-1]


def test_of_two_that_want_the_same_tiles_at_once_one_draws_them(planned: Planned, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        (first, drawn), (second, drawn_too) = pool.map(lambda _: draw(planned, tmp_path), range(2))

    assert sorted((drawn, drawn_too)) == [0, len(first.refs)]
    for index in range(len(first.refs)):
        np.testing.assert_array_equal(first.read(index, CLEAN, 0).rgb, second.read(index, CLEAN, 0).rgb)


def test_a_bank_holds_every_tile_once_and_composed_ones_of_every_class_from_every_slide(
    planned: Planned, tmp_path: Path
) -> None:
    bank, drawn = draw(planned, tmp_path)

    met, composed = bank.refs[: len(planned.tiles)], bank.refs[len(planned.tiles) :]
    assert drawn == len(bank.refs) == len(planned.tiles) + 4 * len(ARTEFACTS)
    assert [ref.classes for ref in met] == [ref.classes for ref in planned.tiles]
    assert not any(ref.is_composed for ref in met)
    assert all(ref.is_composed for ref in composed)
    assert not any(ref.composable for ref in bank.refs)
    assert Counter(ref.classes for ref in composed) == {frozenset({one}): 4 for one in ARTEFACTS}
    assert Counter(ref.slide for ref in composed) == {"slide-0": 10, "slide-1": 10}


def test_a_tile_of_a_bank_is_the_tile_of_its_slide(planned: Planned, tmp_path: Path) -> None:
    bank, _drawn = draw(planned, tmp_path)
    source = TileSource(planned, settings().compose, settings().noise, settings().seed)

    for index in (0, 3, len(planned.tiles) - 1):
        kept, read = bank.read(index, CLEAN, 0), source.read(index)
        np.testing.assert_array_equal(kept.rgb, read.rgb)
        np.testing.assert_array_equal(kept.classes, read.classes)
        assert bank.mpp == read.mpp
    folds = [index for index, ref in enumerate(bank.refs) if ref.is_composed and ref.classes == {FOLD}]
    assert all((bank.read(index, CLEAN, 0).classes == FOLD).any() for index in folds)
    assert len({bank.read(index, CLEAN, 0).rgb.tobytes() for index in folds}) == len(folds)


def test_a_part_of_a_bank_numbers_its_tiles_anew(planned: Planned, tmp_path: Path) -> None:
    bank, _drawn = draw(planned, tmp_path)
    part = PartOfBank(bank, (5, 2))

    assert part.refs == (bank.refs[5], bank.refs[2])
    np.testing.assert_array_equal(part.read(1, CLEAN, 7).rgb, bank.read(2, CLEAN, 0).rgb)


def test_equal_settings_use_what_was_drawn(planned: Planned, tmp_path: Path) -> None:
    first, _drawn = draw(planned, tmp_path)

    again, drawn = draw(planned, tmp_path, optimiser={"epochs": 3})

    assert drawn == 0
    assert again.refs == first.refs


@pytest.mark.parametrize("change", [{"seed": 2}, {"compose": {"share_min": 0.2}}, {"sampling": {"composed_tiles": 3}}])
def test_other_settings_draw_anew(planned: Planned, tmp_path: Path, change: dict[str, Any]) -> None:
    first, _drawn = draw(planned, tmp_path)
    before = [first.read(index, CLEAN, 0).rgb for index in range(len(first.refs))]

    bank, drawn = draw(planned, tmp_path, **change)

    assert drawn == len(bank.refs)
    after = [bank.read(index, CLEAN, 0).rgb for index in range(len(bank.refs))]
    assert not (len(after) == len(before) and np.array_equal(after, before))


def test_a_drawing_that_broke_off_starts_again(planned: Planned, tmp_path: Path) -> None:
    bank, _drawn = draw(planned, tmp_path)
    wanted = bank.read(0, CLEAN, 0).rgb
    (tmp_path / "tiles.json").unlink()
    np.load(tmp_path / "pixels.npy", mmap_mode="r+")[:] = 0

    again, drawn = draw(planned, tmp_path)

    assert drawn == len(bank.refs)
    np.testing.assert_array_equal(again.read(0, CLEAN, 0).rgb, wanted)
    assert json.loads((tmp_path / "tiles.json").read_text())["tiles"] == len(bank.refs)


def test_without_clean_tissue_nothing_is_composed(labelled_images: Path, tmp_path: Path) -> None:
    planned = plan_sources(SOURCES.model_copy(update={"sources": SOURCES.sources[:1]}), labelled_images)

    bank, _drawn = draw(planned, tmp_path)

    assert len(bank.refs) == len(planned.tiles)
