"""Training a segmentation of glands. In: images with masks. Out: the folder of a model."""

import csv
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.utils.data import DataLoader

from qc.config.glands import GlandSettings
from qc.downstream.glands.crops import CropDataset, RandomCrops
from qc.downstream.glands.images import Labels, Picture, Rgb, at_working_mpp
from qc.downstream.glands.model import CARD, GlandCard, GlandModel, load_model, read_card
from qc.downstream.glands.target import CLASSES
from qc.downstream.trainer import is_trained, train
from qc.errors import RunError
from qc.files import write_text
from qc.nets.loss import exact_loss
from qc.nets.unet import build_unet
from qc.version import __version__

Told = Callable[[int, int], None]

_CLOCK = "seconds.csv"


def train_model(
    pictures: Sequence[Picture], settings: GlandSettings, folder: Path, told: Told = lambda _done, _total: None
) -> GlandModel:
    """Train, go on where a training stopped, or load one that is finished.

    Args:
        pictures: Images with masks; all are held in memory at working resolution.
        settings: Everything else that decides the weights, and how glands are told apart.
        folder: The model's. It belongs to one training: other images or settings are refused.
        told: Told before each batch how many are done, and how many there are in all.

    Raises:
        RunError: If the folder holds a model of other images or settings.
        ExchangeError: If an image or mask cannot be read.
    """
    images = list(at_working_mpp(pictures, settings.image_mpp, settings.mpp))
    card = GlandCard(
        settings=settings,
        images=len(images),
        fingerprint=_fingerprint(images, settings),
        software_version=__version__,
    )
    network = build_unet(settings.network, CLASSES, settings.seed)
    _claim(folder, card)
    if is_trained(folder):
        return load_model(folder)
    clock = _Clock(folder / _CLOCK, settings, told)
    batches = RandomCrops([rgb.shape for rgb, _ in images], settings, clock)
    loader = DataLoader(CropDataset(images, settings), batch_sampler=batches)
    train(network, _loss, loader, settings.fit, settings.seed, folder, card.model_dump(mode="json"))
    clock.stop()
    return GlandModel(network, settings)


def spent_cpu_seconds(folder: Path) -> float:
    """Processor time of a training, of all its parts where it was stopped and went on; epochs done twice count once."""
    with (folder / _CLOCK).open(encoding="utf-8", newline="") as handle:
        by_epoch = {row["epoch"]: float(row["cpu_seconds"]) for row in csv.DictReader(handle)}
    return sum(by_epoch.values())


def _loss(network: nn.Module, batch: dict[str, Tensor], _rng: np.random.Generator) -> Tensor:
    return exact_loss(network(batch["rgb"]).float(), batch["classes"])


def _fingerprint(images: Sequence[tuple[Rgb, Labels]], settings: GlandSettings) -> str:
    digest = hashlib.sha256(settings.model_dump_json(exclude={"instances", "turned"}).encode())
    for rgb, labels in images:
        digest.update(str(rgb.shape).encode())
        digest.update(rgb.tobytes())
        digest.update(labels.tobytes())
    return digest.hexdigest()


def _claim(folder: Path, card: GlandCard) -> None:
    if (folder / CARD).is_file() and read_card(folder).fingerprint != card.fingerprint:
        raise RunError(f"{folder} holds a model of other images or settings", "name another folder")
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")


class _Clock:
    """Counts batches, and writes down the processor time of each epoch once it is over."""

    def __init__(self, path: Path, settings: GlandSettings, told: Told) -> None:
        self._path, self._told, self._began = path, told, time.process_time()
        self._epochs, self._epoch = settings.fit.epochs, -1

    def __call__(self, epoch: int, done: int, batches: int) -> None:
        if epoch != self._epoch:
            self.stop()
            self._epoch = epoch
        self._told(epoch * batches + done, self._epochs * batches)

    def stop(self) -> None:
        """The last epoch that was begun is over."""
        now = time.process_time()
        if self._epoch >= 0:
            _append(self._path, {"epoch": self._epoch, "cpu_seconds": round(now - self._began, 3)})
        self._began = now


def _append(path: Path, row: dict[str, Any]) -> None:
    is_new = not path.is_file()
    with path.open("a", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)
