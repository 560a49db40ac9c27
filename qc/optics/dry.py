"""Tissue that no medium wets: under a bubble or beyond the cover slip it scatters light instead of passing it.

Dry tissue looks dark, grey and grainy, with a dark fringe outside its borders and bright dots where fibres gather the
light; bare glass in air stays bright. The border between air and medium is a thin dark line.
"""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from qc.optics.artefact import Several
from qc.optics.bubble import SLIDE_UM, Bubble, Interface, SlipEdge
from qc.optics.defocus import blur, disc_kernel
from qc.optics.field import Bounds, Coords, Curve, Float, Waves, log_uniform, smoothstep
from qc.optics.stain import TRANSMITTANCE_FLOOR, filtered

_TABLE_PX = 256
_CELL = 4  # table pixels per grain


@dataclass(frozen=True)
class Grain:
    """Irregular dots, brighter and darker, about `scale_um` wide; the same at a place whichever window asks.

    Attributes:
        scale_um: Width of a dot.
        amplitude: Standard deviation.
        offset_um: Shift of the table that all grains share.
        angle: Its turn, radians.
    """

    scale_um: float
    amplitude: float
    offset_um: tuple[float, float]
    angle: float

    def __call__(self, at: Coords) -> Float:
        """Value at each pixel, (H, W)."""
        step = self.scale_um / _CELL
        c, s = math.cos(self.angle) / step, math.sin(self.angle) / step
        dx, dy = at.x + self.offset_um[0], at.y + self.offset_um[1]
        x, y = (c * dx + s * dy).astype(np.float32), (c * dy - s * dx).astype(np.float32)
        table = _grain_table()
        return self.amplitude * np.asarray(
            cv2.remap(table, x % _TABLE_PX, y % _TABLE_PX, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32
        )


@functools.cache
def _grain_table() -> Float:
    """(N, N) periodic, mean 0, deviation 1: blurred discs, some light ones strong."""
    rng = np.random.default_rng(7)
    table = 0.6 * rng.standard_normal((_TABLE_PX, _TABLE_PX), np.float32)
    table -= np.where(rng.random(table.shape) < 0.02, 5.0, 0.0).astype(np.float32)
    kernel = disc_kernel(_CELL / 2)
    reach = kernel.shape[0]
    table = np.asarray(cv2.filter2D(np.pad(table, reach, "wrap"), -1, kernel), np.float32)[reach:-reach, reach:-reach]
    return (table - table.mean()) / table.std()


@dataclass(frozen=True)
class DryInterface(Interface):
    """A border behind which tissue is dry.

    Attributes:
        scatter: Share of density gained from scattering.
        greyness: 0 keeps the stain's hue, 1 is grey.
        fringe: Strength of the dark fringe outside, and of the bright one inside, tissue borders.
        grain: Relative change of density with features of some micrometres.
    """

    scatter: float
    greyness: float
    fringe: float
    grain: Grain

    @classmethod
    def draw_dry(cls, rng: np.random.Generator, strength: float) -> "DryInterface":
        """Thin to broad lines; tissue from hardly darker to twice as dense, from coloured to grey."""
        grey = float(rng.uniform(0.86, 1.0))
        defocus_um = max(2.0, float(rng.uniform(2, 7)) * strength)
        grain_um = float(rng.uniform(1.5, 3.0)) * max(2.5, defocus_um)
        x, y = rng.uniform(0, 1e4, 2)
        return cls(
            rim_um=log_uniform(2, 14, rng),
            rim_density=float(rng.uniform(0.3, 1.4)) * strength,
            pallor=0.0,
            defocus_um=defocus_um,
            tint=(grey, grey * float(rng.uniform(0.98, 1.0)), grey * float(rng.uniform(0.96, 1.0))),
            scatter=float(rng.uniform(0.1, 0.6)) * strength,
            greyness=float(rng.uniform(0.25, 0.85)),
            fringe=float(rng.uniform(0.2, 1.2)) * strength,
            grain=Grain(grain_um, float(rng.uniform(0.1, 0.4)), (float(x), float(y)), float(rng.uniform(0, 2 * np.pi))),
        )

    @property
    def halo_um(self) -> float:
        """Two blurs, one after the other."""
        return 2.6 * self.defocus_um

    def through(self, transmittance: Float, inside_um: Float, at: Coords) -> Float:
        """The image with air where `inside_um`, the signed distance to the border, is positive."""
        within = smoothstep(inside_um, -0.3 * self.rim_um, 0.3 * self.rim_um)[..., None]
        if not within.any():
            return transmittance
        mixed = transmittance + within * (self._dry(transmittance, at) - transmittance)
        dark = np.exp(-((inside_um / (0.45 * self.rim_um)) ** 2)).astype(np.float32)
        bright = 0.3 * np.exp(-(((inside_um - 1.3 * self.rim_um) / (0.4 * self.rim_um)) ** 2))
        lit = mixed * filtered(self.rim_density * dark)[..., None]
        return lit + bright.astype(np.float32)[..., None] * np.maximum(1 - lit, 0)

    def _dry(self, transmittance: Float, at: Coords) -> Float:
        near = blur(transmittance, self.defocus_um, at.mpp)
        far = blur(near, 1.6 * self.defocus_um, at.mpp)
        near, far = (-np.log10(np.maximum(light, TRANSMITTANCE_FLOOR)) for light in (near, far))
        grey = near.mean(axis=2, keepdims=True)
        coloured = near + self.greyness * (grey - near)
        gain = (1 + self.scatter) * np.exp(self.grain(at))[..., None]
        fringe = self.fringe * (far - near).mean(axis=2, keepdims=True)
        density = np.maximum(coloured * gain + fringe, -0.02)
        return filtered(density.astype(np.float32)) * np.array(self.tint, np.float32)


def draw_dry_bubbles(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to four flat bubbles in a row, the largest about `size_um` long, round to stretched."""
    interface = DryInterface.draw_dry(rng, strength)
    angle, bubbles = float(rng.uniform(0, 2 * np.pi)), []
    away = 0.0
    for index in range(1 + int(rng.integers(0, 4))):
        radius = size_um / 2 if index == 0 else size_um / 2 * float(rng.uniform(0.1, 0.8))
        away += 0.0 if index == 0 else (size_um / 2 + radius) * float(rng.uniform(1.0, 1.4))
        squash = log_uniform(0.6, 1.7, rng)
        bubbles.append(
            Bubble(
                centre=(bounds.centre[0] + math.cos(angle) * away, bounds.centre[1] + math.sin(angle) * away),
                radius_um=radius,
                squash=(squash, 1 / squash),
                wobble=Waves.draw(rng, 1.5 * radius, float(rng.uniform(0.01, 0.09)) * radius),
                interface=interface,
            )
        )
    return Several(tuple(bubbles))


def draw_dry_edge(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> SlipEdge:
    """An edge right across the slide with dry tissue out to 0.3-1 `size_um` beyond it."""
    sway_um = float(rng.choice([0.0, 15.0, 150.0]))
    curve = Curve.draw(rng, bounds.centre, SLIDE_UM, sway=sway_um / SLIDE_UM)
    return SlipEdge(curve, DryInterface.draw_dry(rng, strength), size_um * float(rng.uniform(0.3, 1.0)))
