import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from qc.config.downstream import SheetsSettings
from qc.downstream.bank import Bank, places, read_bank
from qc.downstream.mixup import mixup
from qc.downstream.sharpness import blurred_to, matched, sharpness
from qc.downstream.sheets import lay_sheets
from qc.downstream.stain import Normaliser
from qc.downstream.tiles import BalancedTiles, Draw, TileDataset
from qc.errors import ManifestError, SettingsError

AS_SCANNED = Normaliser("none", None, {})


def test_every_label_and_every_slide_of_a_label_is_equally_likely(tiles: pd.DataFrame) -> None:
    uneven = tiles.drop(index=np.flatnonzero(tiles["slide_id"] == "fl-1")[:4].tolist()).reset_index(drop=True)
    sampler = BalancedTiles(uneven, batch_tiles=8, batches=400, seed=1)

    drawn = [draw for batch in sampler for draw in batch]

    slides = Counter(uneven["slide_id"][draw.row] for draw in drawn)
    assert Counter(uneven["target"][draw.row] for draw in drawn) == {0: 1600, 1: 1600}
    assert max(slides.values()) < 1.25 * min(slides.values())  # although fl-1 has two tiles and the others six
    assert len({draw.number for draw in drawn}) == len(drawn)


def test_batches_repeat_with_the_seed_and_differ_between_epochs(tiles: pd.DataFrame) -> None:
    sampler = BalancedTiles(tiles, 8, 3, seed=1)
    first = list(sampler)

    sampler.set_epoch(1)

    assert list(sampler) != first
    assert list(BalancedTiles(tiles, 8, 3, seed=1)) == first


def test_a_tile_is_read_from_its_place_on_the_slide(tiles: pd.DataFrame, bank: Bank, tmp_path: Path) -> None:
    whole = read_bank(tiles, 48, tmp_path)
    row = int(np.flatnonzero((tiles["x_level0"] == 48) & (tiles["y_level0"] == 48))[0])
    picture = np.asarray(Image.open(str(tiles["path"].iloc[row])))

    np.testing.assert_array_equal(whole.tile(places(tiles)[row]), picture[48:96, 48:96])
    assert bank.tile(places(tiles)[row]).shape == (32, 32, 3)


def test_pixels_that_were_kept_are_not_read_again(tiles: pd.DataFrame, tmp_path: Path) -> None:
    read_bank(tiles, 32, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}

    read_bank(tiles, 32, tmp_path)

    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
    assert len(before) == 8


def test_a_slide_that_was_moved_is_named(tiles: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"gone\.svs of slide fh-0 is not there"):
        read_bank(tiles.assign(path=str(tmp_path / "gone.svs")), 32, tmp_path)


def test_a_sample_is_the_tile_and_its_label(tiles: pd.DataFrame, bank: Bank) -> None:
    dataset = TileDataset(tiles, bank, AS_SCANNED)

    sample = dataset[Draw(7, 0)]

    np.testing.assert_array_equal(sample["rgb"].numpy(), bank.tile(places(tiles)[7]))
    assert int(sample["target"]) == tiles["target"][7]


def test_mixup_blends_labels_as_it_blends_pixels() -> None:
    images = torch.arange(6, dtype=torch.float32).view(6, 1, 1, 1).expand(6, 3, 4, 4)
    targets = torch.tensor([0, 0, 0, 1, 1, 1])

    mixed, labels = mixup(images, targets, 2, 0.4, np.random.default_rng(3))

    # partner and weight can be read from the labels only where they differ, so all is recomputed from the same draws
    rng = np.random.default_rng(3)
    partner, weight = rng.permutation(6), rng.beta(0.4, 0.4, 6)
    expected = weight * np.arange(6) + (1 - weight) * partner
    np.testing.assert_allclose(mixed[:, 0, 0, 0].numpy(), expected, rtol=1e-5)
    is_positive = np.arange(6) >= 3
    share = weight * is_positive + (1 - weight) * is_positive[partner]
    np.testing.assert_allclose(labels[:, 1].numpy(), share, rtol=1e-5)
    np.testing.assert_allclose(labels.sum(dim=1).numpy(), 1.0, rtol=1e-6)
    assert ((share > 0) & (share < 1)).any()


def test_mixup_of_weight_zero_changes_nothing() -> None:
    images, targets = torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 1, 0])

    same, labels = mixup(images, targets, 2, 0.0, np.random.default_rng(0))

    assert torch.equal(same, images)
    assert labels.tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]


def test_a_tile_is_blurred_just_to_the_sharpness_wanted() -> None:
    tile = np.random.default_rng(0).integers(60, 200, (64, 64, 3)).astype(np.uint8)
    wanted = sharpness(tile) - 2.0

    out = blurred_to(tile, wanted)

    assert sharpness(out) == pytest.approx(wanted, abs=0.05)
    assert blurred_to(out, wanted + 1) is out


def test_matched_tiles_differ_in_label_and_not_in_sharpness() -> None:
    rng = np.random.default_rng(0)
    target = np.repeat([0, 1], 300)
    sharp = rng.normal(0, 1, 600) - target

    rows = matched(sharp.tolist(), target.tolist(), 12)

    assert (target[rows] == 0).sum() == (target[rows] == 1).sum() > 100
    gap = sharp[rows][target[rows] == 0].mean() - sharp[rows][target[rows] == 1].mean()
    assert abs(gap) < 0.1


def test_a_sheet_holds_each_tile_at_a_multiple_of_its_side(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(1, 8):
        Image.new("RGB", (16, 16), (number * 30, 10, 20)).save(tmp_path / "in" / f"{number:03d}.png")
    spec = {"name": "s", "label": "FL", "folder": "in", "numbers": [[1, 3], [6, 7]]}

    table = lay_sheets(SheetsSettings.model_validate({"tile_px": 16, "sheets": [spec]}), tmp_path, tmp_path / "out")

    sheet = np.asarray(Image.open(tmp_path / "out" / "s.png"))
    reds = [int(sheet[(1 + i // 3) * 16 + 8, (1 + i % 3) * 16 + 8, 0]) for i in range(5)]
    assert reds == [30, 60, 90, 180, 210]
    assert sheet.shape == (4 * 16, 5 * 16, 3)
    assert table.read_text() == "slide,patient,label\ns,s,FL\n"


def test_a_sheet_without_tiles_is_refused(tmp_path: Path) -> None:
    spec = {"name": "s", "label": "FL", "folder": "in", "numbers": [[1, 3]]}

    with pytest.raises(SettingsError, match="holds no tile of sheet s"):
        lay_sheets(SheetsSettings.model_validate({"sheets": [spec]}), tmp_path, tmp_path / "out")


def test_the_example_of_the_documentation_runs(
    manifest_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "downstream.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", page, re.S)[0]
    (tmp_path / "tiles.parquet").write_bytes(manifest_path.read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}

    exec(compile(example, "downstream.md", "exec"), names)

    batch = names["batch"]
    assert isinstance(batch, dict)
    assert batch["rgb"].shape == (8, 128, 128, 3)
    assert sorted(batch["target"].tolist()) == [0] * 4 + [1] * 4


def test_pixels_of_slides_are_read_one_slide_after_the_other(tiles: pd.DataFrame, bank: Bank) -> None:
    of_slides = bank.by_slide(tiles)

    assert list(of_slides) == sorted(set(tiles["slide_id"]))
    for slide, own in tiles.groupby("slide_id"):
        np.testing.assert_array_equal(of_slides[str(slide)], bank.tiles(own))
    assert of_slides["fh-0"] is not of_slides["fh-0"], "nothing is held"
