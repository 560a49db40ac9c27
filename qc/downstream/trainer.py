"""One training of a tile classifier by Lightning. In: a table of tiles. Out: a classifier, resumed where it stopped."""

import hashlib
import json
import logging
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from qc.config.downstream import ClassifierSettings
from qc.downstream.bank import Bank, places
from qc.downstream.mixup import mixup
from qc.downstream.network import TileNetwork, build, scaled
from qc.downstream.stain import Look, Normaliser, normaliser
from qc.downstream.tiles import BalancedTiles, Sample, TileDataset
from qc.files import replacing, write_text

_WARM_UP = 0.1
_LAST = "last"
_WEIGHTS, _NOTE = "weights.safetensors", "training.json"
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

    Nothing is chosen on test tiles: the number of epochs is fixed and the last weights are taken.

    Args:
        table: Tiles to train on, from `qc.downstream.cases.labelled`.
        bank: Their pixels.
        settings: The classifier's.
        seed: Of first weights, draws, variation and mixup.
        folder: Each training gets a folder in it that is named after all that decides its weights.
        epoch_tiles: Tiles drawn in an epoch, so that a smaller table is not trained for fewer steps; by default as many
            as the table has. The settings' largest number holds.
    """
    drawn = min(epoch_tiles or len(table), settings.fit.epoch_tiles_max)
    home = folder / _name(table, bank, settings, seed, drawn)
    per_slide = settings.stain.per == "slide"
    normalise = normaliser(settings.stain.method, per_slide, bank.by_slide(table), {})
    network = build(settings, seed)
    if not (home / _WEIGHTS).is_file():
        _fit(network, TileDataset(table, bank, normalise, settings.augment, seed), table, settings, seed, drawn, home)
        with replacing(home / _WEIGHTS) as partial:
            save_file({name: one.contiguous() for name, one in network.state_dict().items()}, partial)
        (home / f"{_LAST}.ckpt").unlink(missing_ok=True)
    network.load_state_dict(load_file(home / _WEIGHTS))
    return Classifier(network.eval(), settings, normalise.target)


def _name(table: pd.DataFrame, bank: Bank, settings: ClassifierSettings, seed: int, drawn: int) -> str:
    other = "" if drawn == min(len(table), settings.fit.epoch_tiles_max) else f" {drawn}"
    digest = hashlib.sha256(f"{settings.model_dump_json()} {seed}{other}".encode())
    for place, target in zip(places(table), table["target"], strict=True):
        digest.update(f"{place} {target}".encode())
        digest.update(bank.tile(place).tobytes())
    return digest.hexdigest()[:20]


def _fit(
    network: TileNetwork,
    dataset: TileDataset,
    table: pd.DataFrame,
    settings: ClassifierSettings,
    seed: int,
    drawn: int,
    home: Path,
) -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    fit = settings.fit
    batches = max(1, round(drawn / fit.batch_tiles))
    sampler = BalancedTiles(table, fit.batch_tiles, batches, seed)
    module = Training(network, settings, batches * fit.epochs, seed)
    began = time.monotonic()
    checkpoint = ModelCheckpoint(home, filename=_LAST, save_on_train_epoch_end=True, enable_version_counter=False)
    earlier = home / f"{_LAST}.ckpt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Lightning advises about workers and logging is not for users
        L.seed_everything(seed, verbose=False)
        _trainer(fit.epochs, home, checkpoint).fit(
            module,
            _loader(dataset, sampler),
            ckpt_path=str(earlier) if earlier.is_file() else None,
            weights_only=False,
        )
    seconds = time.monotonic() - began
    note = {"settings": settings.model_dump(mode="json"), "seed": seed, "tiles": len(table), "seconds": seconds}
    write_text(home / _NOTE, json.dumps(note, indent=2) + "\n")


def spent_seconds(folder: Path) -> list[float]:
    """Wall time of each training in a folder and below; of one that was stopped, the time since it was resumed."""
    return [float(json.loads(note.read_text("utf-8"))["seconds"]) for note in sorted(folder.rglob(_NOTE))]


def _loader(dataset: TileDataset, sampler: BalancedTiles) -> DataLoader[Sample]:
    # tiles come from arrays and cost a tenth of a step: worker processes would take longer to start than they save
    return DataLoader(dataset, batch_sampler=sampler)


def _trainer(epochs: int, home: Path, checkpoint: ModelCheckpoint) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        precision=precision(),
        deterministic=True,
        callbacks=[checkpoint, _Epochs()],
        default_root_dir=home,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        gradient_clip_val=1.0,
    )


def precision() -> Any:
    """Half precision on processors that multiply bfloat16, where it is faster."""
    features = torch.cpu.get_capabilities()
    return "bf16-mixed" if features.get("avx512_bf16") or features.get("amx_bf16") else "32-true"


class _Epochs(L.Callback):
    """Tells the sampler which epoch it is, after a resume too."""

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """See Lightning."""
        sampler = getattr(trainer.train_dataloader, "batch_sampler", None)
        if isinstance(sampler, BalancedTiles):
            sampler.set_epoch(trainer.current_epoch)


class Training(L.LightningModule):
    """Mixup, cross-entropy, AdamW.

    Args:
        network: With first weights.
        settings: Of the classifier.
        steps: Steps of the whole training, for the learning rate.
        seed: Of mixup.
    """

    def __init__(self, network: TileNetwork, settings: ClassifierSettings, steps: int, seed: int) -> None:
        super().__init__()
        self.network, self._settings, self._steps, self._seed = network, settings, steps, seed

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        """See Lightning."""
        rng = np.random.default_rng([self._seed, self.current_epoch, index])
        fit = self._settings.fit
        images = scaled(batch["rgb"]).contiguous(memory_format=torch.channels_last)
        images, labels = mixup(images, batch["target"], 2, fit.mixup_alpha, rng)
        return functional.cross_entropy(self.network(images), labels, label_smoothing=fit.label_smoothing)

    def configure_optimizers(self) -> Any:
        """AdamW; norms and biases do not decay; the rate rises, then falls as a cosine."""
        fit = self._settings.fit
        weights = list(self.network.parameters())
        groups: Sequence[dict[str, Any]] = (
            {"params": [one for one in weights if one.ndim > 1], "weight_decay": fit.weight_decay},
            {"params": [one for one in weights if one.ndim <= 1], "weight_decay": 0.0},
        )
        optimiser = torch.optim.AdamW(groups, lr=fit.learning_rate)
        warm_up = max(1, round(_WARM_UP * self._steps))

        def rate(step: int) -> float:
            if step < warm_up:
                return (step + 1) / warm_up
            done = (step - warm_up) / max(1, self._steps - warm_up)
            return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": LambdaLR(optimiser, rate), "interval": "step"}}
