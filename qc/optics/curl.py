"""Curled edges: the margin of a section rolls up, so that a band along it lies double behind a dark line."""

from dataclasses import dataclass

import cv2
import numpy as np

from qc.optics.defocus import blur
from qc.optics.field import Bounds, Coords, Float, Mask, Waves, log_uniform, smoothstep
from qc.optics.margin import AROUND_UM, depth_in_tissue, mean_density
from qc.optics.patch import OnPatch, Patch
from qc.optics.stain import denser

_LEAST_DEPTH_UM = 40.0
_NEAR = 1.5  # in depths


@dataclass(frozen=True)
class Curl(OnPatch):
    """A band of doubled tissue along the margin.

    Attributes:
        patch: Where the margin is curled.
        width_um: Of the band.
        layers: That lie on top; 1 doubles the density.
        soft_um: Width of the band's inner slope.
        line: Layers more along the very edge, where tissue stands upright.
        line_um: Width of that line.
        defocus_um: Blur radius on the band.
        uneven: How the width varies along the margin, um.
    """

    width_um: float
    layers: float
    soft_um: float
    line: float
    line_um: float
    defocus_um: float
    uneven: Waves

    @property
    def halo_um(self) -> float:
        """The margin, and tissue that is deep enough, are looked for this far away."""
        return (1 + _NEAR) * max(_LEAST_DEPTH_UM, 2 * self.width_um) + AROUND_UM + self.defocus_um

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with its margin rolled up."""
        deep = depth_in_tissue(mean_density(transmittance), at.mpp) - AROUND_UM / 2  # it is found a little outside
        if not np.isfinite(deep).any():
            return transmittance
        width = np.clip(self.width_um + self.uneven(at), 0.3 * self.width_um, 2 * self.width_um)
        here = (
            smoothstep(self.patch.depth_at(at), 0, 20) * (deep > -AROUND_UM / 2) * _solid(deep, self.width_um, at.mpp)
        )
        band = here * (1 - smoothstep(deep - width, -self.soft_um, 0.0))
        edge = here * np.exp(-((deep / self.line_um) ** 2))
        rolled = denser(transmittance, (1 + self.layers * band + self.line * edge)[..., None])
        return rolled + band[..., None] * (blur(rolled, self.defocus_um, at.mpp) - rolled)


def _solid(deep: Float, width_um: float, mpp: float) -> Mask:
    """Near tissue that is deep enough to roll up: strands of fat do not."""
    least = max(_LEAST_DEPTH_UM, width_um)
    side = 2 * round(_NEAR * least / mpp) + 1
    return cv2.dilate(deep, np.ones((side, side), np.uint8)) > least


def draw_curl(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Curl:
    """A margin curled over about `size_um`."""
    width = log_uniform(12, min(120.0, 0.4 * size_um), rng)
    return Curl(
        patch=Patch.draw(bounds, rng, size_um),
        width_um=width,
        layers=float(rng.uniform(0.6, 1.6)) * strength,
        soft_um=float(rng.uniform(1.0, 0.4 * width + 1.0)),
        line=float(rng.uniform(0, 1.5)) * strength,
        line_um=float(rng.uniform(2, 7)),
        defocus_um=float(rng.uniform(0.3, 2.5)),
        uneven=Waves.draw(rng, float(rng.uniform(60, 200)), 0.25 * width),
    )
