"""Tears, cracks and knife chatter: tissue that the knife or drying took apart, so that glass shows through."""

import math
from dataclasses import dataclass, replace

import numpy as np

from qc.optics.artefact import Several
from qc.optics.field import Bounds, Coords, Curve, Float, Mask, Waves, log_uniform, smoothstep
from qc.optics.stain import denser

_NOWHERE = Waves(())
_MARGIN_UM = 6.0  # torn borders curl up and look darker


@dataclass(frozen=True)
class Tear:
    """A crack with ragged borders; it narrows to its ends."""

    curve: Curve
    width_um: float
    raggedness: Waves

    @property
    def bounds(self) -> Bounds:
        """Around the crack and its margins."""
        return self.curve.bounds.grown(2 * self.width_um + _MARGIN_UM)

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours."""
        return 0.0

    def outside_um(self, at: Coords) -> Float:
        """Distance to the crack's border, um; negative where the glass is bare."""
        along, across = self.curve.locate(at)
        reach = np.clip(1 - (along / self.curve.half_length_um) ** 2, 0, 1)
        half = (self.width_um / 2 + self.raggedness.along(along)) * np.sqrt(reach)
        return np.where((reach > 0) & (half > 0.5), np.abs(across) - half, np.float32(1e3)).astype(np.float32)

    def covers(self, at: Coords) -> Mask:
        """The crack and its curled margins."""
        return self.outside_um(at) < _MARGIN_UM / 2

    def touches(self, at: Coords) -> Mask:
        """The crack and its whole margins."""
        return self.outside_um(at) < _MARGIN_UM

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """Bare glass in the crack, denser tissue along it."""
        outside = self.outside_um(at)
        curl = np.clip(1 - np.abs(outside - 1) / (_MARGIN_UM - 1), 0, 1)
        density = (1 + 0.5 * curl) * smoothstep(outside, -max(1.0, at.mpp), max(1.0, at.mpp) * 0.5)
        return denser(transmittance, density[..., None])


@dataclass(frozen=True)
class Chatter:
    """Venetian-blind lines of a vibrating knife: thick and thin stripes, the thinnest torn open."""

    bounds: Bounds
    angle: float
    period_um: float
    depth: float
    slit: float
    sway: Waves
    shape: Waves
    breaks: Waves = _NOWHERE  # where slits open and close along a stripe

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours."""
        return 0.0

    def strength_at(self, at: Coords) -> Float:
        """0 outside, 1 well inside the affected field."""
        (cx, cy), radius = self.bounds.centre, (self.bounds.x1 - self.bounds.x0) / 2
        distance = np.hypot(at.x - cx, at.y - cy) + self.shape(at)
        return 1 - smoothstep(distance, 0.75 * radius, 0.95 * radius)

    def covers(self, at: Coords) -> Mask:
        """The field where stripes reach a third of their full depth; tissue between them counts."""
        return self.strength_at(at) > 1 / 3

    def touches(self, at: Coords) -> Mask:
        """The whole field."""
        return self.strength_at(at) > 0

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The striped image."""
        across = math.cos(self.angle) * at.x + math.sin(self.angle) * at.y + self.sway(at)
        phase = np.sin(2 * np.pi / self.period_um * across)
        strength = self.strength_at(at)
        density = 1 + strength * self.depth * phase
        density = density * (1 - strength * _opened(-phase, self.slit + self.breaks(at)))
        return denser(transmittance, density.astype(np.float32)[..., None])


def _opened(phase: Float, slit: Float) -> Float:
    """1 where a stripe is torn open: from `slit` on, gradually over a tenth."""
    t = np.clip((phase - slit) / np.clip(1 - slit, 1e-3, 0.1), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def draw_tear(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to four branching cracks about `size_um` long."""
    cracks = []
    for _ in range(int(rng.integers(1, 5))):
        length = size_um * float(rng.uniform(0.3, 1.0))
        width = float(np.clip(rng.lognormal(np.log(14), 0.5) * strength, 4, 40))
        centre = (
            bounds.centre[0] + float(rng.normal(0, 0.15)) * size_um,
            bounds.centre[1] + float(rng.normal(0, 0.15)) * size_um,
        )
        cracks.append(Tear(Curve.draw(rng, centre, length, 0.05), width, Waves.draw(rng, 40.0, 0.18 * width)))
    return Several(tuple(cracks))


def draw_chatter(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Chatter:
    """A striped field about `size_um` wide with lines 25-110 um apart."""
    period = float(rng.uniform(25, 110))
    return Chatter(
        bounds=Bounds.around(bounds.centre, 0.65 * size_um),
        angle=float(rng.uniform(0, np.pi)),
        period_um=period,
        depth=min(0.9, float(rng.uniform(0.3, 0.7)) * strength),
        slit=float(rng.uniform(0.8, 1.0)),
        sway=Waves.draw(rng, 10 * period, 0.35 * period),
        shape=Waves.draw(rng, size_um / 2, 0.06 * size_um),
    )


def draw_cracks(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to three jagged cracks about `size_um` long, hair-thin to gaping."""
    cracks = []
    for _ in range(int(rng.integers(1, 4))):
        length = size_um * float(rng.uniform(0.4, 1.0))
        width = float(np.clip(rng.lognormal(np.log(12), 0.8) * strength, 3, 80))
        centre = (
            bounds.centre[0] + float(rng.normal(0, 0.2)) * size_um,
            bounds.centre[1] + float(rng.normal(0, 0.2)) * size_um,
        )
        course = Curve.draw(rng, centre, length, float(rng.uniform(0.01, 0.06)))
        jag_um = float(rng.uniform(25, 120))
        jags = Waves.draw(rng, jag_um, min(0.06 * jag_um, 0.4 * width + 1.0), count=7)  # steeper ones look like saws
        cracks.append(Tear(replace(course, sway=_both(course.sway, jags)), width, _jagged(width, rng)))
    return Several(tuple(cracks))


def _jagged(width_um: float, rng: np.random.Generator) -> Waves:
    """Roughness from frayed fibres up to bays wider than the crack."""
    bay_um = max(60.0, 5 * width_um)
    bays = Waves.draw(rng, bay_um, min(0.05 * bay_um, 0.4 * width_um), count=6)
    return _both(bays, Waves.draw(rng, 14.0, min(0.8, 0.1 * width_um), count=6))


def _both(first: Waves, second: Waves) -> Waves:
    return Waves(first.rows + second.rows)


def draw_blinds(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Chatter:
    """Chatter whose slits open here and there only; its stripes from fine and faint to coarse."""
    chatter = draw_chatter(bounds, rng, size_um, strength)
    period = log_uniform(14, 110, rng)
    return replace(
        chatter,
        period_um=period,
        depth=min(0.8, float(rng.uniform(0.12, 0.5)) * strength),
        slit=float(rng.uniform(0.9, 1.5)),
        sway=Waves.draw(rng, 10 * period, 0.35 * period),
        breaks=Waves.draw(rng, float(rng.uniform(60, 300)), 0.25, count=9),
    )
