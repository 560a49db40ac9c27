"""What tells single cells apart, trained anew in each round of pseudo-labels. In: cells. Out: arrays; chances."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from qc.config.lymphocytosis import PseudoLabelSettings
from qc.downstream.lymphocytosis.linear import chances, fit_logistic
from qc.downstream.lymphocytosis.pace import optimise_of
from qc.downstream.lymphocytosis.sampler import ShuffledRows
from qc.downstream.lymphocytosis.tensors import Tensors
from qc.downstream.network import scaled
from qc.downstream.trainer import Course, train
from qc.nets.pretrained import seeded, timm_network

Float = NDArray[np.float64]
Rows = NDArray[np.intp]
Labels = NDArray[np.bool_]

_STRENGTH = 0.1
_PREDICT_CELLS = 128


class Learner(Protocol):
    """Learns from some cells, judges any."""

    def learn(self, rows: Rows, labels: Labels) -> Tensors:
        """Arrays from rows of its own cells and their labels."""
        ...

    def chance(self, tensors: Tensors) -> Float:
        """Chance of malignant for each of its own cells."""
        ...


@dataclass(frozen=True)
class RegressionLearner:
    """Logistic regression on features.

    Attributes:
        table: (N, D) features of all cells.
    """

    table: Float

    def learn(self, rows: Rows, labels: Labels) -> Tensors:
        """See `Learner`."""
        return fit_logistic(self.table[rows], labels, _STRENGTH)

    def chance(self, tensors: Tensors) -> Float:
        """See `Learner`."""
        return chances(tensors, self.table) if len(self.table) else np.zeros(0)


@dataclass(frozen=True)
class NetworkLearner:
    """A convolutional network on pixels, from the same first weights in each round.

    Attributes:
        pixels: (N, H, W, 3) uint8 of all cells.
        settings: Encoder, first weights, epochs.
        folder: For trainings.
        seed: Of first weights and of batches.
    """

    pixels: NDArray[np.uint8]
    settings: PseudoLabelSettings
    folder: Path
    seed: int
    batch: int = field(default=16)

    def learn(self, rows: Rows, labels: Labels) -> Tensors:
        """See `Learner`."""
        digest = hashlib.sha256(f"{self.settings.model_dump_json()} {self.seed}".encode())
        digest.update(self.pixels[rows].tobytes() + labels.tobytes())
        network = _network(self.settings, self.seed)
        dataset = _Labelled(self.pixels[rows], labels)
        loader = DataLoader(dataset, batch_sampler=ShuffledRows(len(rows), self.batch, self.seed))
        rates = _Rates(self.settings.epochs, self.settings.learning_rate)
        course = Course(optimise_of(rates, self.settings.pace))
        home = self.folder / "rounds" / digest.hexdigest()[:20]
        train(network, _loss, loader, rates, self.seed, home, {"cells": len(rows)}, course)
        return {name: one.detach().numpy().copy() for name, one in network.state_dict().items()}

    def chance(self, tensors: Tensors) -> Float:
        """See `Learner`."""
        network = _network(self.settings.model_copy(update={"encoder_weights": None}), self.seed)
        network.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in tensors.items()})
        network.eval()
        found = np.empty(len(self.pixels))
        with torch.inference_mode():
            for start in range(0, len(found), _PREDICT_CELLS):
                batch = torch.from_numpy(np.array(self.pixels[start : start + _PREDICT_CELLS]))
                found[start : start + len(batch)] = torch.sigmoid(network(scaled(batch)).double()[:, 0]).numpy()
        return found


@dataclass(frozen=True)
class _Rates:
    epochs: int
    learning_rate: float
    weight_decay: float = 0.0


def _network(settings: PseudoLabelSettings, seed: int) -> nn.Module:
    return seeded(lambda: timm_network(settings.encoder, 1, settings.encoder_weights), seed)


def _loss(network: nn.Module, batch: Any, rng: np.random.Generator) -> Tensor:  # noqa: ARG001
    rgb, target = batch
    return functional.binary_cross_entropy_with_logits(network(scaled(rgb)).float()[:, 0], target)


class _Labelled(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, pixels: NDArray[np.uint8], labels: Labels) -> None:
        self._pixels, self._labels = pixels, labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(np.array(self._pixels[row])), torch.tensor(float(self._labels[row]))
