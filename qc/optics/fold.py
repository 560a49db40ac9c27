"""Folds and wrinkles: tissue lies on itself, so its optical density is added to that of what it covers.

The covering layer is mirrored about the fold line; one side of the band is sharp, the other soft, and the
thickness lifts it slightly out of focus.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from qc.optics.artefact import Several
from qc.optics.defocus import blur
from qc.optics.field import Bounds, Coords, Curve, Float, Mask, Waves, log_uniform, smoothstep
from qc.optics.stain import denser

_MIRROR_LIMIT_UM = 20.0  # deeper than this nobody can tell what the covering layer was mirrored from


@dataclass(frozen=True)
class Fold:
    """A band of doubled tissue on one side of a curve.

    Attributes:
        width_um: Of the band in its middle; it tapers to its ends.
        layers: Covering layers; 1 doubles the density, 2 is a Z-fold.
        soft_um: Width of the soft side's slope.
        defocus_um: Blur radius on the band.
    """

    curve: Curve
    width_um: float
    layers: float
    soft_um: float
    defocus_um: float
    raggedness: Waves

    @property
    def bounds(self) -> Bounds:
        """Around the band."""
        return self.curve.bounds.grown(2 * self.width_um)

    @property
    def halo_um(self) -> float:
        """The mirror looks this far."""
        return 2 * _MIRROR_LIMIT_UM + self.defocus_um

    def weight_at(self, at: Coords) -> tuple[Float, Float]:
        """How much of the covering layers lies on each pixel (0-1), and the distance across, um."""
        along, across = self.curve.locate(at)
        reach = np.clip(1 - (along / self.curve.half_length_um) ** 2, 0, 1)
        width = self.width_um * np.sqrt(reach) + self.raggedness.along(along)
        soft = max(self.soft_um, 1.0)
        far_side = 1 - smoothstep(across - width, -soft, 0.0)
        weight = smoothstep(across, -1.0, 1.0) * far_side
        return np.where((reach > 0) & (width > 2.0), weight, np.float32(0)).astype(np.float32), across

    def covers(self, at: Coords) -> Mask:
        """Where at least a tenth of a layer lies on top."""
        return self.weight_at(at)[0] > 0.1

    def touches(self, at: Coords) -> Mask:
        """Where any of the covering layer lies."""
        return self.weight_at(at)[0] > 0

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image under the covering layers."""
        weight, across = self.weight_at(at)
        if not weight.any():
            return transmittance
        cover = self._mirrored(transmittance, across, at.mpp)
        doubled = transmittance * denser(cover, (self.layers * weight)[..., None])
        soft = blur(doubled, self.defocus_um, at.mpp)
        return doubled + weight[..., None] * (soft - doubled)

    def _mirrored(self, image: Float, across: Float, mpp: float) -> Float:
        shift = -2 * np.clip(across, 0, _MIRROR_LIMIT_UM) / mpp
        rows, columns = np.indices(across.shape, np.float32)
        x = columns - math.sin(self.curve.angle) * shift
        y = rows + math.cos(self.curve.angle) * shift
        x, y = x.astype(np.float32), y.astype(np.float32)
        return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def draw_fold(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Fold:
    """One fold about `size_um` long through the middle of `bounds`; `strength` scales the layers."""
    width = float(np.clip(rng.lognormal(np.log(80), 0.6), 15, 0.35 * size_um + 15))
    return Fold(
        curve=Curve.draw(rng, bounds.centre, size_um, sway=float(rng.uniform(0.01, 0.06))),
        width_um=width,
        layers=float(rng.uniform(0.8, 1.6)) * strength,
        soft_um=float(rng.uniform(0.1, 0.5)) * width,
        defocus_um=float(rng.uniform(0.4, 3.0)),
        raggedness=Waves.draw(rng, 120.0, 0.12 * width),
    )


def draw_wrinkles(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """Two to five narrow folds side by side, nearly parallel."""
    first = draw_fold(bounds, rng, size_um, strength)
    folds = []
    offset = 0.0
    for _ in range(int(rng.integers(2, 6))):
        angle = first.curve.angle + float(rng.normal(0, 0.08))
        centre = (
            bounds.centre[0] - math.sin(angle) * offset + float(rng.normal(0, 40)),
            bounds.centre[1] + math.cos(angle) * offset + float(rng.normal(0, 40)),
        )
        length = size_um * float(rng.uniform(0.4, 1.0))
        sway = Waves.draw(rng, length / 2, 0.02 * length, count=4)
        width = float(rng.uniform(10, 28))
        folds.append(
            Fold(
                curve=Curve(centre, angle, length / 2, sway, first.curve.bend_per_um),
                width_um=width,
                layers=first.layers,
                soft_um=0.5 * width,
                defocus_um=float(rng.uniform(0.3, 1.5)),
                raggedness=Waves.draw(rng, 90.0, 0.15 * width),
            )
        )
        offset += float(rng.uniform(40, 160))
    return Several(tuple(folds))


def draw_creases(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to three sharp, narrow, dark folds, nearly parallel."""
    return _creases(bounds, rng, size_um, typical_um=22, layers=lambda: float(rng.uniform(1.0, 2.4)) * strength)


def draw_faint_creases(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """One to three lines along which tissue is pressed together, hardly darker than what lies beside them."""
    return _creases(bounds, rng, size_um, typical_um=14, layers=lambda: log_uniform(0.25, 1.0, rng) * strength)


def _creases(
    bounds: Bounds, rng: np.random.Generator, size_um: float, typical_um: float, layers: Callable[[], float]
) -> Several:
    folds = []
    angle = float(rng.uniform(0, np.pi))
    for _ in range(int(rng.integers(1, 4))):
        width = float(np.clip(rng.lognormal(np.log(typical_um), 0.6), 8, 120))
        near = bounds.centre[0] + float(rng.normal(0, 0.25)) * size_um, bounds.centre[1]
        length = size_um * float(rng.uniform(0.5, 1.1))
        course = Curve.draw(rng, near, length, sway=float(rng.uniform(0.0, 0.03)))
        folds.append(
            Fold(
                curve=replace(course, angle=angle + float(rng.normal(0, 0.25))),
                width_um=width,
                layers=layers(),
                soft_um=float(rng.uniform(1.0, 0.2 * width + 1.5)),
                defocus_um=float(rng.uniform(0.2, 1.6)),
                raggedness=Waves.draw(rng, float(rng.uniform(30, 150)), 0.12 * width),
            )
        )
    return Several(tuple(folds))


def draw_flap(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> Several:
    """A wide piece of tissue turned over onto the rest, with a dark line along which it turns."""
    curve = Curve.draw(rng, bounds.centre, size_um, sway=float(rng.uniform(0.0, 0.03)))
    wide, narrow = size_um * float(rng.uniform(0.15, 0.5)), float(rng.uniform(8, 20))
    layers = float(rng.uniform(0.6, 1.2)) * strength
    flap = Fold(
        curve=curve,
        width_um=wide,
        layers=layers,
        soft_um=float(rng.uniform(1.0, 6.0)),
        defocus_um=float(rng.uniform(0.3, 2.0)),
        raggedness=Waves.draw(rng, 150.0, 0.1 * wide),
    )
    turn = replace(flap, width_um=narrow, layers=layers * float(rng.uniform(0.5, 1.5)), raggedness=Waves(()))
    return Several((flap, turn))
