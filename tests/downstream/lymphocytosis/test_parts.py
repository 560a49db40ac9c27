import math
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score
from sklearn.metrics import log_loss as their_log_loss
from torch import nn

from qc.config.lymphocytosis import (
    AutoEncoderSettings,
    BagFitSettings,
    BoostingSettings,
    DeepMilSettings,
    PixelSettings,
    PooledSettings,
    PseudoLabelSettings,
)
from qc.downstream.lymphocytosis.aggregate import Aggregate
from qc.downstream.lymphocytosis.autoencoder import seeded_autoencoder
from qc.downstream.lymphocytosis.bag_fit import bag_loss
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.boosting import boosted_chances, fit_boosting
from qc.downstream.lymphocytosis.linear import fit_scaler, scale
from qc.downstream.lymphocytosis.loader import BagBatch, BagDataset, PatientBatches, padded
from qc.downstream.lymphocytosis.mi_svm import fit_mi_svm
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.networks import DeepMil, clinical_branch
from qc.downstream.lymphocytosis.pooled import pooled_model, summaries
from qc.downstream.lymphocytosis.pseudo_labels import find_cells, match_colours
from qc.downstream.lymphocytosis.rates import RATES, counted, log_loss

HOW = ("attention", "transformer", "mean", "max", "mean_std")


def test_mi_svm_finds_the_positive_cell_of_each_bag_and_the_widest_margin() -> None:
    negative = [np.array([[0.0, 0.0], [0.0, 1.0], [-1.0, 0.5]]), np.array([[0.0, -1.0], [-2.0, 0.0]])]
    positive = [np.array([[0.0, 0.5], [2.0, 0.0]]), np.array([[3.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])]

    found = fit_mi_svm([*negative, *positive], [False, False, True, True], 1e4, 20)

    assert found.chosen == (1, 0)
    assert found.is_settled
    assert found.rounds > 1
    assert found.weight == pytest.approx([1, 0], abs=1e-2)  # between x = 0 and x = 2
    assert found.bias == pytest.approx(-1, abs=1e-2)
    assert found.margins(np.array([[2.0, 0.0]])) == pytest.approx([1], abs=2e-2)


def test_mi_svm_starts_from_means_and_stops_when_told() -> None:
    bags = [np.array([[0.0], [1.0]]), np.array([[0.0], [4.0]])]

    found = fit_mi_svm(bags, [False, True], 1e4, 1)

    assert not found.is_settled
    assert -found.bias / found.weight[0] == pytest.approx(1.5, abs=1e-2)  # between 1 and the mean, 2


def test_mi_svm_needs_bags_of_both_labels() -> None:
    with pytest.raises(ValueError, match="both labels"):
        fit_mi_svm([np.ones((2, 1))], [True], 1, 5)


@pytest.mark.parametrize("how", HOW)
def test_weights_sum_to_one_and_padding_gets_none(how: str) -> None:
    torch.manual_seed(0)
    layer = Aggregate(5, how, 4)  # type: ignore[arg-type]
    cells, mask = torch.randn(3, 6, 5), torch.tensor([[True] * 6, [True] * 2 + [False] * 4, [False] * 6])

    vector, weights = layer(cells, mask)

    assert weights.sum(dim=1).tolist() == pytest.approx([1, 1, 0])
    assert (weights[~mask] == 0).all()
    assert (vector[2] == 0).all()


@pytest.mark.parametrize("how", HOW)
def test_padding_changes_nothing(how: str) -> None:
    torch.manual_seed(0)
    layer, cells = Aggregate(5, how, 4), torch.randn(1, 3, 5)  # type: ignore[arg-type]
    longer = torch.cat([cells, torch.full((1, 2, 5), 9.0)], dim=1)

    alone, _ = layer(cells, torch.ones(1, 3, dtype=torch.bool))

    assert torch.allclose(layer(longer, torch.tensor([[True] * 3 + [False] * 2]))[0], alone, atol=1e-6)


def test_aggregates_are_what_they_are_called() -> None:
    cells, mask = torch.tensor([[[1.0, 4.0], [3.0, 0.0]]]), torch.ones(1, 2, dtype=torch.bool)

    found = {how: Aggregate(2, how, 2)(cells, mask)[0][0].tolist() for how in HOW[2:]}  # type: ignore[arg-type]

    assert found["mean"] == [2, 2]
    assert found["max"] == [3, 4]
    assert found["mean_std"] == pytest.approx([2, 2, 1, 2], abs=1e-5)


def test_attention_is_the_published_softmax() -> None:
    torch.manual_seed(1)
    layer, cells = Aggregate(3, "attention", 2), torch.randn(1, 4, 3)
    first, last = cast(nn.Linear, layer.score[0]), cast(nn.Linear, layer.score[2])

    _, weights = layer(cells, torch.ones(1, 4, dtype=torch.bool))

    scores = np.tanh(cells[0].numpy() @ first.weight.detach().numpy().T + first.bias.detach().numpy())
    scores = scores @ last.weight.detach().numpy()[0]
    assert weights[0].detach().numpy() == pytest.approx(np.exp(scores) / np.exp(scores).sum(), abs=1e-6)


def test_clinical_values_go_through_three_layers_of_64() -> None:
    branch = clinical_branch(64, 3, 0.2)

    linear = [(one.in_features, one.out_features) for one in branch if isinstance(one, nn.Linear)]
    assert linear == [(3, 64), (64, 64), (64, 64)]
    assert [one.p for one in branch if isinstance(one, nn.Dropout)] == [0.2, 0.2]
    assert isinstance(branch[-1], nn.ReLU)


def test_deep_mil_has_two_layers_of_128_on_either_side() -> None:
    network = DeepMil(30, DeepMilSettings())

    shapes = [
        [tuple(one.weight.shape) for one in part if isinstance(one, nn.Linear)]
        for part in (network.bag, network.branch)
    ]
    assert shapes == [[(128, 30), (128, 128)], [(128, 2), (128, 128)]]
    assert network.head.in_features == 256
    assert {one.p for one in network.modules() if isinstance(one, nn.Dropout)} == {0.05}


def test_the_loss_weighs_labels() -> None:
    fit = BagFitSettings(tumoral_weight=98 / 142, reactive_weight=44 / 142)
    logits, target = torch.tensor([0.3, -0.8]), torch.tensor([1.0, 0.0])
    batch = {"cells": torch.zeros(2, 1), "mask": torch.ones(2, 1), "clinical": torch.zeros(2, 3), "target": target}

    network = cast(nn.Module, lambda *_: (logits, None))
    found = bag_loss(fit)(network, cast(BagBatch, batch), np.random.default_rng(0))

    wanted = (-98 / 142 * math.log(expit(0.3)) - 44 / 142 * math.log(1 - expit(-0.8))) / 2
    assert float(found) == pytest.approx(wanted, abs=1e-6)


def test_an_auto_encoder_has_four_blocks_down_and_seven_up() -> None:
    settings = AutoEncoderSettings(pixels=PixelSettings(input_px=32), features=64, widths=(4, 6, 8))
    network = seeded_autoencoder(settings)

    rgb = torch.zeros(2, 32, 32, 3, dtype=torch.uint8)

    assert sum(isinstance(one, nn.AvgPool2d) for one in network.encoder) == 4
    assert sum(isinstance(one, nn.BatchNorm2d) for one in network.decoder) == 7
    assert network.encoder(rgb.permute(0, 3, 1, 2).float()).shape == (2, 64)
    assert network(rgb).shape == (2, 3, 32, 32)


def test_boosting_says_what_scikit_learn_says() -> None:
    rng = np.random.default_rng(0)
    table, settings = rng.normal(0, 1, (80, 3)), BoostingSettings(trees=20)
    target = table[:, 0] * table[:, 1] > 0

    arrays = fit_boosting(table, target, settings, 0)

    seen = scale(fit_scaler(table), table)
    theirs = GradientBoostingClassifier(n_estimators=20, learning_rate=0.1, max_depth=3, init="zero", random_state=0)
    theirs.fit(seen, target, sample_weight=np.where(target, settings.positive_weight, 1))
    assert boosted_chances(arrays, table) == pytest.approx(theirs.predict_proba(seen)[:, 1], abs=1e-9)


def test_rates_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    target, chance = rng.random(60) < 0.7, rng.random(60)

    found = {name: rate(counted(chance, target)) for name, rate in RATES.items()}

    called = chance >= 0.5
    assert found["balanced accuracy"] == pytest.approx(balanced_accuracy_score(target, called))
    assert found["F1"] == pytest.approx(f1_score(target, called))
    assert found["recall"] == pytest.approx(recall_score(target, called))
    assert found["precision"] == pytest.approx(precision_score(target, called))
    assert found["specificity"] == pytest.approx(recall_score(~target, ~called))
    assert log_loss(chance, target) == pytest.approx(their_log_loss(target, chance.clip(0.001, 0.999)))


def test_pseudo_labels_add_a_hundred_of_each_and_the_surest_first() -> None:
    truth = np.linspace(0, 1, 600)
    tumoral, reactive = np.arange(300, 600), np.arange(0, 300)
    start = np.array([0, 599]), np.array([False, True])
    rounds: list[int] = []

    def learn(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        rounds.append(int(labels.sum()))
        return truth

    found = find_cells(learn, start, tumoral, reactive, PseudoLabelSettings(), np.random.default_rng(0))

    assert rounds[:7] == [1, 3, 5, 7, 9, 11, 16]
    assert len(found.malignant) == len(found.healthy) == 5 * 2 + 18 * 5
    assert sorted(found.malignant.tolist()) == list(range(500, 600))
    assert set(found.healthy.tolist()) <= set(reactive.tolist())


def test_no_cell_is_added_that_the_learner_calls_healthy() -> None:
    start = np.array([0]), np.array([False])

    found = find_cells(
        lambda rows, labels: np.full(10, 0.4),
        start,
        np.arange(5, 10),
        np.arange(5),
        PseudoLabelSettings(),
        np.random.default_rng(0),
    )

    assert len(found.malignant) == len(found.healthy) == found.rounds == 0


def test_colours_are_brought_to_another_mean_and_deviation() -> None:
    pixels = np.random.default_rng(0).integers(90, 160, (4, 16, 16, 3)).astype(np.uint8)
    own = pixels.reshape(-1, 3).mean(axis=0), pixels.reshape(-1, 3).std(axis=0)

    moved = match_colours(pixels, np.array([120.0, 130.0, 140.0]), np.array([10.0, 20.0, 30.0]), own).reshape(-1, 3)

    assert moved.mean(axis=0) == pytest.approx([120, 130, 140], abs=0.5)
    assert moved.std(axis=0) == pytest.approx([10, 20, 30], abs=0.5)


@pytest.mark.parametrize("cells_as", ["score", "summaries"])
def test_what_a_cell_weighs_is_the_change_when_it_is_left_out(cells_as: str, bags: Bags) -> None:
    settings = PooledSettings.model_validate({"cells_as": cells_as, "summaries_max": 5})
    model, bench = pooled_model(settings), cast(Bench, SimpleNamespace())
    tensors = model.fit(bags, bench, 0)

    judged = model.judge(tensors, bags, bench)

    rest = Bags(bags.patients[:1], (bags.cells[0].at(np.arange(1, 6)),))
    logit = [
        math.log(chance / (1 - chance)) for chance in (judged.chance[0], model.judge(tensors, rest, bench).chance[0])
    ]
    assert judged.weights[0][0] == pytest.approx(logit[0] - logit[1], rel=1e-3)


def test_summaries_are_means_and_deviations_of_known_values(bags: Bags) -> None:
    values = bags.cells[0].values

    found = summaries(bags)[0]

    assert found[0] == pytest.approx(values[:, 0].mean())
    assert found[len(values[0])] == pytest.approx(values[:, 0].std())


def test_every_patient_is_seen_once_an_epoch_with_other_cells_each_time() -> None:
    cells = [np.arange(10.0)[:, None] for _ in range(7)]
    dataset = BagDataset(cells, np.zeros((7, 3)), np.zeros(7, bool), 4, 1)
    batches = PatientBatches(7, 3, 1)

    first = [turn for batch in batches for turn in batch]
    batches.set_epoch(1)
    second = [turn for batch in batches for turn in batch]

    assert sorted(first) == [(0, i) for i in range(7)]
    assert sorted(second) == [(1, i) for i in range(7)]
    drawn = [dataset[turn]["cells"][:, 0].tolist() for turn in ((0, 2), (1, 2), (0, 2))]
    assert drawn[0] == drawn[2] != drawn[1]
    assert padded([dataset[first[0]], dataset[first[1]]])["cells"].shape == (2, 4, 1)
