from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from qc.cli.main import cli
from qc.config.lymphocytosis import (
    AttentionMilSettings,
    AutoEncoderSettings,
    BagFitSettings,
    BoostedSettings,
    BoostingSettings,
    DeepMilSettings,
    FeatureSettings,
    InstanceMilSettings,
    JointSettings,
    LymphocytosisSettings,
    LymphocytosisStudySettings,
    MiSvmSettings,
    ModelSettings,
    OneClassSvmSettings,
    PixelSettings,
    PooledSettings,
    PseudoLabelSettings,
    QualitySettings,
    SelectSettings,
    VoteSettings,
)
from qc.downstream.lymphocytosis.bag_fit import bag_loss
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.loader import BagDataset, bag_loader
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.model_file import Trained, load_model, save_model
from qc.downstream.lymphocytosis.networks import DeepMil
from qc.downstream.lymphocytosis.registry import model_of
from qc.downstream.lymphocytosis.study_run import run_study
from qc.downstream.lymphocytosis.validate import Part, Recipe, parts, validate
from qc.downstream.trainer import Loss, train
from qc.errors import SettingsError, WeightsError

PIXELS = PixelSettings(crop_px=64, input_px=32)
FEATURES = FeatureSettings(
    autoencoder=AutoEncoderSettings(pixels=PIXELS, features=32, widths=(4, 4, 4), epochs=1), components=6
)
FIT = BagFitSettings(epochs=2, cells_max=3, batch_patients=4)
BOOSTING = BoostingSettings(trees=10)
SMALL: dict[str, ModelSettings] = {
    "pooled": PooledSettings(),
    "summaries": PooledSettings(cells_as="summaries", summaries_max=3),
    "boosted": BoostedSettings(boosting=BOOSTING),
    "attention": AttentionMilSettings(encoder="test_resnet", pixels=PIXELS, fit=FIT),
    "clinical network": AttentionMilSettings(uses_images=False, fit=FIT),
    "deep": DeepMilSettings(features=FEATURES, fit=FIT),
    "transformer": DeepMilSettings(features=FEATURES, fit=FIT, aggregation="transformer", attention_width=8),
    "joint": DeepMilSettings(
        features=FEATURES.model_copy(update={"components": 0, "is_standardised": False}),
        fit=FIT,
        joint=JointSettings(alone_epochs=1),
    ),
    "instances": InstanceMilSettings(
        encoder="test_resnet", pixels=PIXELS, fit=FIT, boosting=BOOSTING, inner_folds=2, pooling="max"
    ),
    "one class": OneClassSvmSettings(features=FEATURES, inner_folds=2),
    "one class boosted": OneClassSvmSettings(features=FEATURES, inner_folds=2, boosting=BOOSTING),
    "svm": MiSvmSettings(features=FEATURES),
    "svm boosted": MiSvmSettings(features=FEATURES, boosting=BOOSTING, inner_folds=2),
    "pseudo": PseudoLabelSettings(features=FEATURES, start_cells=6, rounds=3, boosting=BOOSTING),
    "pseudo network": PseudoLabelSettings(
        learner="network", encoder="test_resnet", pixels=PIXELS, epochs=1, start_cells=6, rounds=1, boosting=BOOSTING
    ),
}
OFF = QualitySettings(is_on=False)


@pytest.mark.parametrize("name", list(SMALL))
def test_a_model_says_the_same_of_a_patient_from_its_file(name: str, bags: Bags, tmp_path: Path) -> None:
    settings = LymphocytosisSettings(model=SMALL[name], quality=OFF)
    bench, few = Bench(tmp_path / "work"), bags.at([0, 5])
    tensors = model_of(settings.model).fit(bags, bench, 1)
    save_model(Trained(settings, tensors, len(bags)), tmp_path / "m.safetensors")

    found = load_model(tmp_path / "m.safetensors")

    said = model_of(found.settings.model).judge(found.tensors, few, Bench(tmp_path / "elsewhere"))
    all_said = model_of(settings.model).judge(tensors, bags, bench)
    assert found.settings == settings
    assert said.chance == pytest.approx(all_said.chance[[0, 5]], abs=1e-5)
    assert [len(one) for one in said.weights] == [6, 6]


@pytest.mark.parametrize("name", ["attention", "svm boosted", "pseudo"])
def test_the_same_seed_gives_the_same_model_elsewhere(name: str, bags: Bags, tmp_path: Path) -> None:
    first, second = (model_of(SMALL[name]).fit(bags, Bench(tmp_path / one), 1) for one in "ab")

    assert all(np.array_equal(first[key], second[key]) for key in first)


class StoppedError(RuntimeError):
    """As by a power cut."""


def test_a_training_that_was_stopped_ends_with_the_same_weights(bags: Bags, tmp_path: Path) -> None:
    fit = FIT.model_copy(update={"epochs": 3})
    cells = [cells.values.astype(np.float32) for cells in bags.cells]
    dataset = BagDataset(cells, np.nan_to_num(bags.clinical), bags.target, 3, 1)
    plain, seen = bag_loss(fit), []

    def cut(network: nn.Module, batch: Any, rng: np.random.Generator) -> Tensor:
        seen.append(1)
        if len(seen) == 5:
            raise StoppedError
        return plain(network, batch, rng)

    def trained(folder: Path, loss: Loss) -> dict[str, Tensor]:
        torch.manual_seed(0)
        network = DeepMil(cells[0].shape[1], DeepMilSettings(width=8, dropout=0.5))
        train(network, loss, bag_loader(dataset, 4, 1), fit, 1, folder, {})
        return network.state_dict()

    whole = trained(tmp_path / "whole", plain)
    with pytest.raises(StoppedError):
        trained(tmp_path / "stopped", cut)
    resumed = trained(tmp_path / "stopped", plain)

    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_validation_judges_everyone_once_by_a_model_that_a_file_reproduces(
    cohort: Path, bags: Bags, tmp_path: Path
) -> None:
    recipe, bench = Recipe("pooled", SMALL["pooled"], OFF), Bench(tmp_path / "work")

    outcome = validate(recipe, bags, bench, 3, 2)

    rows, part = parts(bags, 3, 2)[1]
    settings = LymphocytosisSettings(model=SMALL["pooled"], quality=OFF)
    save_model(Trained(settings, model_of(settings.model).fit(part.train, bench, 2), 8), tmp_path / "m.safetensors")
    said = run_predict(tmp_path / "m.safetensors", cohort, tmp_path)
    assert not np.isnan(outcome.chance).any()
    assert said["probability"].to_numpy()[rows] == pytest.approx(outcome.chance[rows, 1])
    assert np.array_equal(validate(recipe, bags, bench, 3, 2).chance, outcome.chance)


def test_folds_share_no_patient_and_are_alike(bags: Bags) -> None:
    found = parts(bags, 3, 7)

    assert sorted(np.concatenate([rows for rows, _ in found]).tolist()) == list(range(12))
    assert {int(part.test.target.sum()) for _, part in found} == {2}
    with pytest.raises(SettingsError, match="patient p0 is in training and test"):
        Part(bags, bags.at([0]))


def test_members_vote_by_majority(bags: Bags, tmp_path: Path) -> None:
    members = (PooledSettings(), BoostedSettings(boosting=BOOSTING), PooledSettings(uses_images=False))
    vote = model_of(VoteSettings(members=members))
    bench = Bench(tmp_path)

    said = vote.judge(vote.fit(bags, bench, 1), bags, bench)

    calls = [model_of(one).judge(model_of(one).fit(bags, bench, 1), bags, bench).is_tumoral for one in members]
    assert said.chance.tolist() == np.mean(calls, axis=0).tolist()


def test_the_candidate_that_does_best_inside_is_taken(bags: Bags, tmp_path: Path) -> None:
    candidates = (PooledSettings(clinical=("sex",), uses_images=False), PooledSettings(uses_images=False))
    model = model_of(SelectSettings(candidates=candidates, folds=3, repeats=1))

    tensors = model.fit(bags, Bench(tmp_path), 1)

    assert tensors["choice"].tolist() == [1]


def test_pseudo_labels_may_start_from_labelled_cells(
    bags: Bags, tmp_path: Path, smear: Callable[..., np.ndarray]
) -> None:
    for label, radius in ((0, 9), (1, 12)):
        (tmp_path / "start" / str(label)).mkdir(parents=True)
        for i in range(4):
            cv2.imwrite(str(tmp_path / "start" / str(label) / f"{i}.png"), smear(radius, seed=i)[..., ::-1])
    settings = SMALL["pseudo network"].model_copy(update={"start_folder": str(tmp_path / "start")})
    model, bench = model_of(settings), Bench(tmp_path / "work")

    tensors = model.fit(bags, bench, 1)

    assert tensors["seen.mean"].shape == (3,)
    assert model.judge(tensors, bags, bench).chance.shape == (12,)


def test_a_patient_without_cells_or_values_is_judged_by_the_rest(bags: Bags, tmp_path: Path) -> None:
    tensors = model_of(SMALL["pooled"]).fit(bags, Bench(tmp_path), 1)
    empty = Bags(bags.patients[:1], (bags.cells[0].at(np.zeros(0, np.intp)),))

    said = model_of(SMALL["pooled"]).judge(tensors, empty, Bench(tmp_path))

    assert 0 < said.chance[0] < 1


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"nothing")

    with pytest.raises(WeightsError, match="is no trained model"):
        load_model(tmp_path / "m.safetensors")


def test_training_and_judging_at_the_command_line(
    cohort: Path, tmp_path: Path, new_cohort: Callable[..., Path]
) -> None:
    data = new_cohort(tmp_path / "new", patients=3, labels=False)
    model, out = tmp_path / "model.safetensors", tmp_path / "p.csv"

    first = CliRunner().invoke(cli, ["downstream", "lymphocytosis", "train", str(cohort), "--out", str(model)])
    second = CliRunner().invoke(
        cli,
        [
            "downstream",
            "lymphocytosis",
            "predict",
            str(model),
            str(data),
            "--out",
            str(out),
            "--sheets",
            str(tmp_path / "sheets"),
        ],
    )

    table = pd.read_csv(out)
    assert first.exit_code == second.exit_code == 0, first.output + second.output
    assert table.columns.tolist() == ["patient", "probability", "call", "cells", "cells_left_out"]
    assert table["call"].tolist() == [0, 1, 0]
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["p0.png", "p1.png", "p2.png"]


def test_the_study_is_one_report_with_plots(cohort: Path, tmp_path: Path) -> None:
    arms = [
        {"name": "ours", "repeats": 2, "model": SMALL["pooled"].model_dump(), "published": {"balanced accuracy": 0.86}},
        {"name": "boosted", "model": SMALL["boosted"].model_dump()},
    ]
    settings = LymphocytosisStudySettings.model_validate(
        {
            "tables": [{"title": "Models", "source": "Somebody", "arms": arms}],
            "folds": 2,
            "spoilt_shares": [0.0, 0.5],
            "compare_repeats": 1,
            "resamples": 100,
        }
    )
    measured, done = [], []

    paths = run_study(
        settings, cohort, tmp_path / "out", tmp_path / "r.md", lambda: measured.append(1), lambda: done.append(1)
    )

    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert [path.name for path in paths] == ["r.md", "repeats-1.png"]
    assert (len(measured), len(done)) == (12, 2 * 3 + 2 * 2 * 4)
    for part in ("| ours | 2 |", "*0.860*", "Source: Somebody", "images/r/repeats-1.png", "blurred", "no filter"):
        assert part in text


def run_predict(model: Path, data: Path, folder: Path) -> pd.DataFrame:
    out = folder / "predictions.csv"
    found = CliRunner().invoke(
        cli, ["downstream", "lymphocytosis", "predict", str(model), str(data), "--out", str(out)]
    )
    assert found.exit_code == 0, found.output
    return pd.read_csv(out)
