"""What looks ruined and is not: surgical ink along a margin, and blood in tissue. Networks learn to leave it alone."""

from dataclasses import dataclass

import cv2
import numpy as np

from qc.optics.field import Bounds, Coords, Float, Mask, Waves, smoothstep
from qc.optics.ink import INKS
from qc.optics.stain import TRANSMITTANCE_FLOOR, filtered

_TISSUE_OVER = 0.04  # optical density, averaged over `_AROUND_UM`
_AROUND_UM = 15.0
_RED_CELL_UM = 7.5
_BLOOD = (0.12, 0.9, 0.55)  # relative optical density of eosinophilic red cells in red, green and blue


@dataclass(frozen=True)
class Patch:
    """A ragged disc, about which look-alikes fade in and out."""

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
    def draw(cls, bounds: Bounds, rng: np.random.Generator, size_um: float) -> "Patch":
        """About `size_um` across in the middle of `bounds`."""
        return cls(bounds.centre, size_um / 2, Waves.draw(rng, size_um / 3, 0.1 * size_um))


@dataclass(frozen=True)
class MarginInk:
    """Ink that a surgeon or pathologist painted on the specimen: in the tissue's plane, along its edge.

    Attributes:
        depth_um: How deep it soaked.
        density: Optical density of full ink in red, green and blue.
        patchy: Where it took, along the edge.
        grains: Its granular look.
    """

    patch: Patch
    depth_um: float
    density: tuple[float, float, float]
    patchy: Waves
    grains: Waves

    @property
    def bounds(self) -> Bounds:
        """Of the patch."""
        return self.patch.bounds

    @property
    def halo_um(self) -> float:
        """The edge is looked for this far away."""
        return self.depth_um + _AROUND_UM

    def covers(self, at: Coords) -> Mask:
        """The patch; how much of it is an edge depends on the tissue."""
        return self.touches(at)

    def touches(self, at: Coords) -> Mask:
        """The patch."""
        return self.patch.depth_at(at) > 0

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with ink on the edges of what is dense."""
        od = -np.log10(np.maximum(transmittance.mean(axis=2), TRANSMITTANCE_FLOOR))
        side = 2 * max(1, round(_AROUND_UM / at.mpp / 2)) + 1
        is_tissue = cv2.blur(od, (side, side)) > _TISSUE_OVER
        if is_tissue.all():
            return transmittance
        deep = cv2.distanceTransform(is_tissue.astype(np.uint8), cv2.DIST_L2, 3) * at.mpp
        taken = np.clip(0.6 + self.patchy(at), 0, 1) * np.clip(0.7 + self.grains(at), 0, 1)
        weight = (1 - smoothstep(deep, 0.3 * self.depth_um, self.depth_um)) * is_tissue * taken
        weight *= smoothstep(self.patch.depth_at(at), 0, 20) * np.clip(od / 0.1, 0.3, 1)
        return transmittance * filtered(weight[..., None] * np.asarray(self.density, np.float32))


@dataclass(frozen=True)
class Blood:
    """Red cells where tissue was: a haemorrhage or a congested vessel.

    Attributes:
        density: Mean optical density of full blood.
        gaps: 0 a lake, 1 single cells with light between them.
        cells: Noise at the size of red cells.
    """

    patch: Patch
    density: float
    gaps: float
    cells: Waves

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

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with blood instead of tissue."""
        weight = smoothstep(self.patch.depth_at(at), 0, 25)[..., None]
        cells = 1 - self.gaps * (1 - smoothstep(self.cells(at), -0.7, 0.5))
        blood = filtered(cells[..., None] * np.asarray(_BLOOD, np.float32) * np.float32(self.density))
        return transmittance * (1 - weight) + blood * weight


def draw_margin_ink(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> MarginInk:
    """Ink of any colour on the edges within about `size_um`."""
    colour = np.array(INKS[str(rng.choice(list(INKS)))]) * float(rng.uniform(0.25, 1.3)) * strength
    depth = float(np.exp(rng.uniform(np.log(15), np.log(150))))
    return MarginInk(
        patch=Patch.draw(bounds, rng, size_um),
        depth_um=depth,
        density=(float(colour[0]), float(colour[1]), float(colour[2])),
        patchy=Waves.draw(rng, 80.0, float(rng.uniform(0.1, 0.6))),
        grains=Waves.draw(rng, float(rng.uniform(4, 12)), float(rng.uniform(0.1, 0.5)), count=12),
    )


def draw_blood(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Blood:
    """Blood about `size_um` across."""
    return Blood(
        patch=Patch.draw(bounds, rng, size_um),
        density=float(rng.uniform(0.25, 0.8)) * strength,
        gaps=float(rng.uniform(0, 1)),
        cells=Waves.draw(rng, _RED_CELL_UM, 0.6, count=24),
    )
