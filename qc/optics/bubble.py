"""Air under the cover slip: bubbles, the cover slip's edge and the edge of the mounting medium.

Light is bent away at the border between medium and air, so it looks dark with a bright line beside it; beyond it the
refractive index is wrong, so tissue looks grainy, paler and defocused.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from qc.optics.artefact import Several
from qc.optics.defocus import blur
from qc.optics.field import Bounds, Coords, Curve, Float, Mask, Waves, smoothstep
from qc.optics.stain import denser, filtered

SLIDE_UM = 60_000.0  # longer than any tissue: a cover slip's edge does not end on it


@dataclass(frozen=True)
class Interface:
    """How the border and the air behind it look.

    Attributes:
        rim_um: Width of the dark line.
        rim_density: Its optical density.
        pallor: Share of the tissue's density lost in the air.
        defocus_um: Blur radius in the air.
        tint: Transmittance of the air gap in red, green and blue.
    """

    rim_um: float
    rim_density: float
    pallor: float
    defocus_um: float
    tint: tuple[float, float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, strength: float) -> "Interface":
        """Faint to black rims, sharp to badly blurred interiors."""
        grey = float(rng.uniform(0.82, 1.0))
        return cls(
            rim_um=float(rng.uniform(6, 35)),
            rim_density=float(rng.uniform(0.3, 1.8)) * strength,
            pallor=float(rng.uniform(0.05, 0.45)),
            defocus_um=max(2.5, float(rng.uniform(2.5, 9)) * strength),
            tint=(grey, grey * float(rng.uniform(0.97, 1.0)), grey * float(rng.uniform(0.92, 1.0))),
        )

    def through(self, transmittance: Float, inside_um: Float, at: Coords) -> Float:
        """The image with air where `inside_um`, the signed distance to the border, is positive."""
        within = smoothstep(inside_um, -0.2 * self.rim_um, 0.6 * self.rim_um)[..., None]
        if not within.any():
            return transmittance
        air = denser(blur(transmittance, self.defocus_um, at.mpp), 1 - self.pallor)
        mixed = transmittance + within * (air * np.array(self.tint, np.float32) - transmittance)
        dark = np.exp(-(((inside_um - 0.3 * self.rim_um) / (0.4 * self.rim_um)) ** 2))
        dark[np.abs(inside_um) > 1.5 * self.rim_um] = 0
        bright = 0.35 * np.exp(-(((inside_um - 1.1 * self.rim_um) / (0.25 * self.rim_um)) ** 2))
        lit = mixed * filtered(self.rim_density * dark)[..., None]
        return lit + bright[..., None] * (1 - lit)

    @property
    def reach_um(self) -> float:
        """How far outside the border pixels still change."""
        return self.rim_um

    @property
    def halo_um(self) -> float:
        """How far the blur in the air looks."""
        return self.defocus_um


class _Air(ABC):
    """What a bubble and the air beyond a cover slip have in common, whatever their outline."""

    interface: Interface

    @property
    def halo_um(self) -> float:
        """As far as the air looks."""
        return self.interface.halo_um

    @abstractmethod
    def inside_um(self, at: Coords) -> Float:
        """Signed distance to the border, positive in the air."""

    def covers(self, at: Coords) -> Mask:
        """The air and the dark line around it."""
        return self.inside_um(at) > -0.6 * self.interface.rim_um

    def touches(self, at: Coords) -> Mask:
        """The air, the line and the shadow outside it."""
        return self.inside_um(at) > -self.interface.reach_um

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with air in it."""
        return self.interface.through(transmittance, self.inside_um(at), at)


@dataclass(frozen=True)
class Bubble(_Air):
    """One bubble: a wavy disc of air."""

    centre: tuple[float, float]
    radius_um: float
    squash: tuple[float, float]
    wobble: Waves
    interface: Interface

    @property
    def bounds(self) -> Bounds:
        """Around the bubble and its rim."""
        return Bounds.around(self.centre, 1.8 * self.radius_um + 2 * self.interface.rim_um)

    def inside_um(self, at: Coords) -> Float:
        """Signed distance to the border, positive inside."""
        dx, dy = (at.x - self.centre[0]) * self.squash[0], (at.y - self.centre[1]) * self.squash[1]
        return self.radius_um - np.hypot(dx, dy) + self.wobble(at)


@dataclass(frozen=True)
class SlipEdge(_Air):
    """Edge of the cover slip or of the medium: everything on one side lies in air, out to `reach_um`."""

    curve: Curve
    interface: Interface
    reach_um: float

    @property
    def bounds(self) -> Bounds:
        """Around the strip beyond the edge."""
        return Bounds.around(self.curve.centre, self.curve.bounds.diagonal / 2 + self.reach_um)

    def inside_um(self, at: Coords) -> Float:
        """Signed distance to the nearer border of the strip, positive in the air."""
        along, across = self.curve.locate(at)
        return np.minimum(np.minimum(across, self.reach_um - across), -self.curve.beyond_ends(along))


def draw_bubbles(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """A bubble about `size_um` wide in the middle of `bounds`, with up to six small ones around it."""
    interface = Interface.draw(rng, strength)
    bubbles = []
    for index in range(1 + int(rng.integers(0, 7))):
        radius = size_um / 2 if index == 0 else size_um / 2 * float(rng.uniform(0.05, 0.35))
        angle = float(rng.uniform(0, 2 * np.pi))
        away = 0.0 if index == 0 else size_um * float(rng.uniform(0.55, 1.0))
        squash = float(rng.uniform(0.8, 1.25))
        bubbles.append(
            Bubble(
                centre=(
                    bounds.centre[0] + math.cos(angle) * away,
                    bounds.centre[1] + math.sin(angle) * away,
                ),
                radius_um=radius,
                squash=(squash, 1 / squash),
                wobble=Waves.draw(rng, 1.5 * radius, float(rng.uniform(0.01, 0.09)) * radius),
                interface=interface,
            )
        )
    return Several(tuple(bubbles))


def draw_slip_edge(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> SlipEdge:
    """An edge right across the slide with a strip of air 0.3-1 `size_um` wide beyond it."""
    sway_um = float(rng.choice([15.0, 150.0]))
    curve = Curve.draw(rng, bounds.centre, SLIDE_UM, sway=sway_um / SLIDE_UM)
    return SlipEdge(curve, Interface.draw(rng, strength), size_um * float(rng.uniform(0.3, 1.0)))
