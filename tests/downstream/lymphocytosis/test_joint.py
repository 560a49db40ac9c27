from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from qc.config.lymphocytosis import (
    AutoEncoderSettings,
    BagFitSettings,
    DeepMilSettings,
    FeatureSettings,
    JointSettings,
    PixelSettings,
)
from qc.downstream.lymphocytosis.autoencoder import AutoEncoder
from qc.downstream.lymphocytosis.bag_fit import Lesson, bag_loss, fitted
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.joint import JointMil, joint_groups, joint_loss, picture_loss
from qc.downstream.lymphocytosis.loader import BagBatch
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.network import scaled
from qc.nets.pretrained import seeded

CODER = AutoEncoderSettings(pixels=PixelSettings(input_px=16), features=16, widths=(4, 4, 4), learning_rate=0.01)
CODES = FeatureSettings(autoencoder=CODER, is_standardised=False, components=0)
FIT = BagFitSettings(epochs=4, batch_patients=4, learning_rate=1e-4)


def told(joint: JointSettings) -> DeepMilSettings:
    return DeepMilSettings(features=CODES, fit=FIT, joint=joint, width=8, dropout=0.0)


def new_batch(epoch: int) -> BagBatch:
    rng = np.random.default_rng(0)
    return {
        "cells": torch.from_numpy(rng.integers(0, 256, (3, 2, 16, 16, 3)).astype(np.uint8)),
        "mask": torch.tensor([[True, True], [True, False], [True, True]]),
        "clinical": torch.zeros(3, 3),
        "target": torch.tensor([1.0, 0.0, 1.0]),
        "epoch": epoch,
    }


def learns(part: nn.Module) -> bool:
    return any(one.grad is not None and bool(one.grad.any()) for one in part.parameters())


@pytest.mark.parametrize(
    ("turns", "epoch", "coder", "classifier"),
    [
        ("alternating", 1, True, False),
        ("alternating", 2, False, True),
        ("alternating", 3, True, False),
        ("together", 1, True, False),
        ("together", 2, True, True),
    ],
)
def test_only_the_half_whose_turn_it_is_learns(turns: str, epoch: int, coder: bool, classifier: bool) -> None:
    settings = told(JointSettings.model_validate({"turns": turns, "alone_epochs": 2}))
    network = seeded(lambda: JointMil(settings), 0)

    joint_loss(settings)(network, new_batch(epoch), np.random.default_rng(0)).backward()

    assert (learns(network.coder), learns(network.classifier)) == (coder, classifier)


def test_the_joint_loss_is_that_of_labels_and_the_weighed_one_of_pictures() -> None:
    settings = told(JointSettings(turns="together", alone_epochs=0, picture_weight=3.0))
    network, batch = seeded(lambda: JointMil(settings), 0), new_batch(0)

    found = float(joint_loss(settings)(network, batch, np.random.default_rng(0)).detach())

    codes = network.codes(batch["cells"], batch["mask"])[batch["mask"]]
    labels = bag_loss(FIT)(network, batch, np.random.default_rng(0))
    wanted = labels + 3 * picture_loss(network.coder, codes, batch)
    assert found == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_pictures_are_compared_by_the_cross_entropy_of_brightness() -> None:
    batch, network = new_batch(0), AutoEncoder(CODER)
    codes = network.encoder(scaled(batch["cells"][batch["mask"]]))

    found = float(picture_loss(network, codes, batch).detach())

    given = (network.decoder(codes).detach().double().numpy() + 1) / 2
    wanted = batch["cells"][batch["mask"]].permute(0, 3, 1, 2).double().numpy() / 255
    by_hand = -(wanted * np.log(given) + (1 - wanted) * np.log(1 - given)).mean()
    assert found == pytest.approx(by_hand, rel=1e-4)


def test_the_coder_alone_learns_from_pictures_and_both_from_both() -> None:
    settings = told(JointSettings(alone_epochs=1))
    network = seeded(lambda: JointMil(settings), 0)
    loss = joint_loss(settings)

    def encoder_step(epoch: int) -> torch.Tensor:
        network.zero_grad()
        loss(network, new_batch(epoch), np.random.default_rng(0)).backward()
        first = cast(nn.Conv2d, network.coder.encoder[0])
        assert first.weight.grad is not None
        return first.weight.grad.clone()

    alone, both = encoder_step(0), encoder_step(2)

    assert not torch.allclose(alone, both)  # labels reach the encoder through the frozen classifier


def test_halves_that_take_turns_have_rates_of_their_own() -> None:
    settings = told(JointSettings(alone_epochs=1))
    groups, network = joint_groups(settings), JointMil(settings)
    assert groups is not None

    found = groups(network)

    rate_of = {id(one): group["lr"] for group in found for one in group["params"]}
    assert {rate_of[id(one)] for one in network.coder.parameters()} == {0.01}
    assert {rate_of[id(one)] for one in network.classifier.parameters()} == {1e-4}
    assert joint_groups(told(JointSettings(turns="together", alone_epochs=0))) is None


def test_in_its_first_epochs_a_joint_training_moves_the_coder_alone(bags: Bags, tmp_path: Path) -> None:
    settings = told(JointSettings(alone_epochs=3)).model_copy(update={"fit": FIT.model_copy(update={"epochs": 2})})
    network = seeded(lambda: JointMil(settings), 0)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    cells = [np.full((2, 16, 16, 3), 20 * i, np.uint8) for i in range(len(bags))]

    after = fitted(
        Lesson(network, settings.fit, {}, joint_loss(settings), joint_groups(settings)), cells, bags, Bench(tmp_path), 1
    )

    moved = {name for name, one in before.items() if not np.array_equal(one.numpy(), after[f"network.{name}"])}
    assert any(name.startswith("coder.decoder") for name in moved)
    assert not any(name.startswith("classifier") for name in moved)


def test_codes_that_learn_are_read_as_they_are() -> None:
    with pytest.raises(ValidationError, match="components = 0"):
        DeepMilSettings(joint=JointSettings())
    with pytest.raises(ValidationError, match="fewer than the epochs"):
        told(JointSettings(alone_epochs=4))
