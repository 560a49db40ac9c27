from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.utils.data import DataLoader

from qc.config.lymphocytosis import BagFitSettings, PaceSettings, PseudoLabelSettings
from qc.downstream.lymphocytosis.bag_fit import course_of
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.folds import is_held_out
from qc.downstream.lymphocytosis.learners import NetworkLearner
from qc.downstream.trainer import Course, train

ROWS: DataLoader[Any] = DataLoader(cast(Any, [torch.tensor([1.0, 2.0])] * 4), batch_size=2)


def rates_of(fit: BagFitSettings, folder: Path, held_out: list[float] | None = None) -> list[float]:
    """The rate of each training step; losses of what is held out are given."""
    seen: list[float] = []
    optimisers: list[torch.optim.Optimizer] = []
    course = course_of(fit, None, ROWS if held_out else None)
    plain, left = course.optimise, list(held_out or ())

    def optimise(network: nn.Module, steps: int) -> Any:
        assert plain is not None
        found = plain(network, steps)
        optimisers.append(found["optimizer"] if isinstance(found, dict) else found)
        return found

    def loss(network: nn.Module, batch: Tensor, rng: np.random.Generator) -> Tensor:
        if network.training:
            seen.append(optimisers[-1].param_groups[0]["lr"])
            return network(batch).square().mean()
        return torch.tensor(left[0] if len(left) == 1 else left.pop(0))

    own = Course(optimise, course.held_out, course.plateau, course.stop_epochs)
    torch.manual_seed(0)
    train(nn.Linear(2, 1), loss, ROWS, fit, 1, folder, {}, own)
    return seen


def test_the_rate_falls_by_a_factor_after_each_epoch(tmp_path: Path) -> None:
    fit = BagFitSettings(epochs=3, learning_rate=0.1, pace=PaceSettings(schedule="exponential", factor=0.9))

    assert rates_of(fit, tmp_path) == pytest.approx([0.1, 0.1, 0.09, 0.09, 0.081, 0.081])


def test_the_rate_falls_when_the_held_out_loss_has_not_for_too_long(tmp_path: Path) -> None:
    pace = PaceSettings(schedule="plateau", factor=0.8, patience_epochs=1, held_out_share=0.2)
    fit = BagFitSettings(epochs=6, learning_rate=0.1, pace=pace)

    found = rates_of(fit, tmp_path, [loss for one in (5, 4, 4, 4, 3, 3) for loss in (one, one)])

    assert found[::2] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.08, 0.08])


def test_training_ends_when_the_held_out_loss_has_not_fallen_for_too_long(tmp_path: Path) -> None:
    pace = PaceSettings(schedule="cosine", stop_epochs=2, held_out_share=0.2)
    fit = BagFitSettings(epochs=9, learning_rate=0.1, pace=pace)

    found = rates_of(fit, tmp_path, [loss for one in (5, 4, 6, 6, 3, 2) for loss in (one, one)])

    assert len(found) == 2 * 4


@pytest.mark.parametrize(("name", "kind"), [("adam", "AdamW"), ("sgd", "SGD"), ("rmsprop", "RMSprop")])
def test_optimisers_are_what_they_are_called(name: str, kind: str) -> None:
    fit = BagFitSettings(pace=PaceSettings.model_validate({"optimiser": name}))

    optimise = course_of(fit, None, None).optimise

    assert optimise is not None
    assert type(optimise(nn.Linear(2, 1), 10)["optimizer"]).__name__ == kind


class StoppedError(RuntimeError):
    """As by a power cut."""


def test_a_plateau_is_remembered_when_a_training_goes_on(tmp_path: Path) -> None:
    pace = PaceSettings(schedule="plateau", factor=0.5, patience_epochs=1, stop_epochs=9, held_out_share=0.2)
    fit, steps = BagFitSettings(epochs=6, learning_rate=0.1, pace=pace), []

    def loss(network: nn.Module, batch: Tensor, rng: np.random.Generator) -> Tensor:
        return network(batch).square().mean() if network.training else torch.tensor(1.0)

    def cut(network: nn.Module, batch: Tensor, rng: np.random.Generator) -> Tensor:
        steps.append(network.training)
        if sum(steps) == 6:
            raise StoppedError
        return loss(network, batch, rng)

    def trained(folder: Path, own: Any) -> Tensor:
        torch.manual_seed(0)
        network = nn.Linear(2, 1)
        train(network, own, ROWS, fit, 1, folder, {}, course_of(fit, None, ROWS))
        return network.weight

    whole = trained(tmp_path / "whole", loss)
    with pytest.raises(StoppedError):
        trained(tmp_path / "stopped", cut)

    assert torch.equal(whole, trained(tmp_path / "stopped", loss))


def test_who_is_held_out_is_alike_and_nobody_by_default(bags: Bags) -> None:
    found = is_held_out(bags, 1 / 3, 1)

    assert found.sum() == 4
    assert bags.target[found].sum() == 2
    assert not is_held_out(bags, 0, 1).any()


def test_rounds_of_pseudo_labels_learn_at_their_own_rate_and_pace(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    plain = PseudoLabelSettings(learner="network", encoder="test_resnet", epochs=1)

    def learnt(**told: Any) -> Any:
        learner = NetworkLearner(pixels, plain.model_copy(update=told), tmp_path, 1)
        return learner.learn(np.arange(4), np.array([True, False] * 2))["conv1.0.weight"]

    sgd = PaceSettings(optimiser="sgd", schedule="cosine")
    usual, by_sgd, hardly = learnt(), learnt(learning_rate=0.02, pace=sgd), learnt(learning_rate=1e-9, pace=sgd)

    assert np.abs(hardly - usual).max() == pytest.approx(1e-3, rel=0.2)  # Adam's step is the rate
    assert np.abs(hardly - by_sgd).max() > 1e-6
    assert not np.allclose(usual, by_sgd)


def test_a_pace_that_watches_nobody_is_refused() -> None:
    with pytest.raises(ValidationError, match="held_out_share above 0"):
        PaceSettings(schedule="plateau")
    with pytest.raises(ValidationError, match="no patient can be held out"):
        PseudoLabelSettings(pace=PaceSettings(held_out_share=0.2))
    with pytest.raises(ValueError, match="must be held out"):
        Course(stop_epochs=3)
    assert "pace" not in BagFitSettings().model_dump()  # names of trainings are what they were
