"""Images of glands on disc, with their masks beside them. In: a folder. Out: paths, pixels, instance labels.

`7.png` and `7-mask.png` are an image and its mask: 0 outside glands, one number for each gland.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from qc.errors import ExchangeError
from qc.metrics.objects import numbered

Rgb = NDArray[np.uint8]
Labels = NDArray[np.int32]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_MASK_ENDS = "-mask"


@dataclass(frozen=True)
class Picture:
    """One image on disc.

    Attributes:
        path: Of the pixels.
        mask: Of the instance labels; None when there are none.
    """

    path: Path
    mask: Path | None

    @property
    def name(self) -> str:
        """Without folder and suffix."""
        return self.path.stem

    def rgb(self) -> Rgb:
        """(H, W, 3) uint8.

        Raises:
            ExchangeError: If the file cannot be read.
        """
        return np.asarray(_opened(self.path).convert("RGB"))

    def labels(self) -> Labels:
        """(H, W) instance labels, numbered from 1.

        Raises:
            ExchangeError: If there is no mask, or it is no single-channel image of the same size.
        """
        if self.mask is None:
            wanted = f"{self.name}{_MASK_ENDS}.png"
            raise ExchangeError(f"{self.path} has no mask beside it", f"put {wanted} with one number per gland there")
        labels, size = read_labels(self.mask), _opened(self.path).size
        if labels.shape != size[::-1]:
            raise ExchangeError(
                f"{self.mask} is of {labels.shape[1]} x {labels.shape[0]} pixels, its image of {size[0]} x {size[1]}",
                "save it at the size of its image",
            )
        return labels


def read_labels(path: Path) -> Labels:
    """(H, W) instance labels of a file, numbered from 1.

    Raises:
        ExchangeError: If the file cannot be read, or has colours.
    """
    mask = _opened(path)
    if mask.mode not in ("L", "P", "I", "I;16", "1"):
        raise ExchangeError(f"{path} has colours ({mask.mode})", "save one number per gland in one channel")
    try:
        return numbered(np.asarray(mask).astype(np.int64))
    except ValueError as error:
        raise ExchangeError(f"{path}: {error}", "number glands from 1, with 0 outside") from error


def pictures(folder: Path, has_masks: bool) -> tuple[Picture, ...]:
    """The images of a folder, by name; numbers count as numbers.

    Args:
        folder: Searched, not the folders in it.
        has_masks: Every image must have a mask.

    Raises:
        ExchangeError: If there is no such folder, no image in it, two of one name, or a mask is missing.
    """
    if not folder.is_dir():
        raise ExchangeError(f"{folder} is no folder", "name a folder of images")
    files = sorted((p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES), key=_order)
    masks = {p.stem.removesuffix(_MASK_ENDS): p for p in files if p.stem.endswith(_MASK_ENDS)}
    found = tuple(Picture(p, masks.get(p.stem)) for p in files if not p.stem.endswith(_MASK_ENDS))
    if not found:
        raise ExchangeError(f"{folder} holds no image", f"put images there ({', '.join(SUFFIXES)})")
    for before, after in pairwise(found):
        if before.name == after.name:
            raise ExchangeError(f"{before.path} and {after.path} have one name", "rename one of them")
    for one in found if has_masks else ():
        if one.mask is None:
            one.labels()
    return found


def reduced(rgb: Rgb, image_mpp: float, mpp: float) -> Rgb:
    """An image at a coarser resolution, by area."""
    size = _size(rgb.shape[:2], image_mpp, mpp)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def reduced_labels(labels: Labels, image_mpp: float, mpp: float) -> Labels:
    """Labels at a coarser resolution, by the nearest pixel."""
    size = _size(labels.shape, image_mpp, mpp)
    return np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.int32)


def at_working_mpp(some: Iterable[Picture], image_mpp: float, mpp: float) -> Iterator[tuple[Rgb, Labels]]:
    """Pixels and labels of images, reduced, one after the other."""
    for one in some:
        yield reduced(one.rgb(), image_mpp, mpp), reduced_labels(one.labels(), image_mpp, mpp)


def _size(shape: tuple[int, ...], image_mpp: float, mpp: float) -> tuple[int, int]:
    height, width = (max(1, round(side * image_mpp / mpp)) for side in shape)
    return width, height


def _opened(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ExchangeError(f"{path} cannot be read as an image ({error})", "save it as PNG") from error
    return image


def _order(path: Path) -> tuple[int, str]:
    stem = path.stem.removesuffix(_MASK_ENDS)
    return (int(stem), path.name) if stem.isdigit() else (-1, path.name)
