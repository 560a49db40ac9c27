"""Smooth fields over the slide as functions of micrometres, so that any window at any mpp sees the same artefact."""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

_TABLE_STEP_UM = 0.25


@dataclass(frozen=True)
class Bounds:
    """A rectangle in micrometres from the slide's top left corner."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def diagonal(self) -> float:
        """Length of the diagonal in um."""
        return float(np.hypot(self.x1 - self.x0, self.y1 - self.y0))

    def grown(self, by_um: float) -> "Bounds":
        """The rectangle with `by_um` more on each side."""
        return Bounds(self.x0 - by_um, self.y0 - by_um, self.x1 + by_um, self.y1 + by_um)

    def overlaps(self, other: "Bounds") -> bool:
        """True when the two share an area."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    @classmethod
    def around(cls, centre: tuple[float, float], reach: float) -> Self:
        """A square that reaches `reach` um from `centre`."""
        return cls(centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)


@dataclass(frozen=True)
class Coords:
    """Pixel centres in micrometres: x (1, W) and y (H, 1), to be broadcast; `mpp` apart."""

    x: Float
    y: Float
    mpp: float

    @classmethod
    def of(cls, shape: tuple[int, ...], mpp: float, x0_um: float = 0.0, y0_um: float = 0.0) -> Self:
        """Coordinates of an array of shape (H, W[, C]) whose corner lies at (x0_um, y0_um)."""
        x = x0_um + (np.arange(shape[1], dtype=np.float32) + 0.5) * mpp
        y = y0_um + (np.arange(shape[0], dtype=np.float32) + 0.5) * mpp
        return cls(x[None, :].astype(np.float32), y[:, None].astype(np.float32), mpp)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.y.shape[0], self.x.shape[1]

    def window(self, rows: slice, columns: slice) -> "Coords":
        """Coordinates of a part; slices without step."""
        return Coords(self.x[:, columns], self.y[rows], self.mpp)

    def thinned(self, step: int) -> "Coords":
        """Every `step`-th row and column, and always the last."""
        x = np.append(self.x[:, ::step], self.x[:, -1:], axis=1)
        return Coords(x, np.append(self.y[::step], self.y[-1:], axis=0), self.mpp * step)

    @property
    def bounds(self) -> Bounds:
        """Rectangle of the pixel centres."""
        return Bounds(float(self.x[0, 0]), float(self.y[0, 0]), float(self.x[0, -1]), float(self.y[-1, 0]))


@dataclass(frozen=True)
class Waves:
    """A sum of plane waves: smooth noise with a length scale; every row is (kx, ky, phase, amplitude)."""

    rows: tuple[tuple[float, float, float, float], ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, scale_um: float, amplitude_um: float, count: int = 5) -> Self:
        """Noise with features of about `scale_um` and a standard deviation of about `amplitude_um`."""
        angle = rng.uniform(0, 2 * np.pi, count)
        length = scale_um * rng.uniform(0.6, 2.0, count)
        phase = rng.uniform(0, 2 * np.pi, count)
        weight = length / np.sqrt(np.sum(length**2) / 2)
        k = 2 * np.pi / length
        rows = np.stack([k * np.cos(angle), k * np.sin(angle), phase, amplitude_um * weight], axis=1)
        return cls(tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in rows))

    @property
    def most(self) -> float:
        """What no value exceeds, whatever its sign."""
        return sum(abs(row[3]) for row in self.rows)

    def __call__(self, at: Coords) -> Float:
        """Value at each pixel, (H, W)."""
        total = np.zeros(at.shape, np.float32)
        for kx, ky, phase, amplitude in self.rows:
            # sin(a + b) by rows and columns: two small tables instead of one sine per pixel
            a, b = kx * at.x + phase, ky * at.y
            total += amplitude * (np.sin(a) * np.cos(b) + np.cos(a) * np.sin(b))
        return total

    def along(self, s: Float) -> Float:
        """The same noise along a line parameter of any shape; read from a table with steps of `_TABLE_STEP_UM`."""
        low = float(s.min()) if s.size else 0.0
        places = ((s - low) * (1 / _TABLE_STEP_UM)).astype(np.int32)
        grid = low + _TABLE_STEP_UM * np.arange(int(places.max(initial=0)) + 1)
        table = np.zeros(len(grid), np.float32)
        for kx, ky, phase, amplitude in self.rows:
            table += amplitude * np.sin(math.hypot(kx, ky) * grid + phase)
        return table[places]


@dataclass(frozen=True)
class Curve:
    """A wavy line of finite length; `locate` gives the place along and across it."""

    centre: tuple[float, float]
    angle: float
    half_length_um: float
    sway: Waves
    bend_per_um: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, centre: tuple[float, float], length_um: float, sway: float = 0.04) -> Self:
        """A line of `length_um` through `centre` in any direction; `sway` is relative to the length."""
        return cls(
            centre=centre,
            angle=float(rng.uniform(0, np.pi)),
            half_length_um=length_um / 2,
            sway=Waves.draw(rng, length_um / 2, sway * length_um, count=4),
            bend_per_um=float(rng.normal(0, 0.25)) / length_um,
        )

    def locate(self, at: Coords) -> tuple[Float, Float]:
        """Distance along (from the middle) and signed distance across, both (H, W) in um."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        dx, dy = at.x - self.centre[0], at.y - self.centre[1]
        along, across = c * dx + s * dy, c * dy - s * dx
        return along, across - self.sway.along(along) - self.bend_per_um * along * along

    def beyond_ends(self, along: Float) -> Float:
        """How far past an end, um; negative between the ends."""
        return np.abs(along) - self.half_length_um

    @property
    def bounds(self) -> Bounds:
        """A square around the line, without its width."""
        drift = 3 * self.sway.most / 2 + abs(self.bend_per_um) * self.half_length_um**2
        return Bounds.around(self.centre, self.half_length_um + drift)


def darkest(light: Float) -> Float:
    """(H, W): the least of three channels; several times faster than a reduction over so short an axis."""
    return np.minimum(np.minimum(light[..., 0], light[..., 1]), light[..., 2])


def smoothstep(value: Float, low: float, high: float) -> Float:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """A number between `low` and `high`, every factor alike; `low` where `high` is less."""
    return float(np.exp(rng.uniform(np.log(low), np.log(max(low, high)))))
