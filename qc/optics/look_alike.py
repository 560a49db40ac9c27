"""What looks ruined and is not: surgical ink along a margin, blood in tissue, and tissue that is thicker or denser.

Networks learn to leave it alone.
"""

from dataclasses import dataclass

import numpy as np

from qc.optics.field import Bounds, Coords, Float, Waves, log_uniform, smoothstep
from qc.optics.ink import INKS
from qc.optics.margin import AROUND_UM, depth_in_tissue, mean_density
from qc.optics.patch import OnPatch, Patch
from qc.optics.stain import denser, filtered

_RED_CELL_UM = 7.5
_BLOOD = (0.12, 0.9, 0.55)  # relative optical density of eosinophilic red cells in red, green and blue


@dataclass(frozen=True)
class MarginInk(OnPatch):
    """Ink that a surgeon or pathologist painted on the specimen: in the tissue's plane, along its edge.

    Attributes:
        depth_um: How deep it soaked.
        density: Optical density of full ink in red, green and blue.
        patchy: Where it took, along the edge.
        grains: Its granular look.
    """

    depth_um: float
    density: tuple[float, float, float]
    patchy: Waves
    grains: Waves

    @property
    def halo_um(self) -> float:
        """The edge is looked for this far away."""
        return self.depth_um + AROUND_UM

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with ink on the edges of what is dense."""
        od = mean_density(transmittance)
        deep = depth_in_tissue(od, at.mpp)
        if not np.isfinite(deep).any():
            return transmittance
        taken = np.clip(0.6 + self.patchy(at), 0, 1) * np.clip(0.7 + self.grains(at), 0, 1)
        weight = (1 - smoothstep(deep, 0.3 * self.depth_um, self.depth_um)) * (deep > 0) * taken
        weight *= smoothstep(self.patch.depth_at(at), 0, 20) * np.clip(od / 0.1, 0.3, 1)
        return transmittance * filtered(weight[..., None] * np.asarray(self.density, np.float32))


@dataclass(frozen=True)
class Blood(OnPatch):
    """Red cells where tissue was: a haemorrhage or a congested vessel.

    Attributes:
        density: Mean optical density of full blood.
        gaps: 0 a lake, 1 single cells with light between them.
        cells: Noise at the size of red cells.
    """

    density: float
    gaps: float
    cells: Waves

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with blood instead of tissue."""
        weight = smoothstep(self.patch.depth_at(at), 0, 25)[..., None]
        cells = 1 - self.gaps * (1 - smoothstep(self.cells(at), -0.7, 0.5))
        blood = filtered(cells[..., None] * np.asarray(_BLOOD, np.float32) * np.float32(self.density))
        return transmittance * (1 - weight) + blood * weight


@dataclass(frozen=True)
class Thick(OnPatch):
    """Tissue that is cut thicker or thinner, or holds more or fewer cells: its density changes, but over a long way.

    Attributes:
        gain: Density relative to what it was.
        soft_um: How far the change takes.
    """

    gain: float
    soft_um: float

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with another density."""
        weight = smoothstep(self.patch.depth_at(at), 0, self.soft_um)
        return denser(transmittance, (1 + (self.gain - 1) * weight)[..., None])


def draw_margin_ink(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> MarginInk:
    """Ink of any colour on the edges within about `size_um`."""
    colour = np.array(INKS[str(rng.choice(list(INKS)))]) * float(rng.uniform(0.25, 1.3)) * strength
    depth = log_uniform(15, 150, rng)
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


def draw_thick(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Thick:
    """Tissue of another density, about `size_um` across."""
    soft = max(60.0, size_um * float(rng.uniform(0.2, 0.5)))
    return Thick(Patch.draw(bounds, rng, size_um), 1 + float(rng.uniform(-0.4, 0.8)) * strength, soft)
