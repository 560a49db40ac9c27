from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from qc.config.downstream import ClassifierSettings, CompareSettings, DownstreamSettings
from qc.downstream.arms import Arm, Bench
from qc.downstream.bank import Bank
from qc.downstream.cases import parts
from qc.downstream.classifier import train_classifier
from qc.downstream.follicular.arms import follicular_arms
from qc.downstream.follicular.run import run_compare, run_follicular
from qc.downstream.heatmap import over_tile, slide_heat, tile_heat
from qc.downstream.network import build
from qc.errors import SettingsError

Make = Callable[..., ClassifierSettings]


def test_the_activation_map_s_mean_is_the_logit(small: Make) -> None:
    network = build(small(), seed=1).eval()
    rgb = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8)

    with torch.inference_mode():
        maps, logits = network.activation(rgb), network(rgb)

    assert maps.shape[2:] == (2, 2)
    torch.testing.assert_close(maps.mean(dim=(2, 3)), logits, rtol=1e-4, atol=1e-4)


def test_heat_lies_over_the_quarter_of_the_tile_it_comes_from() -> None:
    heat = np.full((4, 4), -9.0, np.float32)
    heat[0, 3] = 9.0

    out = over_tile(np.full((128, 128, 3), 128, np.uint8), heat).astype(int)

    is_red = out[..., 0] > out[..., 2]
    assert is_red[:24, 104:].all()
    assert not is_red[:, :80].any()
    assert not is_red[48:].any()


def test_tiles_heat_the_slide_where_they_lie() -> None:
    table = pd.DataFrame(
        {"x_level0": [100, 300], "y_level0": [0, 200], "width_level0": [100, 100], "height_level0": [100, 100]}
    )
    heats = np.stack([np.full((2, 2), 3.0, np.float32), np.full((2, 2), -2.0, np.float32)])

    found = slide_heat(table, heats, (40, 50), level0_per_px=10)

    assert (found.logits[0:10, 10:20] == 3).all()
    assert (found.logits[20:30, 30:40] == -2).all()
    assert found.is_seen.sum() == 200
    assert np.abs(found.logits[~found.is_seen]).sum() == 0


def test_a_network_without_a_traceable_end_is_refused(small: Make) -> None:
    with pytest.raises(SettingsError, match="does not end in a mean and one linear layer"):
        build(small().model_copy(update={"encoder": "test_vit"}), seed=1)


def test_training_repeats_exactly_and_learns_what_is_plain(
    small: Make, tiles: pd.DataFrame, bank: Bank, tmp_path: Path
) -> None:
    [part] = parts(tiles, CompareSettings(test_patients=("fl-7", "fh-6")))
    settings = small("reinhard", epochs=20)

    first, again = (train_classifier(part.train, bank, settings, 1, tmp_path / name) for name in "ab")

    chances = first.probabilities(part.test, bank)
    np.testing.assert_array_equal(chances, again.probabilities(part.test, bank))
    assert ((chances >= 0.5) == (part.test["target"] == 1)).mean() >= 0.75
    np.testing.assert_allclose(
        tile_heat(first, part.test, bank).mean(axis=(1, 2)), np.log(chances / (1 - chances)), atol=1e-3
    )


def test_what_was_trained_is_not_trained_again_unless_tiles_differ(
    small: Make, tiles: pd.DataFrame, bank: Bank, tmp_path: Path
) -> None:
    train_classifier(tiles, bank, small(), 1, tmp_path)
    [weights] = tmp_path.glob("*/weights.safetensors")
    written = weights.stat().st_mtime_ns

    train_classifier(tiles, bank, small(), 1, tmp_path)
    train_classifier(tiles.iloc[:-1], bank, small(), 1, tmp_path)

    assert weights.stat().st_mtime_ns == written
    assert len(list(tmp_path.glob("*/weights.safetensors"))) == 2


def test_a_slide_without_kept_tiles_is_unscored_when_inference_is_filtered(
    small: Make, tiles: pd.DataFrame, bank: Bank, tmp_path: Path
) -> None:
    found = parts(tiles, CompareSettings(test_patients=("fl-3", "fh-2")))
    bench = Bench(found, bank, (1,), tmp_path)

    outcome = bench.outcome(Arm("at inference", small(), filters_inference=True))

    assert outcome.scores.slides == ("fh-2", "fl-3")
    assert np.isnan(outcome.scores.score[1, 0])
    assert not np.isnan(outcome.scores.score[0, 0])


def test_each_arm_adds_one_thing(small: Make) -> None:
    arms = follicular_arms(small("macenko", alpha=0.3))

    looks = [(a.classifier.stain.method, a.classifier.fit.mixup_alpha, a.filters_training) for a in arms]
    assert looks == [("none", 0, False), ("macenko", 0, False), ("macenko", 0.3, False), ("macenko", 0.3, True)]


def test_the_task_writes_scores_a_report_and_pictures(small: Make, manifest_path: Path, tmp_path: Path) -> None:
    compare = CompareSettings(seeds=(1,), test_patients=("fl-7", "fl-3", "fh-6", "fh-4"), repeats=100)
    settings = DownstreamSettings(classifier=small(alpha=0.2), compare=compare)
    trainings: list[int] = []

    paths = run_follicular(manifest_path, settings, tmp_path, lambda: trainings.append(1))
    run_compare(manifest_path, settings, tmp_path / "compare", lambda: trainings.append(1))

    assert [path.name for path in paths] == ["report.md", "slides.csv", "tiles.png", "slides.png"]
    assert "| + quality filter |" in (tmp_path / "report.md").read_text()
    assert pd.read_csv(tmp_path / "slides.csv").groupby("arm").size().tolist() == [4] * 4
    assert "| at inference |" in (tmp_path / "compare" / "report.md").read_text()
    scores = pd.read_csv(tmp_path / "compare" / "slides.csv")["score"].to_numpy()
    assert np.isnan(scores).sum() == 2  # fl-3, filtered at inference
    assert len(trainings) == 4 + 1 + 4
