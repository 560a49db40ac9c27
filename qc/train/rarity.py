"""Rare classes weigh more while a network learns. In: what batches hold. Out: weights, and how they are undone.

A network that is corrected by weighted cells answers as if classes were as common as their weighted shares; about so,
for every batch is a weighted mean of its own. Logarithms of the weights are taken from its last bias afterwards, so
that what it says is about batches as they are, and calibration needs to know nothing of weights (Menon et al. 2021,
arXiv:2007.07314).
"""

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn

from qc.labels import IGNORE
from qc.nets.build import Network
from qc.nets.sampler import Draw
from qc.train.dataset import Sample


class Samples(Protocol):
    """Tiles that are read by draws."""

    def __getitem__(self, draw: Draw) -> Sample:
        """The tile of one draw."""
        ...


def class_weights(data: Samples, batches: Iterable[list[Draw]], classes: int, power: float) -> Tensor:
    """(C,) weights of cells by class, 1 on average over cells; a class that batches do not show weighs 1.

    Args:
        data: Tiles without variation.
        batches: Draws that are like those of the training.
        classes: How many the network tells apart.
        power: Of the inverse share: 0 lets all cells weigh alike, 1 all classes.
    """
    counts, weights = torch.zeros(classes), torch.ones(classes)
    if not power:
        return weights
    for draws in batches:
        for sample in map(data.__getitem__, draws):
            told = sample["classes"][sample["classes"] != IGNORE]
            counts += torch.bincount(told, minlength=classes)
    is_shown = counts > 0
    share = counts[is_shown] / counts.sum()
    rarity = share.clamp(min=1e-6) ** -power
    weights[is_shown] = rarity / (share * rarity).sum()
    return weights


def undo_weights(network: Network, weights: Tensor) -> None:
    """Let a network that learnt by weighted cells speak of cells as they come."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    assert last.bias is not None
    with torch.no_grad():
        last.bias -= weights.to(last.bias).log()
