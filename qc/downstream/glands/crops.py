"""Crops that a network is trained on. In: images and instance labels. Out: varied crops with their target."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from qc.config.glands import GlandSettings
from qc.downstream.glands.images import Labels, Rgb
from qc.downstream.glands.target import target
from qc.metrics.objects import numbered
from qc.nets.augment import Augmentation


@dataclass(frozen=True)
class Draw:
    """A crop: its image, its corner, and a number that differs between all draws of all epochs."""

    image: int
    x: int
    y: int
    number: int


class Sample(TypedDict):
    """`rgb` (H, W, 3) uint8, varied; `classes` (H, W) int64, see `qc.downstream.glands.target`."""

    rgb: Tensor
    classes: Tensor


class CropDataset(Dataset[Sample]):
    """Crops of images held in memory at working resolution.

    Args:
        images: (H, W, 3) uint8 and (H, W) instance labels.
        settings: Crops, border and variation.
    """

    def __init__(self, images: Sequence[tuple[Rgb, Labels]], settings: GlandSettings) -> None:
        self._images, self._settings = images, settings
        self._augment = Augmentation(settings.augment)

    def __getitem__(self, draw: Draw) -> Sample:
        """The crop of a draw; outlines are varied first and become borders afterwards, which so keep their width."""
        cv2.setNumThreads(1)
        crop_px = self._settings.fit.crop_px
        image, instances = self._images[draw.image]
        rgb, labels = _cut(image, draw, crop_px), _bytes(_cut(instances, draw, crop_px))
        look = np.random.SeedSequence([self._settings.seed, draw.number]).generate_state(1)
        rgb, labels = self._augment(rgb, labels, int(look[0]))
        classes = target(labels, self._settings.border_um / self._settings.mpp)
        return {"rgb": torch.from_numpy(rgb), "classes": torch.from_numpy(classes.astype(np.int64))}


class RandomCrops(Sampler[list[Draw]]):
    """Batches of crops, each image as likely as it is large.

    Args:
        shapes: (H, W) of each image.
        settings: Crops and seed; the same seed and epoch give the same batches.
        drawn: Told before each batch the epoch, the batches drawn in it already, and those of a whole epoch.
    """

    def __init__(
        self, shapes: Sequence[tuple[int, ...]], settings: GlandSettings, drawn: Callable[[int, int, int], None]
    ) -> None:
        self._shapes, self._settings, self._drawn, self._epoch = shapes, settings, drawn, 0
        areas = np.array([shape[0] * shape[1] for shape in shapes], float)
        self._chances = areas / areas.sum()

    def set_epoch(self, epoch: int) -> None:
        """Other draws from now on, the same for the same epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._settings.fit.epoch_crops // self._settings.fit.batch_crops)

    def __iter__(self) -> Iterator[list[Draw]]:
        """Batches of the epoch set."""
        size = self._settings.fit.batch_crops
        for batch in range(len(self)):
            rng = np.random.default_rng([self._settings.seed, self._epoch, batch])
            first = (self._epoch * len(self) + batch) * size
            self._drawn(self._epoch, batch, len(self))
            yield [self._draw(first + i, rng) for i in range(size)]

    def _draw(self, number: int, rng: np.random.Generator) -> Draw:
        image = int(rng.choice(len(self._shapes), p=self._chances))
        height, width = self._shapes[image][:2]
        crop_px = self._settings.fit.crop_px
        x, y = (int(rng.integers(max(1, side - crop_px + 1))) for side in (width, height))
        return Draw(image, x, y, number)


def _cut(image: NDArray[Any], draw: Draw, crop_px: int) -> NDArray[Any]:
    """A square, grown by its mirror image where the image is smaller."""
    crop = image[draw.y : draw.y + crop_px, draw.x : draw.x + crop_px]
    lacking = [(0, crop_px - side) for side in crop.shape[:2]]
    return np.pad(crop, lacking + [(0, 0)] * (crop.ndim - 2), mode="symmetric")


def _bytes(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Instances numbered anew from 1, which bytes hold; the 256th shares the number of the first."""
    numbers = numbered(labels)
    return np.where(numbers > 0, (numbers - 1) % 255 + 1, 0).astype(np.uint8)
