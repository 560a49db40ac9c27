"""One training by Lightning. In: tiles to train and validate on. Out: a network with averaged weights, and curves."""

import copy
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar

from qc.config.train import TrainSettings
from qc.labels import ArtefactClass
from qc.nets.build import Network, build
from qc.nets.epochs import Epochs
from qc.nets.optimise import precision
from qc.nets.pretrained import between
from qc.train.dataset import Labels
from qc.train.folder import Curves, Finished, claim
from qc.train.loaders import Loaders, Source
from qc.train.module import Training
from qc.train.rarity import undo_weights

_LAST, _BEST = "last", "best"
_CURVES = "curves/metrics.csv"


@dataclass(frozen=True)
class Fit:
    """A trained network.

    Attributes:
        network: With averaged weights of the best epoch, in evaluation mode, on the CPU.
        epochs: Epochs that were trained.
        validation_loss: Of the best epoch; NaN without validation.
        curves: CSV file of the losses by epoch.
    """

    network: Network
    epochs: int
    validation_loss: float
    curves: Path


@dataclass(frozen=True)
class Machine:
    """What trains.

    Attributes:
        accelerator: `auto`, `cpu` or `gpu`, as Lightning knows them.
        devices: How many; several GPUs train by Lightning's own strategy.
        workers: Processes that read and vary tiles.
        quiet: No progress bar.
    """

    accelerator: str = "auto"
    devices: int | str = "auto"
    workers: int = 2
    quiet: bool = False


def fit(
    train: Source,
    validation: Source | None,
    classes: tuple[ArtefactClass, ...],
    settings: TrainSettings,
    folder: Path,
    machine: Machine,
    network: Network | None = None,
    labels: Labels | None = None,
) -> Fit:
    """Train until the epochs are over or validation no longer improves; a folder with a checkpoint is resumed.

    Args:
        train: Tiles to train on.
        validation: Tiles of other patients, or None to train all epochs.
        classes: What the network tells apart, in the order of its logits.
        settings: All settings of the training.
        folder: For checkpoints and curves.
        machine: Where to train.
        network: With first weights, of which the settings may keep a share; by default the settings' own.
        labels: What the network's cells are said to show; by default what is in their middle.

    Raises:
        SettingsError: If the folder holds another training, or the tiles cannot fill the batches that are wanted.
    """
    claim(folder, settings, classes, [source.refs for source in (train, validation) if source is not None])
    kept = settings.optimiser.kept
    start = copy.deepcopy(network.state_dict()) if network is not None and kept else None
    network = network or build(settings.network, len(classes), settings.seed)
    steps = settings.optimiser.epochs * settings.sampling.batches
    module = Training(network, settings.optimiser, steps)
    done = Finished.read(folder)
    if done is None:
        data = Loaders(train, validation, classes, settings, network.stride, machine.workers, labels)
        data.check()
        done = _run(module, data, settings, folder, machine, has_validation=validation is not None)
        done.write(folder)
    _load_averaged(module, folder / f"{_LAST if validation is None else _BEST}.ckpt")
    trained = module.network.cpu()
    undo_weights(trained, module.class_weights)
    if start is not None:
        trained.load_state_dict(between(start, trained.state_dict(), kept))
    return Fit(trained.eval(), done.epochs, done.validation_loss, folder / _CURVES)


def _run(
    module: Training, data: Loaders, settings: TrainSettings, folder: Path, machine: Machine, has_validation: bool
) -> Finished:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    L.seed_everything(settings.seed, workers=True, verbose=False)
    last = ModelCheckpoint(folder, filename=_LAST, save_on_train_epoch_end=True, enable_version_counter=False)
    best = ModelCheckpoint(folder, filename=_BEST, monitor="validation_loss", enable_version_counter=False)
    checkpoints = [best, last] if has_validation else [last]  # in this order the last one holds the best one's score
    trainer = _trainer(settings, folder, machine, checkpoints)
    earlier = folder / f"{_LAST}.ckpt"
    if not earlier.is_file():
        module.class_weights = data.class_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Lightning advises about workers and logging is not for users
        trainer.fit(module, datamodule=data, ckpt_path=str(earlier) if earlier.is_file() else None, weights_only=False)
    loss = float("nan") if best.best_model_score is None else float(best.best_model_score)
    return Finished(trainer.current_epoch, loss)


def _trainer(settings: TrainSettings, folder: Path, machine: Machine, checkpoints: list[ModelCheckpoint]) -> L.Trainer:
    averaging = EMAWeightAveraging(decay=settings.optimiser.averaging)
    callbacks: list[Any] = [*checkpoints, averaging, Epochs(), Curves(folder / _CURVES)]
    if len(checkpoints) > 1:
        callbacks.append(EarlyStopping("validation_loss", patience=settings.optimiser.patience))
    if not machine.quiet:
        callbacks.append(TQDMProgressBar(refresh_rate=5))
    is_gpu = machine.accelerator != "cpu" and torch.cuda.is_available()
    return L.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        max_epochs=settings.optimiser.epochs,
        precision=precision(is_gpu),
        deterministic="warn" if is_gpu else True,
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=not machine.quiet,
        enable_model_summary=False,
        use_distributed_sampler=False,
        gradient_clip_val=1.0,
    )


def _load_averaged(module: Training, path: Path) -> None:
    """Weights of a checkpoint; Lightning keeps the averaged ones as the model's own."""
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])
