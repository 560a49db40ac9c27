"""A classifier of tiles. In: a table of tiles and their pixels. Out: a trained network, and chances of other tiles."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from qc.config.downstream import ClassifierSettings, FitSettings
from qc.downstream.bank import Bank, places
from qc.downstream.mixup import mixup
from qc.downstream.network import TileNetwork, build, scaled
from qc.downstream.stain import Look, Normaliser, normaliser
from qc.downstream.tiles import BalancedTiles, TileDataset
from qc.downstream.trainer import Loss, train
from qc.nets.card import sha256

_PREDICT_TILES = 64


@dataclass(frozen=True)
class Classifier:
    """A trained network and the look that its tiles were brought to.

    Attributes:
        network: In evaluation mode.
        settings: What it was trained by.
        target: Look that tiles are brought to; None when they are taken as they are.
    """

    network: TileNetwork
    settings: ClassifierSettings
    target: Look | None

    def normaliser(self, table: pd.DataFrame, bank: Bank) -> Normaliser:
        """Brings the slides of a table to the look of those that were trained on."""
        stain = self.settings.stain
        if self.target is None or stain.method == "none":
            return Normaliser("none", None, {})
        if stain.per == "tile":
            return Normaliser(stain.method, self.target, {})
        pixels = bank.by_slide(table)
        own = normaliser(stain.method, True, pixels, {}).looks
        return Normaliser(stain.method, self.target, own)

    def probabilities(self, table: pd.DataFrame, bank: Bank) -> NDArray[np.float64]:
        """(N,) chance of the positive label for each tile of a table, NaN for none."""
        dataset = TileDataset(table, bank, self.normaliser(table, bank))
        found = np.empty(len(table), np.float64)
        with torch.inference_mode():
            for rows in np.array_split(np.arange(len(table)), -(-len(table) // _PREDICT_TILES) or 1):
                if len(rows):
                    batch = torch.stack([dataset[int(row)]["rgb"] for row in rows])
                    found[rows] = torch.softmax(self.network(batch).float(), dim=1)[:, -1].double().numpy()
        return found


def train_classifier(
    table: pd.DataFrame,
    bank: Bank,
    settings: ClassifierSettings,
    seed: int,
    folder: Path,
    epoch_tiles: int | None = None,
) -> Classifier:
    """Train for the settings' epochs, or load what was trained before on the same tiles.

    Args:
        table: Tiles to train on, from `qc.downstream.cases.labelled`.
        bank: Their pixels.
        settings: The classifier's.
        seed: Of first weights, draws, variation and mixup.
        folder: Each training gets a folder in it that is named after all that decides its weights.
        epoch_tiles: Tiles drawn in an epoch, so that a smaller table is not trained for fewer steps; by default as many
            as the table has. The settings' largest number holds.
    """
    fit = settings.fit
    drawn = min(epoch_tiles or len(table), fit.epoch_tiles_max)
    home = folder / _name(table, bank, settings, seed, drawn)
    normalise = normaliser(settings.stain.method, settings.stain.per == "slide", bank.by_slide(table), {})
    dataset = TileDataset(table, bank, normalise, settings.augment, seed)
    sampler = BalancedTiles(table, fit.batch_tiles, max(1, round(drawn / fit.batch_tiles)), seed)
    # tiles come from arrays and cost a tenth of a step: worker processes would take longer to start than they save
    loader = DataLoader(dataset, batch_sampler=sampler)
    network = build(settings, seed)
    note = {"settings": settings.model_dump(mode="json"), "tiles": len(table)}
    train(network, _loss(fit), loader, fit, seed, home, note)
    return Classifier(network, settings, normalise.target)


def _loss(fit: FitSettings) -> Loss:
    """Cross-entropy of tiles that were mixed."""

    def loss(network: nn.Module, batch: Any, rng: np.random.Generator) -> Tensor:
        images = scaled(batch["rgb"]).contiguous(memory_format=torch.channels_last)
        images, labels = mixup(images, batch["target"], 2, fit.mixup_alpha, rng)
        return functional.cross_entropy(network(images), labels, label_smoothing=fit.label_smoothing)

    return loss


def _name(table: pd.DataFrame, bank: Bank, settings: ClassifierSettings, seed: int, drawn: int) -> str:
    other = "" if drawn == min(len(table), settings.fit.epoch_tiles_max) else f" {drawn}"
    digest = hashlib.sha256(f"{settings.model_dump_json()} {seed}{other}".encode())
    if settings.encoder_weights:
        digest.update(sha256(Path(settings.encoder_weights)).encode())
    for place, target in zip(places(table), table["target"], strict=True):
        digest.update(f"{place} {target}".encode())
        digest.update(bank.tile(place).tobytes())
    return digest.hexdigest()[:20]
