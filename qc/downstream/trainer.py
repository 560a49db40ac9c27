"""One training of any network by Lightning. In: a network, its loss and its batches. Out: its weights, in a folder.

A training that was stopped goes on where it stopped; one that is finished is not done again. Nothing is chosen on
test data: the number of epochs is fixed, or decided by batches held out of the training data, and the last weights are
taken.
"""

import json
import logging
import os
import platform
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import lightning as L  # noqa: N812 - its own documentation's name
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from qc.files import replacing, write_text
from qc.nets.epochs import Epochs
from qc.nets.optimise import adamw, precision
from qc.nets.plateau import Plateau

Loss = Callable[[nn.Module, Any, np.random.Generator], Tensor]
"""Of a network on a batch; the generator is for what is drawn in a step, such as mixup."""

Optimise = Callable[[nn.Module, int], Any]
"""From a network and its number of steps to what `configure_optimizers` of a Lightning module returns."""

_LAST, _HELD_OUT = "last", "held_out_loss"
_WEIGHTS, _NOTE = "weights.safetensors", "training.json"


class Rates(Protocol):
    """How long and how fast a network learns."""

    @property
    def epochs(self) -> int:
        """Passes over the loader."""
        ...

    @property
    def learning_rate(self) -> float:
        """Highest learning rate."""
        ...

    @property
    def weight_decay(self) -> float:
        """Decoupled weight decay."""
        ...


@dataclass(frozen=True)
class Course:
    """Where a training leaves the house's way.

    Attributes:
        optimise: Optimiser and schedule; None takes AdamW, rising and falling.
        held_out: Batches never learnt from, on which the loss is taken after each epoch.
        plateau: Factor of all rates, and epochs without a lower loss on these that are waited for; None: no such fall.
        stop_epochs: Epochs without a lower loss on these after which training ends; 0: never.

    Raises:
        ValueError: If nothing is held out by which to fall or to end.
    """

    optimise: Optimise | None = None
    held_out: DataLoader[Any] | None = None
    plateau: tuple[float, int] | None = None
    stop_epochs: int = 0

    def __post_init__(self) -> None:
        if self.held_out is None and (self.plateau or self.stop_epochs):
            raise ValueError("batches must be held out for a plateau or an early end")

    def callbacks(self) -> list[L.Callback]:
        """What watches the loss."""
        found: list[L.Callback] = [Plateau(_HELD_OUT, *self.plateau)] if self.plateau else []
        return [*found, EarlyStopping(_HELD_OUT, patience=self.stop_epochs)] if self.stop_epochs else found


def train(
    network: nn.Module,
    loss: Loss,
    loader: DataLoader[Any],
    rates: Rates,
    seed: int,
    folder: Path,
    note: Mapping[str, Any],
    course: Course = Course(),
) -> None:
    """Train a network for all epochs, or load what was trained in the folder before.

    Args:
        network: With first weights; afterwards with trained ones, in evaluation mode.
        loss: Of the network on one of the loader's batches.
        loader: Its batch sampler is told the epoch by `set_epoch`, where it has that method.
        rates: Epochs, learning rate and weight decay.
        seed: Of what the loss draws.
        folder: For this training alone: name it after all that decides its weights.
        note: JSON values, kept beside the weights for the reader; the seconds are added.
        course: Another optimiser or schedule, batches held out.
    """
    if not (folder / _WEIGHTS).is_file():
        began = time.monotonic()
        _fit(_Training(network, loss, rates, len(loader) * rates.epochs, seed, course), loader, folder)
        text = json.dumps({**note, "seed": seed, "seconds": time.monotonic() - began}, indent=2)
        write_text(folder / _NOTE, text + "\n")
        with replacing(folder / _WEIGHTS) as partial:
            save_file({name: one.contiguous() for name, one in network.state_dict().items()}, partial)
        (folder / f"{_LAST}.ckpt").unlink(missing_ok=True)
    network.load_state_dict(load_file(folder / _WEIGHTS))
    network.eval()


def is_trained(folder: Path) -> bool:
    """Whether a folder holds a training that is finished."""
    return (folder / _WEIGHTS).is_file()


def spent_seconds(folder: Path) -> list[float]:
    """Wall time of each training in a folder and below; of one that was stopped, the time since it was resumed."""
    return [float(json.loads(note.read_text("utf-8"))["seconds"]) for note in sorted(folder.rglob(_NOTE))]


def machine() -> str:
    """What the figures of this process are computed on, for a report."""
    return f"{platform.machine()}, {os.cpu_count()} logical processors, no GPU, {precision()}"


def _fit(training: "_Training", loader: DataLoader[Any], folder: Path) -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    checkpoint = ModelCheckpoint(folder, filename=_LAST, save_on_train_epoch_end=True, enable_version_counter=False)
    earlier = folder / f"{_LAST}.ckpt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Lightning advises about workers and logging is not for users
        L.seed_everything(training.seed, verbose=False)
        trainer = L.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=training.rates.epochs,
            precision=precision(),
            deterministic=True,
            callbacks=[checkpoint, Epochs(), *training.course.callbacks()],
            default_root_dir=folder,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            gradient_clip_val=1.0,
            num_sanity_val_steps=0,
        )
        trainer.fit(
            training,
            loader,
            training.course.held_out,
            ckpt_path=str(earlier) if earlier.is_file() else None,
            weights_only=False,
        )


class _Training(L.LightningModule):
    """The task's loss and the house's optimiser."""

    def __init__(self, network: nn.Module, loss: Loss, rates: Rates, steps: int, seed: int, course: Course) -> None:
        super().__init__()
        self.network, self._loss, self._steps = network, loss, steps
        self.rates, self.seed, self.course = rates, seed, course

    def training_step(self, batch: Any, index: int) -> Tensor:
        """See Lightning."""
        step = [self.seed, self.current_epoch, index]
        torch.manual_seed(int(np.random.SeedSequence(step).generate_state(1)[0]))  # dropout is the same after a resume
        return self._loss(self.network, batch, np.random.default_rng(step))

    def validation_step(self, batch: Any, index: int) -> None:
        """See Lightning."""
        loss = self._loss(self.network, batch, np.random.default_rng([self.seed, index]))
        self.log(_HELD_OUT, loss, on_step=False, on_epoch=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """See `qc.nets.optimise`."""
        if self.course.optimise:
            return self.course.optimise(self.network, self._steps)
        rates = self.rates
        return adamw(self.network.parameters(), rates.learning_rate, rates.weight_decay, self._steps)
