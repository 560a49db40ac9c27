from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from qc.cli.main import cli
from qc.config.glands import GlandSettings, GlandStudySettings, PublishedFigures
from qc.downstream.glands import training
from qc.downstream.glands.gate import gate
from qc.downstream.glands.images import pictures
from qc.downstream.glands.judge import Judge, Judged, blurred, judged
from qc.downstream.glands.model import WEIGHTS, GlandModel, load_model, windows
from qc.downstream.glands.study import run_study
from qc.downstream.glands.training import spent_cpu_seconds, train_model
from qc.errors import ExchangeError, RunError, SettingsError, WeightsError
from qc.metrics.objects import agreement


def changed(settings: GlandSettings, **fit: Any) -> GlandSettings:
    return settings.model_copy(update={"fit": settings.fit.model_copy(update=fit)})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / WEIGHTS)


@pytest.fixture(scope="session")
def trained(glands: Path, small: GlandSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train_model(pictures(glands / "train", has_masks=True), small, folder)
    return folder


def test_a_training_learns_one_image_by_heart(glands: Path, small: GlandSettings, tmp_path: Path) -> None:
    [one] = pictures(glands / "train", has_masks=True)[:1]
    settings = changed(small, epochs=20, epoch_crops=16, crop_px=96)

    model = train_model([one], settings, tmp_path)

    found = agreement(one.labels(), model.instances(one.rgb()))
    assert (found.tp, found.fp, found.fn) == (4, 0, 0)
    assert found.dice > 0.9


def test_a_training_that_was_stopped_ends_with_the_same_weights(
    glands: Path, small: GlandSettings, tmp_path: Path, trained: Path
) -> None:
    some = pictures(glands / "train", has_masks=True)

    def stopped(done: int, _total: int) -> None:
        if done == 2:  # the first epoch is over
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train_model(some, small, tmp_path, stopped)
    assert not (tmp_path / WEIGHTS).is_file()
    drawn: list[int] = []
    train_model(some, small, tmp_path, lambda done, _total: drawn.append(done))

    assert drawn[0] == 2
    for name, tensor in weights(trained).items():
        torch.testing.assert_close(weights(tmp_path)[name], tensor, rtol=0, atol=0)
    assert spent_cpu_seconds(tmp_path) > 0


def test_what_is_trained_is_loaded_and_other_settings_are_refused(
    glands: Path, small: GlandSettings, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = pictures(glands / "train", has_masks=True)
    monkeypatch.setattr(training, "train", None)  # would raise if it were called

    train_model(some, small, trained)
    with pytest.raises(RunError, match="holds a model of other images or settings"):
        train_model(some, changed(small, epochs=3), trained)
    with pytest.raises(RunError, match="holds a model of other images or settings"):
        train_model(some[1:], small, trained)


def test_how_glands_are_told_apart_may_change_after_training(glands: Path, small: GlandSettings, trained: Path) -> None:
    some = pictures(glands / "train", has_masks=True)
    coarse = small.model_copy(update={"instances": small.instances.model_copy(update={"area_mm2_min": 1.0})})

    model = train_model(some, coarse, trained)

    assert not model.instances(some[0].rgb()).any()
    train_model(some, small, trained)


class Corner(torch.nn.Module):
    """Says core where the top left of what it is shown is, so that turns that are not undone give themselves away."""

    stride = 8

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        red = rgb[..., 0].float() / 255
        return torch.stack([1 - red, red, torch.zeros_like(red)], dim=1) * 9


def test_what_is_said_of_turned_images_is_turned_back(small: GlandSettings) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (44, 61, 3)).astype(np.uint8)
    settings = small.model_copy(update={"turned": True})

    once, turned = (GlandModel(Corner(), one).probabilities(rgb) for one in (small, settings))  # type: ignore[arg-type]

    np.testing.assert_allclose(turned, once, atol=1e-5)
    assert np.ptp(once[..., 1]) > 0.9


def test_windows_cover_each_pixel_once_and_see_around_it() -> None:
    seen = np.zeros((300, 517), int)

    for inner, outer in windows(300, 517, 128, 16):
        seen[inner] += 1
        for one, around, side in zip(inner, outer, seen.shape, strict=True):
            assert around.start == max(0, one.start - 16)
            assert around.stop == min(side, one.stop + 16)
            assert around.stop - around.start <= 128

    assert (seen == 1).all()
    assert list(windows(100, 100, 128, 16)) == [((slice(0, 100), slice(0, 100)),) * 2]


def row(name: str, sharpness: float, blur_um: float) -> Judged:
    empty = np.zeros((4, 4), np.int32)
    one = judged(name, blur_um, np.zeros((4, 4, 3), np.uint8), empty, empty)
    return Judged(name, blur_um, sharpness, one.objects, one.pixels)


def test_the_gate_sends_back_what_is_less_sharp_than_its_limit() -> None:
    names = [str(i) for i in range(10)]
    by_radius = {0.0: [row(n, 5.0 if n != "4" else 3.9, 0.0) for n in names], 2.0: [row(n, 3.0, 2.0) for n in names]}

    found = gate(by_radius, share=0.4, least=4.0)

    assert found.sent_back[2.0] == (4, 4)
    assert found.sent_back[0.0] in {(1, 6), (0, 6)}
    assert len(found.kept) == 10 - 4 - found.sent_back[0.0][0]
    assert [one.name for one in found.mixed] == names


def test_blur_keeps_the_mean_and_takes_sharpness() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)

    soft = blurred(rgb, 2.0, 0.5)

    assert abs(float(soft.mean()) - float(rgb.mean())) < 1
    assert soft.std() < rgb.std() / 3
    assert blurred(rgb, 0.0, 0.5) is rgb


def test_what_was_found_is_kept(glands: Path, trained: Path, tmp_path: Path) -> None:
    [one] = pictures(glands / "testA", has_masks=True)[:1]

    first = Judge(load_model(trained), trained, tmp_path)(one)
    [kept] = tmp_path.iterdir()
    Image.fromarray(np.zeros(one.rgb().shape[:2], np.uint8)).save(kept)
    second = Judge(load_model(trained), trained, tmp_path)(one)

    assert second.objects.fn == 4
    assert first.sharpness == second.sharpness


@contextmanager
def no_bar(_what: str) -> Iterator[Any]:
    yield lambda _done, _total: None


def test_the_study_writes_a_report_beside_the_challenge_and_pictures_apart(
    glands: Path, small: GlandSettings, tmp_path: Path
) -> None:
    published = PublishedFigures(who="Team", part="testA", f1=0.912, dice=0.9, hausdorff_px=45.4, source="doi")
    settings = GlandStudySettings(
        glands=small, validation_patients=("3",), blur_um=(3.0,), repeats=100, published=(published,)
    )

    paths = run_study(settings, glands, tmp_path / "out", tmp_path / "reports" / "glands.md", no_bar)

    assert [path.name for path in paths] == ["glands.md", "images.png", "blur.png", "glands.csv", "glands.csv"]
    text = paths[0].read_text("utf-8")
    assert "| Team | 0.912 | 0.900 | 45.4 | - | - | - | doi |" in text
    assert "2 of 2 images of testA" in text
    assert "| validation patients, not tested on | 1 | 4 |" in text
    assert "| 20% of the glands missing |" in text
    assert {path.name for path in (tmp_path / "out" / "testB").iterdir()} >= {"1-glands.png", "1-outlines.png"}
    assert len(list((tmp_path / "reports").rglob("*.png"))) == 2
    again = run_study(settings, glands, tmp_path / "out", tmp_path / "reports" / "glands.md", no_bar)
    assert again[0].read_text("utf-8") == text


def test_a_study_without_a_second_training_tests_the_model_that_saw_no_validation_patient(
    glands: Path, small: GlandSettings, tmp_path: Path
) -> None:
    settings = GlandStudySettings(
        glands=changed(small, epochs=1),
        validation_patients=("2",),
        refit=False,
        blur_um=(),
        annotator_um=(),
        repeats=100,
    )

    text = run_study(settings, glands, tmp_path / "out", tmp_path / "glands.md", no_bar)[0].read_text("utf-8")

    assert "1 of 2 images of testA" in text  # patient 1; 2 was left out
    assert len(list((tmp_path / "out").rglob(WEIGHTS))) == 1


def test_the_commands_train_outline_and_judge(
    glands: Path, small: GlandSettings, trained: Path, tmp_path: Path
) -> None:
    run = CliRunner()

    outlined = run.invoke(
        cli, ["downstream", "glands", "predict", str(trained), str(glands / "testA"), "--out", str(tmp_path / "p")]
    )
    measured = run.invoke(
        cli, ["downstream", "glands", "evaluate", str(trained), str(glands / "testA"), "--out", str(tmp_path / "e")]
    )

    assert outlined.exit_code == 0, outlined.output
    with Image.open(tmp_path / "p" / "1-glands.png") as labels:
        assert labels.size == (96, 96)
    assert measured.exit_code == 0, measured.output
    assert "object F1: " in measured.output
    assert pd.read_csv(tmp_path / "e" / "figures.csv")["image"].tolist() == [1, 2]


def test_bad_input_is_one_clear_sentence(glands: Path, small: GlandSettings, trained: Path, tmp_path: Path) -> None:
    rgb = Image.fromarray(np.zeros((40, 50, 3), np.uint8))
    rgb.save(tmp_path / "a.png")

    with pytest.raises(ExchangeError, match=r"a\.png has no mask beside it; put a-mask\.png"):
        pictures(tmp_path, has_masks=True)
    rgb.save(tmp_path / "a-mask.png")
    with pytest.raises(ExchangeError, match=r"a-mask\.png has colours \(RGB\)"):
        pictures(tmp_path, has_masks=True)[0].labels()
    rgb.convert("L").resize((40, 40)).save(tmp_path / "a-mask.png")
    with pytest.raises(ExchangeError, match="is of 40 x 40 pixels, its image of 50 x 40"):
        pictures(tmp_path, has_masks=True)[0].labels()
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(ExchangeError, match="have one name"):
        pictures(tmp_path, has_masks=False)
    (tmp_path / "a.png").unlink()
    with pytest.raises(ExchangeError, match="cannot be read as an image"):
        pictures(tmp_path, has_masks=False)[0].rgb()
    with pytest.raises(ExchangeError, match="holds no image"):
        pictures(glands, has_masks=False)
    with pytest.raises(WeightsError, match=r"holds no model of glands \(glands\.json is missing\)"):
        load_model(tmp_path)
    with pytest.raises(SettingsError, match="no image of train is of patient 99"):
        run_study(
            GlandStudySettings(glands=small, validation_patients=("99",)),
            glands,
            tmp_path / "o",
            tmp_path / "r.md",
            no_bar,
        )
