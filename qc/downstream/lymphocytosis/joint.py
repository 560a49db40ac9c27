"""D-MIL that learns together with its auto-encoder. In: padded bags of pictures. Out: a logit, weights; a loss.

Two losses: labels of patients, and pictures that are given back. Where both go through all weights at once, the encoder
is pulled both ways and one rate must do for both; so the halves may take turns, each frozen while the other learns.
"""

from enum import Enum, auto
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from qc.config.lymphocytosis import DeepMilSettings, JointSettings
from qc.downstream.lymphocytosis.autoencoder import AutoEncoder
from qc.downstream.lymphocytosis.bag_fit import cross_entropy
from qc.downstream.lymphocytosis.loader import BagBatch
from qc.downstream.lymphocytosis.networks import DeepMil
from qc.downstream.lymphocytosis.pace import Groups
from qc.downstream.network import scaled
from qc.downstream.trainer import Loss
from qc.nets.optimise import groups


class Turn(Enum):
    """Who learns in an epoch."""

    ALONE = auto()
    """The auto-encoder, from pictures alone."""
    CLASSIFIER = auto()
    """The classifier, from labels; the auto-encoder is frozen."""
    CODER = auto()
    """The auto-encoder, from both; the classifier is frozen."""
    BOTH = auto()
    """Both, from both."""


def turn_of(epoch: int, settings: JointSettings) -> Turn:
    """Whose turn an epoch is.

    >>> [turn_of(epoch, JointSettings(alone_epochs=1)).name for epoch in range(4)]
    ['ALONE', 'CLASSIFIER', 'CODER', 'CLASSIFIER']
    """
    if epoch < settings.alone_epochs:
        return Turn.ALONE
    if settings.turns == "together":
        return Turn.BOTH
    return (Turn.CLASSIFIER, Turn.CODER)[(epoch - settings.alone_epochs) % 2]


class JointMil(nn.Module):
    """An auto-encoder whose codes D-MIL reads as they are."""

    def __init__(self, settings: DeepMilSettings) -> None:
        super().__init__()
        self._features = settings.features.autoencoder.features
        self.coder = AutoEncoder(settings.features.autoencoder)
        self.classifier = DeepMil(self._features, settings)

    def forward(self, cells: Tensor, mask: Tensor, clinical: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B,) and weights (B, N) of (B, N, H, W, 3) uint8 cells, (B, N) mask and (B, 3) clinical values."""
        return self.classifier(self.codes(cells, mask), mask, clinical)

    def codes(self, cells: Tensor, mask: Tensor) -> Tensor:
        """(B, N, features), zero where padded."""
        found = torch.zeros((*mask.shape, self._features))
        if mask.any():
            found[mask] = self.coder.encoder(scaled(cells[mask])).float()
        return found


def joint_loss(settings: DeepMilSettings) -> Loss:
    """Of the halves whose turn it is; on batches that are held out that of labels, as they decide about the rate."""
    joint = settings.joint or JointSettings()

    def loss(network: nn.Module, batch: BagBatch, _rng: np.random.Generator) -> Tensor:
        own, turn = cast(JointMil, network), turn_of(batch["epoch"], joint)
        own.coder.requires_grad_(turn is not Turn.CLASSIFIER)
        own.classifier.requires_grad_(turn in (Turn.CLASSIFIER, Turn.BOTH))
        codes = own.codes(batch["cells"], batch["mask"])
        pictures, labels = torch.zeros(()), torch.zeros(())
        if own.training and turn is not Turn.CLASSIFIER:
            pictures = joint.picture_weight * picture_loss(own.coder, codes[batch["mask"]], batch)
        if not own.training or turn is not Turn.ALONE:
            labels = cross_entropy(
                own.classifier(codes, batch["mask"], batch["clinical"])[0], batch["target"], settings.fit
            )
        return pictures + labels

    return loss


def picture_loss(coder: AutoEncoder, codes: Tensor, batch: BagBatch) -> Tensor:
    """Binary cross-entropy of pictures given back, brightness 0-1; codes are those of the batch's cells in order."""
    before = coder.decoder[:-1](codes).float()
    wanted = (scaled(batch["cells"][batch["mask"]]) + 1) / 2
    # tanh z between -1 and 1 is the logistic function of 2 z between 0 and 1
    return functional.binary_cross_entropy_with_logits(2 * before, wanted)


def joint_groups(settings: DeepMilSettings) -> Groups | None:
    """The auto-encoder at its own rate and the classifier at that of fit, where they take turns."""
    if settings.joint is None or settings.joint.turns == "together":
        return None
    coder, fit = settings.features.autoencoder, settings.fit

    def own_groups(network: nn.Module) -> list[dict[str, object]]:
        own = cast(JointMil, network)
        first = groups(own.coder.parameters(), coder.learning_rate, coder.weight_decay)
        return first + groups(own.classifier.parameters(), fit.learning_rate, fit.weight_decay)

    return own_groups
