"""Tiles that were drawn once and kept, in files. In: a folder of arrays. Out: tiles, read from the disk one by one."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.labels import ArtefactClass
from qc.train.dataset import Ref, Tile

PIXELS, CLASSES, TABLE = "pixels.npy", "classes.npy", "tiles.json"
"""Files of a bank: (N, H, W, 3) uint8, (N, H, W) uint8 and a note."""


@dataclass(frozen=True)
class TileBank:
    """Tiles in files.

    Attributes:
        refs: What each tile is.
        mpp: Micrometres per pixel.
    """

    folder: Path
    refs: tuple[Ref, ...]
    mpp: float

    @property
    def fingerprint(self) -> str:
        """Of all that the tiles were drawn from."""
        return json.loads((self.folder / TABLE).read_text(encoding="utf-8"))["fingerprint"]

    def read(self, index: int, _label: ArtefactClass, _draw: int) -> Tile:
        """The tile at `index`; every draw of it is the same."""
        pixels = _opened(self.folder / PIXELS)[index]
        classes = _opened(self.folder / CLASSES)[index]
        return KeptTile(np.array(pixels), np.array(classes), self.mpp, self.refs[index])


@dataclass(frozen=True)
class PartOfBank:
    """Some tiles of a bank, numbered anew."""

    bank: TileBank
    indices: tuple[int, ...]

    @property
    def refs(self) -> tuple[Ref, ...]:
        """What each tile is."""
        return tuple(self.bank.refs[index] for index in self.indices)

    def read(self, index: int, label: ArtefactClass, draw: int) -> Tile:
        """See `TileBank.read`."""
        return self.bank.read(self.indices[index], label, draw)


@dataclass(frozen=True)
class KeptTile:
    """A tile of a bank, as it was read.

    Attributes:
        rgb: (H, W, 3) uint8.
        classes: (H, W) uint8.
        mpp: Micrometres per pixel.
        ref: What it is.
    """

    rgb: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    mpp: float
    ref: Ref


def close_files(folder: Path) -> None:
    """Forget what was read from a folder whose files are about to be written anew."""
    for name in (PIXELS, CLASSES):
        _files.pop(folder / name, None)


_files: dict[Path, NDArray[np.uint8]] = {}


def _opened(path: Path) -> NDArray[np.uint8]:
    if path not in _files:
        _files[path] = np.load(path, mmap_mode="r")
    return _files[path]
