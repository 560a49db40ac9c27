"""A ragged disc about which something fades in and out. In: micrometres. Out: how far inside a pixel lies."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from qc.optics.field import Bounds, Coords, Float, Mask, Waves


@dataclass(frozen=True)
class Patch:
    """A ragged disc."""

    centre: tuple[float, float]
    reach_um: float
    rough: Waves

    @property
    def bounds(self) -> Bounds:
        """A square around it."""
        return Bounds.around(self.centre, 1.5 * self.reach_um)

    def depth_at(self, at: Coords) -> Float:
        """How far inside each pixel lies, um; negative outside."""
        inside = self.reach_um + self.rough(at) - np.hypot(at.x - self.centre[0], at.y - self.centre[1])
        return np.minimum(inside, 1.5 * self.reach_um).astype(np.float32)

    @classmethod
    def draw(cls, bounds: Bounds, rng: np.random.Generator, size_um: float) -> Self:
        """About `size_um` across in the middle of `bounds`."""
        return cls(bounds.centre, size_um / 2, Waves.draw(rng, size_um / 3, 0.1 * size_um))


@dataclass(frozen=True)
class OnPatch:
    """What changes tissue within a patch; how much of it does depends on the tissue."""

    patch: Patch

    @property
    def bounds(self) -> Bounds:
        """Of the patch."""
        return self.patch.bounds

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours."""
        return 0.0

    def covers(self, at: Coords) -> Mask:
        """The patch."""
        return self.touches(at)

    def touches(self, at: Coords) -> Mask:
        """The patch."""
        return self.patch.depth_at(at) > 0
