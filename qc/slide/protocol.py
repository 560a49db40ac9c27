"""What a slide is to the rest of the house: a size, an mpp, levels, and RGBA pixels of a level."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qc.geometry import Mpp, Size


@dataclass(frozen=True)
class Level:
    """One floor of the pyramid; `downsample` is level-0 pixels per pixel of this level."""

    size: Size
    downsample: float


class Slide(Protocol):
    """One whole-slide image, open for reading from several threads at once."""

    @property
    def name(self) -> str:
        """File name without its folder."""
        ...

    @property
    def size(self) -> Size:
        """Level-0 size in pixels."""
        ...

    @property
    def mpp(self) -> Mpp:
        """Level-0 micrometres per pixel."""
        ...

    @property
    def levels(self) -> tuple[Level, ...]:
        """Finest first."""
        ...

    @property
    def properties(self) -> Mapping[str, str]:
        """What the file says about itself: `format`, `mpp_source`, `series`, `scanner`, `scanned_at`."""
        ...

    def read(self, level: int, x: int, y: int, size: Size) -> NDArray[np.uint8]:
        """Pixels of one level.

        Args:
            level: Index into `levels`.
            x: Left edge in pixels of that level; may be negative.
            y: Top edge in pixels of that level; may be negative.
            size: Size in pixels of that level; may reach beyond the slide.

        Returns:
            (H, W, 4) uint8 RGBA; alpha is 0 where the slide holds nothing.

        Raises:
            TruncatedSlideError: If the pixels cannot be decoded.
        """
        ...

    def close(self) -> None:
        """Give the file handle back."""
        ...
