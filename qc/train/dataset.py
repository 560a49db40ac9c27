"""Tiles as a training loop takes them. In: draws of the sampler. Out: tensors of pixels and labels, augmented."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from qc.artefact.training.cells import WeakLabel
from qc.config.training import AugmentSettings
from qc.labels import IGNORE, ArtefactClass
from qc.nets.augment import Augmentation
from qc.nets.sampler import Draw

Labels = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""From (H, W) classes of pixels and the side of a cell in pixels to (h, w) classes of cells."""


class Ref(Protocol):
    """What a tile is; see `qc.artefact.training.TileRef`. Refs are dataclasses, so that copies can differ."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def item(self) -> int:
        """Index of what it is cut from."""
        ...

    @property
    def slide(self) -> str:
        """Name of the slide."""
        ...

    @property
    def patient(self) -> str:
        """Name of the patient."""
        ...

    @property
    def file(self) -> str:
        """Where its pixels are."""
        ...

    @property
    def place(self) -> tuple[float, ...]:
        """Where on its slide it lies."""
        ...

    @property
    def classes(self) -> frozenset[ArtefactClass]:
        """Artefacts in it."""
        ...

    @property
    def composable(self) -> bool:
        """True when anything can be laid on it."""
        ...

    @property
    def weak(self) -> WeakLabel | None:
        """What is known of it as a whole."""
        ...

    @property
    def is_composed(self) -> bool:
        """True when something was laid on it."""
        ...


class Tile(Protocol):
    """One tile."""

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8."""
        ...

    @property
    def classes(self) -> NDArray[np.uint8]:
        """(H, W) uint8 of `ArtefactClass` or IGNORE."""
        ...

    @property
    def ref(self) -> Ref:
        """What it is."""
        ...


class Tiles(Protocol):
    """What tiles are read from."""

    def read(self, index: int, label: ArtefactClass, draw: int) -> Tile:
        """One tile."""
        ...


class Sample(TypedDict):
    """One tile.

    `rgb` (H, W, 3) uint8; `classes` (h, w) int64 indices into the classes of the network, or IGNORE; `allowed` and
    `present` (C,) bool, see `qc.nets.loss`; `is_weak` bool; `index` int64, the tile's.
    """

    rgb: Tensor
    classes: Tensor
    allowed: Tensor
    present: Tensor
    is_weak: Tensor
    index: Tensor


class TileDataset(Dataset[Sample]):
    """Tiles read, spoilt and varied by worker processes.

    Args:
        tiles: The source.
        classes: What the network tells apart, in the order of its logits.
        stride: Pixels per cell of its output.
        augment: How tiles vary; None leaves them as they are.
        seed: Of the variation.
        labels: What cells are said to show; by default what is in their middle.
    """

    def __init__(
        self,
        tiles: Tiles,
        classes: Sequence[ArtefactClass],
        stride: int,
        augment: AugmentSettings | None,
        seed: int,
        labels: Labels | None = None,
    ) -> None:
        self._tiles, self._classes, self._stride, self._seed = tiles, tuple(classes), stride, seed
        self._labels = labels or middles
        self._augment = Augmentation(augment) if augment else None
        self._index_of = np.full(256, IGNORE, np.uint8)
        self._index_of[list(classes)] = np.arange(len(classes))

    def __getitem__(self, draw: Draw) -> Sample:
        """The tile of one draw."""
        cv2.setNumThreads(1)
        return self._sample(self._tiles.read(draw.index, draw.label, draw.number), draw)

    def sample(self, index: int) -> Sample:
        """A kept tile as it is."""
        draw = Draw(index, ArtefactClass.CLEAN, 0)
        return self._sample(self._tiles.read(index, draw.label, draw.number), draw)

    def _sample(self, tile: Tile, draw: Draw) -> Sample:
        rgb, classes = tile.rgb, tile.classes
        if self._augment is not None:
            look = np.random.SeedSequence([self._seed, draw.number]).generate_state(1)
            rgb, classes = self._augment(rgb, classes, int(look[0]))
        weak = tile.ref.weak
        return {
            "rgb": torch.from_numpy(np.ascontiguousarray(rgb)),
            "classes": torch.from_numpy(self._index_of[self._labels(classes, self._stride)].astype(np.int64)),
            "allowed": self._flags(weak.allowed if weak else self._classes),
            "present": self._flags(weak.present if weak else ()),
            "is_weak": torch.tensor(weak is not None),
            "index": torch.tensor(draw.index),
        }

    def _flags(self, classes: Sequence[ArtefactClass] | frozenset[ArtefactClass]) -> Tensor:
        return torch.tensor([one in classes for one in self._classes])


def middles(classes: NDArray[np.uint8], stride: int) -> NDArray[np.uint8]:
    """The class in the middle of each cell."""
    return classes[stride // 2 :: stride, stride // 2 :: stride]
