"""How a network on bags learns and judges. In: a network, bags, their cells. Out: arrays; chances, weights of cells."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from qc.config.lymphocytosis import BagFitSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.folds import is_held_out
from qc.downstream.lymphocytosis.linear import fit_scaler, scale
from qc.downstream.lymphocytosis.loader import BagBatch, BagDataset, bag_loader, padded
from qc.downstream.lymphocytosis.model import Bench, Judged
from qc.downstream.lymphocytosis.pace import HOUSE, Groups, optimise_of
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed
from qc.downstream.trainer import Course, Loss, train

Cells = Sequence[NDArray[np.generic]]

ATTENTION = "weight of the cell in the patient's vector; a patient's weights sum to 1"


@dataclass(frozen=True)
class Lesson:
    """A network and how it learns.

    Attributes:
        network: With first weights.
        fit: Epochs, rate, weights of labels.
        known: JSON values that decide its weights.
        loss: None: cross-entropy, each label with its weight.
        groups: Weights with rates of their own; None: one rate for all.
    """

    network: nn.Module
    fit: BagFitSettings
    known: Mapping[str, object]
    loss: Loss | None = None
    groups: Groups | None = None


def fitted(lesson: Lesson, cells: Cells, bags: Bags, bench: Bench, seed: int) -> Tensors:
    """Weights of the network, trained, and what clinical values are scaled by."""
    fit, scaler = lesson.fit, fit_scaler(bags.clinical)
    clinical, target = scale(scaler, bags.clinical), bags.target

    def loader(rows: NDArray[np.intp]) -> DataLoader[Any]:
        dataset = BagDataset([cells[i] for i in rows], clinical[rows], target[rows], fit.cells_max, seed)
        return bag_loader(dataset, fit.batch_patients, seed)

    is_out = is_held_out(bags, fit.pace.held_out_share if fit.pace else 0.0, seed)
    course = course_of(fit, lesson.groups, loader(np.flatnonzero(is_out)) if is_out.any() else None)
    what = json.dumps([lesson.known, seed, bags.digest, bench.pool.digest if bench.pool else ""], sort_keys=True)
    home = bench.folder / "networks" / hashlib.sha256(what.encode()).hexdigest()[:20]
    note, loss = {**lesson.known, "patients": int((~is_out).sum())}, lesson.loss or bag_loss(fit)
    train(lesson.network, loss, loader(np.flatnonzero(~is_out)), fit, seed, home, note, course)
    weights = {name: one.detach().numpy().copy() for name, one in lesson.network.state_dict().items()}
    return {**prefixed("network", weights), **prefixed("clinical", scaler)}


def course_of(fit: BagFitSettings, own_groups: Groups | None, held_out: DataLoader[Any] | None) -> Course:
    """Where a training leaves the house's way."""
    pace = fit.pace or HOUSE
    plateau = (pace.factor, pace.patience_epochs) if pace.schedule == "plateau" else None
    return Course(optimise_of(fit, fit.pace, own_groups), held_out, plateau, pace.stop_epochs)


def bag_loss(fit: BagFitSettings) -> Loss:
    """Binary cross-entropy, each label with its weight."""

    def loss(network: nn.Module, batch: BagBatch, _rng: np.random.Generator) -> Tensor:
        logit, _ = network(batch["cells"], batch["mask"], batch["clinical"])
        return cross_entropy(logit, batch["target"], fit)

    return loss


def cross_entropy(logit: Tensor, target: Tensor, fit: BagFitSettings) -> Tensor:
    """Mean over patients, (B,) logits and targets."""
    weight = torch.where(target > 0.5, fit.tumoral_weight, fit.reactive_weight)
    return functional.binary_cross_entropy_with_logits(logit.float(), target, weight)


def judged(network: nn.Module, cells: Cells, tensors: Tensors, bags: Bags, meaning: str = ATTENTION) -> Judged:
    """What a network says with the weights of `fitted`."""
    network.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in part("network", tensors).items()})
    network.eval()
    clinical = scale(part("clinical", tensors), bags.clinical)
    chance, weights = np.empty(len(bags)), []
    with torch.inference_mode():
        for i, own in enumerate(cells):
            batch = padded([{"cells": np.array(own), "clinical": clinical[i], "target": False, "epoch": 0}])
            logit, weight = network(batch["cells"], batch["mask"], batch["clinical"])
            chance[i] = float(torch.sigmoid(logit.double()[0]))
            is_seen = len(own) == bags.counts[i]
            weights.append(weight[0, : len(own)].double().numpy() if is_seen else np.zeros(bags.counts[i]))
    return Judged(chance, tuple(weights), meaning)
