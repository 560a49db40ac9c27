"""Marker ink: a coloured filter on the cover slip that multiplies transmittance.

It lies a tenth of a millimetre off the focal plane, so its edges are soft; felt tips leave streaks along the stroke.
"""

from dataclasses import dataclass

import numpy as np

from qc.optics.artefact import VISIBLE, Several
from qc.optics.field import Bounds, Coords, Curve, Float, Mask, Waves, log_uniform, smoothstep
from qc.optics.stain import filtered

# Relative optical density in red, green and blue.
INKS = {
    "blue": (1.0, 0.75, 0.12),
    "green": (1.0, 0.22, 0.62),
    "black": (1.0, 1.0, 0.96),
    "red": (0.08, 1.0, 0.85),
    "purple": (0.62, 1.0, 0.22),
    "brown": (0.45, 0.8, 1.0),
    "turquoise": (1.0, 0.22, 0.2),
    "yellow": (0.02, 0.12, 1.0),
}


@dataclass(frozen=True)
class Ring:
    """A closed, wavy loop around a centre, located like a `Curve`."""

    centre: tuple[float, float]
    radius_um: float
    sway: Waves

    def locate(self, at: Coords) -> tuple[Float, Float]:
        """Distance along from three o'clock and signed distance across, both (H, W) in um."""
        dx, dy = at.x - self.centre[0], at.y - self.centre[1]
        along = np.arctan2(dy, dx) * self.radius_um
        return along.astype(np.float32), np.hypot(dx, dy) - self.radius_um + self.sway(at)

    def beyond_ends(self, along: Float) -> Float:
        """A ring has no ends."""
        return np.full_like(along, -1e6)

    @property
    def bounds(self) -> Bounds:
        """A square around the ring, without its width."""
        return Bounds.around(self.centre, self.radius_um + self.sway.most)


@dataclass(frozen=True)
class Stroke:
    """One pull of a marker.

    Attributes:
        density: Optical density of full ink in red, green and blue.
        soft_um: Width over which the edge fades.
        streaks: 0 even, 1 streaks down to bare glass.
    """

    path: Curve | Ring
    width_um: float
    density: tuple[float, float, float]
    soft_um: float
    streaks: float
    felt: Waves
    pooling: Waves

    @property
    def bounds(self) -> Bounds:
        """Around the stroke and its soft edges."""
        return self.path.bounds.grown(self.width_um + 2 * self.soft_um)

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours."""
        return 0.0

    def amount_at(self, at: Coords) -> Float:
        """Ink per area, (H, W): 0 none, 1 full."""
        along, across = self.path.locate(at)
        beyond_side = np.abs(across + self.pooling(at) * 0.1) - self.width_um / 2
        outside = np.maximum(beyond_side, self.path.beyond_ends(along) + 0.02 * across * across / self.width_um)
        body = 1 - smoothstep(outside, -self.soft_um, self.soft_um)
        felt = 0.5 + 0.5 * np.sin(self.felt.along(across + 0.01 * self.pooling(at)))
        edge = 0.25 * np.exp(-(((outside + self.soft_um) / (self.soft_um + 0.05 * self.width_um)) ** 2))
        pool = 1 + 0.004 * np.clip(self.pooling(at), -50, 50)
        return (body * (1 - self.streaks * felt + edge) * pool).astype(np.float32)

    def covers(self, at: Coords) -> Mask:
        """Where the ink takes at least 4 % of the light of its strongest colour."""
        return self.amount_at(at) * max(self.density) > 0.018

    def touches(self, at: Coords) -> Mask:
        """Where there is any ink."""
        return self.amount_at(at) > VISIBLE / 10

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image through the ink."""
        density = self.amount_at(at)[..., None] * np.array(self.density, np.float32)
        return transmittance * filtered(density)


def draw_stroke(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Stroke:
    """A line, dash, dot or ring about `size_um` long in a random colour, translucent to opaque."""
    hue = np.array(INKS[str(rng.choice(list(INKS)))], np.float32)
    density = hue * log_uniform(0.15, 2.0, rng) * strength
    width = float(np.clip(rng.lognormal(np.log(350), 0.5), 60, max(80.0, 0.6 * size_um)))
    path: Curve | Ring
    if rng.random() < 0.25:
        radius = size_um / 4
        path = Ring(bounds.centre, radius, Waves.draw(rng, radius, 0.08 * radius))
    else:
        path = Curve.draw(rng, bounds.centre, size_um, sway=float(rng.uniform(0.01, 0.08)))
    return Stroke(
        path=path,
        width_um=width,
        density=(float(density[0]), float(density[1]), float(density[2])),
        soft_um=float(rng.uniform(6, 35)),
        streaks=float(rng.uniform(0, 0.6)),
        felt=Waves.draw(rng, width / float(rng.uniform(2, 8)), 2.5),
        pooling=Waves.draw(rng, 200.0, 40.0),
    )


def draw_ink(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to three strokes of one visit with the pen."""
    strokes = [draw_stroke(bounds, rng, size_um, strength)]
    for _ in range(int(rng.integers(0, 3))):
        near = Bounds.around(
            (
                bounds.centre[0] + float(rng.normal(0, 0.2)) * size_um,
                bounds.centre[1] + float(rng.normal(0, 0.2)) * size_um,
            ),
            1.0,
        )
        again = draw_stroke(near, rng, size_um * float(rng.uniform(0.4, 1.0)), strength)
        strokes.append(
            Stroke(
                again.path,
                strokes[0].width_um,
                strokes[0].density,
                again.soft_um,
                again.streaks,
                again.felt,
                again.pooling,
            )
        )
    return Several(tuple(strokes))
