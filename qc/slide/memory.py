"""A slide held in memory: phantoms, plain images, tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.geometry import Mpp, Size
from qc.slide.protocol import Level


@dataclass(frozen=True)
class MemorySlide:
    """An image and its mpp, read like any slide; coarser levels are made by halving.

    Attributes:
        pixels: (H, W, 3) uint8 RGB or (H, W, 4) RGBA; alpha 0 means not scanned.
        mpp: Micrometres per pixel of `pixels`.
        name: File name or any other name.
    """

    pixels: NDArray[np.uint8]
    mpp: Mpp
    name: str = "memory"
    properties: Mapping[str, str] = field(default_factory=lambda: {"format": "memory", "mpp_source": "caller"})

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] not in (3, 4):
            raise ValueError(f"pixels must be (H, W, 3 or 4) uint8, got {self.pixels.shape} {self.pixels.dtype}")

    @property
    def size(self) -> Size:
        """Level-0 size in pixels."""
        return Size.of(self.pixels.shape)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Finest first."""
        return tuple(Level(Size.of(image.shape), float(2**i)) for i, image in enumerate(self._pyramid))

    @cached_property
    def _pyramid(self) -> tuple[NDArray[np.uint8], ...]:
        images = [self.pixels]
        while min(images[-1].shape[:2]) >= 256:
            height, width = images[-1].shape[:2]
            even = images[-1][: height // 2 * 2, : width // 2 * 2]
            images.append(
                np.asarray(cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
            )
        return tuple(images)

    def read(self, level: int, x: int, y: int, size: Size) -> NDArray[np.uint8]:
        """See `Slide.read`."""
        image = self._pyramid[level]
        out = np.zeros((*size.shape, 4), np.uint8)
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + size.width, image.shape[1]), min(y + size.height, image.shape[0])
        if x1 > x0 and y1 > y0:
            part = out[y0 - y : y1 - y, x0 - x : x1 - x]
            part[..., 3] = 255
            part[..., : image.shape[2]] = image[y0:y1, x0:x1]
        return out

    def close(self) -> None:
        """Nothing to give back."""
