"""Glands and vessels: whole structures drawn once per mpp and stamped into the tissue."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.phantom.compartment import Plane
from qc.phantom.nuclei import CellKind, sprite
from qc.phantom.texture import OD_STEP

COLUMNAR = CellKind(4.8, 0.12, 1.65, 0.5, 0.22, 0.32)
FLAT = CellKind(2.4, 0.2, 3.6, 0.75, 0.1, 0.2)


@dataclass(frozen=True)
class Structure:
    """Two stains and where they replace what lies below: (H, W) uint8, uint8 and bool."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    shape: NDArray[np.bool_]


@dataclass(frozen=True)
class _Canvas:
    """Polar coordinates of one structure in um, and its planes."""

    mpp: float
    u: Plane
    v: Plane
    first: Plane
    second: Plane

    @classmethod
    def of(cls, reach_um: float, mpp: float) -> "_Canvas":
        reach = int(np.ceil(reach_um / mpp))
        v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32) * np.float32(mpp)
        return cls(mpp, u, v, np.zeros_like(u), np.zeros_like(u))

    def stamp(self, piece: Plane, x_um: float, y_um: float) -> None:
        side, middle = piece.shape[0], self.u.shape[0] // 2
        x0, y0 = round(middle + x_um / self.mpp - side / 2), round(middle + y_um / self.mpp - side / 2)
        if min(x0, y0) < 0 or max(x0, y0) + side > self.u.shape[0]:
            return
        view = self.first[y0 : y0 + side, x0 : x0 + side]
        np.maximum(view, piece, out=view)

    def empty(self, x_um: float, y_um: float, radius_um: float) -> None:
        """A pale vacuole of mucin."""
        reach, middle = round(radius_um / self.mpp) + 2, self.u.shape[0] // 2
        column, row = middle + round(x_um / self.mpp), middle + round(y_um / self.mpp)
        part = slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)
        hole = np.clip((radius_um - np.hypot(self.u[part] - x_um, self.v[part] - y_um)) / 1.5, 0, 1)
        self.second[part] *= 1 - 0.85 * hole
        self.first[part] = self.first[part] * (1 - 0.8 * hole) + 0.05 * hole

    def finished(self, inside_um: Plane, stain: str, brown: float) -> Structure:
        second = self.second * (1 - 0.5 * np.clip(self.first, 0, 1))
        first = self.first
        if stain == "dab":
            first, second = 0.55 * first + 0.1 * second, 0.02 + (0.05 + brown) * second
        planes = [np.clip(p / OD_STEP + 0.5, 0, 255).astype(np.uint8) for p in (first, second)]
        return Structure(planes[0], planes[1], inside_um > 0)


def _grain(shape: tuple[int, ...], scale_px: float, rng: np.random.Generator) -> Plane:
    noise = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), max(0.6, scale_px))
    return noise / (noise.std() + 1e-6)


def _waves(theta: Plane, rng: np.random.Generator, amount: float) -> Plane:
    total = sum(
        (rng.normal(0, amount / k**0.7) * np.cos(k * theta + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5, 7)),
        start=np.zeros_like(theta),
    )
    return np.asarray(total, np.float32)


def _gland(mpp: float, stain: str, rng: np.random.Generator) -> Structure:
    """A gland cut across: columnar cells with basal nuclei around an irregular lumen."""
    radius, stretch = float(rng.uniform(34, 60)), float(rng.uniform(1.0, 1.8))
    canvas = _Canvas.of(radius * stretch**0.5 * 1.35, mpp)
    u, v = canvas.u / stretch**0.5, canvas.v * stretch**0.5
    theta, r = np.arctan2(v, u), np.hypot(u, v)
    edge = radius * (1 + _waves(theta, rng, 0.08))
    inside = edge - r
    tall = float(rng.uniform(0.4, 0.72)) * radius
    lumen = inside - tall * (1 + _waves(theta, rng, 0.12))
    cell = np.clip(inside / 1.2, 0, 1) * np.clip(-lumen / 1.5 + 0.5, 0, 1)
    goblet = float(rng.choice([0.0, 0.5, 0.8]))
    pink = float(rng.uniform(0.2, 0.32))
    canvas.second[:] = cell * pink * (1 + 0.12 * _grain(u.shape, 2 / mpp, rng))
    canvas.second[:] += 0.25 * np.exp(-((inside / 1.5) ** 2)) + 0.015 + 0.03 * rng.random() * (lumen > 2)
    canvas.first[:] = cell * float(rng.uniform(0.08, 0.2)) + 0.12 * np.exp(-((lumen / 1.2) ** 2))
    for angle in np.arange(0, 2 * np.pi, 5.2 / radius):
        _gland_cell(canvas, rng, angle + rng.normal(0, 0.02), (theta, edge, radius, stretch, tall, goblet))
    return canvas.finished(inside, stain, 2.2)


def _gland_cell(
    canvas: _Canvas, rng: np.random.Generator, angle: float, gland: tuple[Plane, Plane, float, float, float, float]
) -> None:
    theta, edge, radius, stretch, tall, goblet = gland
    reach, middle = 0.9 * radius / canvas.mpp, theta.shape[0] // 2
    column = middle + round(float(np.cos(angle)) * reach * stretch**0.5)
    row = middle + round(float(np.sin(angle)) * reach / stretch**0.5)
    local = float(edge[row, column])
    if rng.random() < goblet * 0.5:
        depth = tall * float(rng.uniform(0.55, 0.7))
        x, y = (local - depth) * np.cos(angle) * stretch**0.5, (local - depth) * np.sin(angle) / stretch**0.5
        size = float(rng.uniform(4.0, 6.5))
        canvas.empty(float(x), float(y), size)
    depth = float(rng.normal(6.0, 1.4))
    x, y = (local - depth) * np.cos(angle) * stretch**0.5, (local - depth) * np.sin(angle) / stretch**0.5
    canvas.stamp(sprite(COLUMNAR, canvas.mpp, rng, float(np.arctan2(y, x))), x, y)


def _vessel(mpp: float, stain: str, rng: np.random.Generator) -> Structure:
    """A vessel cut across: muscle, flat lining nuclei, and red cells in part of the lumen."""
    radius, stretch = float(rng.uniform(18, 55)), float(rng.uniform(1.0, 2.2))
    canvas = _Canvas.of(radius * stretch**0.5 * 1.3, mpp)
    u, v = canvas.u / stretch**0.5, canvas.v * stretch**0.5
    theta, r = np.arctan2(v, u), np.hypot(u, v)
    inside = radius * (1 + _waves(theta, rng, 0.05)) - r
    wall = float(rng.uniform(4, 0.45 * radius))
    muscle = np.clip(inside / 1.5, 0, 1) * np.clip((wall - inside) / 1.5 + 0.5, 0, 1)
    rings = 1 + 0.18 * np.sin(inside * 1.6 + 2 * _waves(theta, rng, 0.4)) + 0.1 * _grain(u.shape, 1.5 / mpp, rng)
    red = np.clip((inside - wall - 2) / 2, 0, 1) * (_grain(u.shape, 5 / mpp, rng) > rng.normal(0.4, 0.8))
    cells = 0.5 + 0.5 * (_grain(u.shape, 2.2 / mpp, rng) > -0.3)
    canvas.second[:] = 0.5 * muscle * rings + 0.55 * red * cells + 0.015
    canvas.first[:] = 0.05 * muscle
    for depth in np.arange(wall, 1.5, -7.0):
        around = 2 * np.pi * (radius - depth)
        for angle in rng.uniform(0, 2 * np.pi, int(around / 16) + 2):
            x = (radius - depth) * np.cos(angle) * stretch**0.5
            y = (radius - depth) * np.sin(angle) / stretch**0.5
            canvas.stamp(sprite(FLAT, mpp, rng, float(angle + np.pi / 2)), x, y)
    return canvas.finished(inside, stain, 0.0)


@lru_cache(maxsize=8)
def structures(kind: str, mpp: float, stain: str, variant: int, count: int = 12) -> tuple[Structure, ...]:
    """`count` glands or vessels, each in four orientations."""
    rng = np.random.default_rng([variant, {"gland": 1, "vessel": 2}[kind]])
    draw = _gland if kind == "gland" else _vessel
    made = [draw(mpp, stain, rng) for _ in range(count)]
    turned = []
    for one in made:
        for k in range(4):
            first, second, shape = (np.rot90(p, k).copy() for p in (one.first, one.second, one.shape))
            turned.append(Structure(first.astype(np.uint8), second.astype(np.uint8), shape.astype(np.bool_)))
    return tuple(turned)
