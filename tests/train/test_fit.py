"""Training on a problem that is learnt in seconds: the colour of a stripe is its class."""

import copy
import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name
import numpy as np
import pytest
import torch
from torch import Tensor

from qc.artefact.training import Tile, TileRef
from qc.config.train import TrainSettings
from qc.errors import SettingsError
from qc.geometry import Window
from qc.labels import ArtefactClass
from qc.nets.build import Network
from qc.train.fit import Fit, Machine, fit

CLEAN, FOLD, PEN = ArtefactClass.CLEAN, ArtefactClass.FOLD, ArtefactClass.PEN
CLASSES = (CLEAN, FOLD, PEN)
COLOURS = {CLEAN: (225, 130, 170), FOLD: (120, 40, 110), PEN: (40, 120, 50)}
SIDE_PX = 32
MACHINE = Machine("cpu", 1, workers=0, quiet=True)


@dataclass(frozen=True)
class Stripes:
    """Tiles of tissue, two thirds of them with a stripe."""

    count: int = 48
    first: int = 0
    label_of: Callable[[ArtefactClass], ArtefactClass] = lambda one: one
    true_reads: int | None = None
    reads: list[int] = field(default_factory=list)

    @property
    def refs(self) -> tuple[TileRef, ...]:
        return tuple(self._ref(index) for index in range(self.count))

    def _ref(self, index: int) -> TileRef:
        kind = CLASSES[index % 3]
        window = Window(SIDE_PX * (self.first + index), 0, SIDE_PX, SIDE_PX)
        classes = frozenset() if kind is CLEAN else frozenset({kind})
        return TileRef(0, window, f"slide-{index % 4}", f"slide-{index % 4}", "drawn", classes, composable=False)

    def read(self, index: int, label: ArtefactClass, draw: int) -> Tile:
        self.reads.append(index)
        rng = np.random.default_rng([self.first, index])
        kind = CLASSES[index % 3]
        classes = np.full((SIDE_PX, SIDE_PX), CLEAN, np.uint8)
        start = int(rng.integers(0, 4)) * 4
        classes[:, start : start + 16] = kind
        rgb = np.array([COLOURS.get(ArtefactClass(one), (0, 0, 0)) for one in range(8)])[classes]
        noisy = np.clip(rgb + rng.normal(0, 8, rgb.shape), 0, 255).astype(np.uint8)
        shown = np.array([self.label_of(ArtefactClass(one)) for one in range(8)], np.uint8)[classes]
        if self.true_reads is not None and len(self.reads) > self.true_reads:
            shown = rng.choice(CLASSES, shown.shape).astype(np.uint8)
        return Tile(noisy, shown, 1.0, self._ref(index))


def settings(**changes: Any) -> TrainSettings:
    sampling = {"batch_tiles": 8, "batches": 4, "validation_batches": 2, **changes.pop("sampling", {})}
    optimiser = {"epochs": 3, "averaging": 0.5, "warm_up": 0.0, **changes.pop("optimiser", {})}
    network = {"pyramid_channels": 16, "segmentation_channels": 32}
    augment = {"hue": 0.0, "chance": 0.3}
    content = {"sources": "none.toml", "network": network, "sampling": sampling, "optimiser": optimiser}
    return TrainSettings.model_validate({**content, "augment": augment, **changes})


def weights(result: Fit) -> dict[str, Tensor]:
    return {name: value for name, value in result.network.state_dict().items() if value.is_floating_point()}


def same(first: Fit, second: Fit) -> bool:
    pairs = zip(weights(first).values(), weights(second).values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def train(folder: Path, validation: Stripes | None = None, start: Network | None = None, **changes: Any) -> Fit:
    return fit(Stripes(), validation, CLASSES, settings(**changes), folder, MACHINE, start)


def accuracy(result: Fit, tiles: Stripes) -> float:
    read = [tiles.read(index, CLEAN, 0) for index in range(tiles.count)]
    with torch.inference_mode():
        logits = result.network(torch.from_numpy(np.stack([tile.rgb for tile in read])))
    truth = np.stack([tile.classes[2::4, 2::4] for tile in read])
    return float((np.array(CLASSES)[logits.argmax(dim=1).numpy()] == truth).mean())


def losses(result: Fit, name: str) -> list[float]:
    with result.curves.open(encoding="utf-8", newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets the next training break off after some of its epochs, as a killed one does."""

    def after(epochs: int) -> None:
        begin = L.Trainer.fit

        def cut(self: L.Trainer, *args: Any, **named: Any) -> None:
            monkeypatch.setattr(L.Trainer, "fit", begin)
            assert self.fit_loop.max_epochs is not None
            wanted, self.fit_loop.max_epochs = self.fit_loop.max_epochs, epochs
            begin(self, *args, **named)
            assert wanted > epochs
            raise KeyboardInterrupt

        monkeypatch.setattr(L.Trainer, "fit", cut)

    return after


def test_what_colour_decides_is_learnt_in_seconds(tmp_path: Path) -> None:
    result = train(tmp_path, Stripes(24, first=1000), optimiser={"epochs": 8, "learning_rate": 0.01, "averaging": 0.8})

    assert accuracy(result, Stripes(24, first=2000)) > 0.9
    assert losses(result, "validation_loss")[-1] < 0.5 * losses(result, "validation_loss")[0]
    assert result.epochs == len(losses(result, "train_loss")) == 8
    assert result.validation_loss == pytest.approx(min(losses(result, "validation_loss")))


def test_equal_seeds_give_equal_weights(tmp_path: Path) -> None:
    first, second, other = (
        train(tmp_path / name, seed=seed, optimiser={"epochs": 1}) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )

    assert same(first, second)
    assert not same(first, other)


def test_a_share_of_the_first_weights_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    first = train(tmp_path / "first", optimiser={"epochs": 1})

    def gone_on(name: str, **optimiser: float) -> dict[str, Tensor]:
        start = copy.deepcopy(first.network)
        return weights(train(tmp_path / name, start=start, optimiser={"epochs": 1, **optimiser}))

    end, middle = gone_on("end"), gone_on("middle", kept=0.25)

    for name, start in weights(first).items():
        torch.testing.assert_close(middle[name], 0.25 * start + 0.75 * end[name])
    assert any(not torch.equal(start, end[name]) for name, start in weights(first).items())


@pytest.mark.parametrize("validated", [False, True])
def test_a_broken_training_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, stopping: Callable[[int], None], validated: bool
) -> None:
    validation = Stripes(12, first=1000) if validated else None
    whole = train(tmp_path / "whole", validation)
    stopping(1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", validation)

    resumed = train(tmp_path / "broken", validation)

    assert same(whole, resumed)
    assert resumed.curves.read_text() == whole.curves.read_text()
    assert resumed.epochs == whole.epochs == 3
    assert str(resumed.validation_loss) == str(whole.validation_loss)  # nan without validation


def test_a_training_that_was_broken_after_its_best_epoch_keeps_it(
    tmp_path: Path, stopping: Callable[[int], None]
) -> None:
    swapped = Stripes(24, first=1000, label_of=lambda one: {CLEAN: FOLD, FOLD: CLEAN}.get(one, one))
    rates = {"epochs": 6, "patience": 5, "learning_rate": 0.01}
    whole = train(tmp_path / "whole", swapped, optimiser=rates)
    best = int(np.argmin(losses(whole, "validation_loss")))
    assert best < 5
    stopping(best + 1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", swapped, optimiser=rates)

    resumed = train(tmp_path / "broken", swapped, optimiser=rates)

    assert resumed.validation_loss == whole.validation_loss
    assert same(whole, resumed)


def test_a_finished_training_is_taken_as_it_is(tmp_path: Path) -> None:
    first = train(tmp_path, optimiser={"epochs": 1})
    untouched = Stripes()

    again = fit(untouched, None, CLASSES, settings(optimiser={"epochs": 1}), tmp_path, MACHINE)

    assert same(first, again)
    assert untouched.reads == []
    assert len(losses(again, "train_loss")) == 1


def test_without_validation_the_weights_are_those_of_the_last_epoch_though_it_was_not_the_best(tmp_path: Path) -> None:
    worse_in_the_end = Stripes(true_reads=2 * 4 * 8)

    result = fit(worse_in_the_end, None, CLASSES, settings(optimiser={"class_balance": 0.0}), tmp_path, MACHINE)

    assert losses(result, "train_loss")[-1] > min(losses(result, "train_loss"))
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["epoch"] == 2
    assert np.isnan(result.validation_loss)


def test_the_weights_are_the_averaged_ones(tmp_path: Path) -> None:
    result = train(tmp_path, optimiser={"epochs": 1, "averaging": 0.9})

    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)
    averaged, current = (
        {name.removeprefix("network."): value for name, value in kept[key].items()}
        for key in ("state_dict", "current_model_state")
    )
    name = "body.segmentation_head.0.weight"
    assert torch.equal(weights(result)[name], averaged[name])
    assert not torch.equal(weights(result)[name], current[name])
    class_weights = kept["state_dict"]["class_weights"]
    assert class_weights.max() > 1.2 * class_weights.min()
    bias = "body.segmentation_head.0.bias"
    torch.testing.assert_close(weights(result)[bias], averaged[bias] - class_weights.log())


def test_the_method_decides_how_weights_change(tmp_path: Path) -> None:
    one, other = (
        train(tmp_path / method, optimiser={"epochs": 1, "method": method}) for method in ("adamuon", "adamw")
    )

    assert not same(one, other)


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best(tmp_path: Path) -> None:
    swapped = Stripes(24, first=1000, label_of=lambda one: {CLEAN: FOLD, FOLD: CLEAN}.get(one, one))
    rates = {"epochs": 12, "patience": 2, "learning_rate": 0.01}

    result = train(tmp_path, swapped, optimiser=rates)

    curve = losses(result, "validation_loss")
    assert result.epochs == len(curve) < 12
    assert len(curve) == 1 + int(np.argmin(curve)) + 2
    assert torch.load(tmp_path / "best.ckpt", weights_only=True)["epoch"] == np.argmin(curve)
    assert result.validation_loss == pytest.approx(min(curve))

    again = train(tmp_path, swapped, optimiser=rates)

    assert same(result, again)
    assert again.epochs == result.epochs


def test_a_folder_with_another_training_is_refused(tmp_path: Path) -> None:
    train(tmp_path, optimiser={"epochs": 1})

    with pytest.raises(SettingsError, match="holds a training with other settings or tiles"):
        train(tmp_path, optimiser={"epochs": 1}, seed=2)
    with pytest.raises(SettingsError, match="holds a training with other settings or tiles"):
        fit(Stripes(40), None, CLASSES, settings(optimiser={"epochs": 1}), tmp_path, MACHINE)


def test_tiles_that_cannot_fill_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no batches can be drawn from slide-0"):
        fit(Stripes(1), None, CLASSES, settings(), tmp_path, MACHINE)
