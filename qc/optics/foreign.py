"""Things that do not belong on the slide: dust, dark debris, textile fibres and squames.

They lie above the tissue, so most are a little out of focus; edges refract, which gives dark rims beside bright ones.
"""

import math
from dataclasses import dataclass

import numpy as np

from qc.optics.artefact import VISIBLE, Several
from qc.optics.field import Bounds, Coords, Curve, Float, Mask, Waves, log_uniform, smoothstep
from qc.optics.stain import filtered


@dataclass(frozen=True)
class Material:
    """What a foreign body does to light.

    Attributes:
        density: Optical density of its body in red, green and blue.
        rim_density: Additional density along its border, from refraction.
        rim_um: Width of that border.
        gleam: Share of light added beside the border, 0-1.
        soft_um: Width over which its edge fades, from lying out of focus.
    """

    density: tuple[float, float, float]
    rim_density: float
    rim_um: float
    gleam: float
    soft_um: float

    def over(self, transmittance: Float, inside_um: Float) -> Float:
        """The image under the body, given the signed distance to its border (positive inside)."""
        body, rim, gleam = self.layers(inside_um)
        density = body[..., None] * np.array(self.density, np.float32) + rim[..., None]
        lit = transmittance * filtered(density)
        return lit + gleam[..., None] * (1 - lit)

    def layers(self, inside_um: Float) -> tuple[Float, Float, Float]:
        """Body (0-1), rim density and gleam, all zero beyond `reach_um` outside the border."""
        near = inside_um > -self.reach_um
        body = smoothstep(inside_um, -self.soft_um, self.soft_um)
        width = self.rim_um + self.soft_um / 2
        rim = self.rim_density * np.exp(-((inside_um / width) ** 2)) * near
        gleam = self.gleam * np.exp(-(((inside_um - 2 * width) / width) ** 2)) * near
        return body, rim.astype(np.float32), gleam.astype(np.float32)

    def change(self, inside_um: Float) -> Float:
        """About the share of light it takes or adds at each pixel, 0-1."""
        body, rim, gleam = self.layers(inside_um)
        return np.maximum(1 - filtered(body * max(self.density) + rim), gleam)

    @property
    def reach_um(self) -> float:
        """How far outside the border pixels still change."""
        return 2 * self.rim_um + 2 * self.soft_um


@dataclass(frozen=True)
class Body:
    """A speck, a squame or a length of fibre; `wobble` roughens its outline and `grain` its density."""

    outline: "Blob | Thread"
    material: Material

    @property
    def bounds(self) -> Bounds:
        """Around the body and its rim."""
        return self.outline.bounds.grown(self.material.reach_um)

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours."""
        return 0.0

    def covers(self, at: Coords) -> Mask:
        """Inside the outline, and where its rim takes or adds at least 8 % of the light."""
        inside = self.outline.inside_um(at)
        return (inside > 0) | (self.material.change(inside) > 4 * VISIBLE)

    def touches(self, at: Coords) -> Mask:
        """Where any light is taken or added."""
        return self.outline.inside_um(at) > -self.material.reach_um

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image under the body."""
        return self.material.over(transmittance, self.outline.inside_um(at))


@dataclass(frozen=True)
class Blob:
    """A wavy ellipse."""

    centre: tuple[float, float]
    half_axes: tuple[float, float]
    angle: float
    wobble: Waves

    @property
    def bounds(self) -> Bounds:
        """A square around it, with its lobes."""
        reach = 1 + self.wobble.most / min(self.half_axes)
        return Bounds.around(self.centre, max(1.8, reach) * max(self.half_axes))

    def inside_um(self, at: Coords) -> Float:
        """Signed distance to the border (about), positive inside."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        dx, dy = at.x - self.centre[0], at.y - self.centre[1]
        r = np.hypot((c * dx + s * dy) / self.half_axes[0], (c * dy - s * dx) / self.half_axes[1])
        return ((1 - r) * min(self.half_axes) + self.wobble(at)).astype(np.float32)


@dataclass(frozen=True)
class Thread:
    """A curve with a width."""

    curve: Curve
    width_um: float
    swell: Waves

    @property
    def bounds(self) -> Bounds:
        """A square around it."""
        return self.curve.bounds.grown(self.width_um)

    def inside_um(self, at: Coords) -> Float:
        """Signed distance to the border, positive inside."""
        along, across = self.curve.locate(at)
        half = self.width_um / 2 + self.swell.along(along)
        return np.minimum(half - np.abs(across), -self.curve.beyond_ends(along))


def draw_speck(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Body:
    """Dust, soot or pigment about `size_um` wide, grey to black, sharp to quite blurred."""
    aspect, shade = float(rng.uniform(0.5, 1.0)), log_uniform(0.25, 2.2, rng) * strength
    warm = rng.uniform(0.85, 1.15, 3) * (1.0, 1.05, 1.15)
    half = (size_um / 2, size_um / 2 * aspect)
    return Body(
        Blob(bounds.centre, half, float(rng.uniform(0, np.pi)), Waves.draw(rng, 0.7 * size_um, 0.09 * size_um)),
        Material(
            density=(float(shade * warm[0]), float(shade * warm[1]), float(shade * warm[2])),
            rim_density=float(rng.uniform(0, 0.4)),
            rim_um=float(rng.uniform(1, 4)),
            gleam=float(rng.choice([0.0, 0.4])),
            soft_um=log_uniform(0.8, 0.25 * size_um + 1.5, rng),
        ),
    )


def draw_fibre(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Body:
    """A textile fibre about `size_um` long, colourless or dyed, with dark refracting borders."""
    dye = np.array([(0.0, 0.0, 0.0), (0.5, 0.3, 0.05), (0.05, 0.4, 0.35), (0.6, 0.6, 0.6), (0.1, 0.2, 0.35)])
    density = dye[int(rng.integers(len(dye)))] * float(rng.uniform(0.4, 1.5)) * strength
    width = float(rng.uniform(7, 24))
    return Body(
        Thread(
            Curve.draw(rng, bounds.centre, size_um, sway=float(rng.uniform(0.02, 0.16))),
            width,
            Waves.draw(rng, 80.0, 0.08 * width),
        ),
        Material(
            density=(float(density[0]), float(density[1]), float(density[2])),
            rim_density=float(rng.uniform(0.25, 0.9)) * strength,
            rim_um=float(rng.uniform(1.2, 3)),
            gleam=float(rng.uniform(0.1, 0.5)),
            soft_um=float(rng.uniform(0.8, 6)),
        ),
    )


def draw_squame(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Body:
    """A flake of skin: pale, angular, with a thin refracting border."""
    density = np.array((0.05, 0.14, 0.1)) * float(rng.uniform(0.5, 2.0)) * strength
    half = (size_um / 2, size_um / 2 * float(rng.uniform(0.6, 1.0)))
    return Body(
        Blob(bounds.centre, half, float(rng.uniform(0, np.pi)), Waves.draw(rng, 0.9 * size_um, 0.12 * size_um)),
        Material(
            density=(float(density[0]), float(density[1]), float(density[2])),
            rim_density=float(rng.uniform(0.1, 0.35)),
            rim_um=float(rng.uniform(0.8, 2)),
            gleam=float(rng.uniform(0.1, 0.4)),
            soft_um=float(rng.uniform(0.8, 3)),
        ),
    )


def draw_foreign(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """Dust, a fibre or squames, about `size_um` across together."""
    kind = str(rng.choice(["speck", "specks", "fibre", "squames"]))
    if kind == "fibre":
        return Several((draw_fibre(bounds, rng, 3 * size_um, strength),))
    if kind == "speck":
        return Several((draw_speck(bounds, rng, size_um, strength),))
    draw, low, high = (draw_speck, 8.0, 45.0) if kind == "specks" else (draw_squame, 25.0, 60.0)
    bodies = []
    for _ in range(int(rng.integers(3, 16))):
        x, y = rng.normal(0, 0.4 * size_um, 2)
        near = Bounds.around((bounds.centre[0] + float(x), bounds.centre[1] + float(y)), 1.0)
        bodies.append(draw(near, rng, log_uniform(low, high, rng), strength))
    return Several(tuple(bodies))
