"""One training as Lightning sees it: step, validation, optimiser. In: batches of samples. Out: a trained network."""

from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name
import torch
from torch import Tensor

from qc.config.train import OptimiserSettings
from qc.nets.build import Network
from qc.nets.loss import exact_loss, weak_loss
from qc.nets.optimise import adamuon, adamw


class Training(L.LightningModule):
    """Trains a network on exact and weak labels.

    Args:
        network: With first weights.
        settings: Of the optimiser.
        steps: Steps of the whole training, for the learning rate.

    Attributes:
        class_weights: (C,) of exactly labelled cells; kept in checkpoints.
    """

    class_weights: Tensor

    def __init__(self, network: Network, settings: OptimiserSettings, steps: int) -> None:
        super().__init__()
        self.register_buffer("class_weights", torch.ones(network.classes))
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimiser, self._steps = settings, steps

    def training_step(self, batch: dict[str, Tensor], _index: int) -> Tensor:
        """See Lightning."""
        loss = self._loss(batch, "train")
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=len(batch["rgb"]), prog_bar=True)
        return loss

    def validation_step(self, batch: dict[str, Tensor], _index: int) -> None:
        """See Lightning."""
        loss = self._loss(batch, "validation")
        self.log("validation_loss", loss, batch_size=len(batch["rgb"]), prog_bar=True, sync_dist=True)

    def _loss(self, batch: dict[str, Tensor], part: str) -> Tensor:
        logits = self.network(batch["rgb"])
        is_weak = batch["is_weak"]
        exact = exact_loss(logits[~is_weak], batch["classes"][~is_weak], self.class_weights)
        weak = weak_loss(logits[is_weak], batch["allowed"][is_weak], batch["present"][is_weak])
        share = is_weak.float().mean()
        sizes = {"batch_size": len(is_weak), "on_epoch": True, "on_step": False}
        self.log(f"{part}_exact", exact, **sizes)
        self.log(f"{part}_weak", weak, **sizes)
        return (1 - share) * exact + share * self._optimiser.weak_weight * weak

    def configure_optimizers(self) -> Any:
        """See `qc.nets.optimise`."""
        told = self._optimiser
        method = {"adamuon": adamuon, "adamw": adamw}[told.method]
        return method(self.network.parameters(), told.learning_rate, told.weight_decay, self._steps, told.warm_up)
