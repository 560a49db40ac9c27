"""Follicles of a lymph node, from the back-to-back ones of follicular lymphoma to the spaced ones of hyperplasia.

In: where follicles may lie and what they are to look like. Out: compartments of the tissue plan, written in place.
What tells the patterns apart is what pathologists go by: number and crowding, sameness of size and shape, mantle
zones, polarity, macrophages (Swerdlow et al., WHO Classification of Tumours of Haematopoietic and Lymphoid Tissues).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.phantom.compartment import Compartment, Labels, Noise, Plane
from qc.phantom.nuclei import scatter
from qc.phantom.spec import FollicleSpec

_RIM_UM = 14.0  # paracortex that is left between follicles that touch
_MOULDING = 1.25  # follicles in a crowd grow into the corners between them, in radii
_LARGEST_UM = 420.0
_REACH = 2.6  # how far around a follicle is looked at, in radii
_NONE = -1e6


@dataclass(frozen=True)
class _Follicle:
    """One follicle: middle and radius in plan cells, longer axis and poles as angles."""

    x: float
    y: float
    radius: float
    stretch: float
    axis: float
    pole: float
    is_polarised: bool


def lay_follicles(
    labels: Labels,
    where: NDArray[np.bool_],
    spec: FollicleSpec,
    cell_um: float,
    noise: Noise,
    rng: np.random.Generator,
) -> None:
    """Write FOLLICLE, LIGHT_ZONE, DARK_ZONE and MANTLE into `labels`.

    Args:
        labels: (H, W) uint8 of `Compartment`.
        where: (H, W) bool, tissue that follicles may take.
        spec: What they look like.
        cell_um: Side of a cell.
        noise: Draws smooth planes, for borders.
        rng: Draws everything.
    """
    ripple = noise(labels.shape, 260, rng) * np.float32(0.05 * spec.radius_um / cell_um)
    ripple += noise(labels.shape, 40, rng) * np.float32(6.0 / cell_um)
    mottle = noise(labels.shape, 70, rng) * np.float32(0.2)
    follicles = _placed(where, spec, cell_um, rng)
    owner, best, second = _nearest(labels.shape, follicles)
    rim = _RIM_UM / cell_um * (1 + np.clip(4 * mottle, -0.8, 2))
    depth = np.minimum(best + ripple, (best - second - rim) / 2)
    for index, one in enumerate(follicles):
        window = _window(one, labels.shape, _REACH)
        field = _Field((owner[window] == index) & where[window], depth[window], mottle[window])
        _paint(labels[window], one, spec, cell_um, field, window)


@dataclass(frozen=True)
class _Field:
    """A window of the plan: cells that are this follicle's to take, how deep in it they lie (cells), and a mottle."""

    is_own: NDArray[np.bool_]
    depth: Plane
    mottle: Plane


def _placed(
    where: NDArray[np.bool_], spec: FollicleSpec, cell_um: float, rng: np.random.Generator
) -> tuple[_Follicle, ...]:
    height, width = where.shape
    side_um = max(height, width) * cell_um
    mean_area = np.pi * spec.radius_um**2 * np.exp(2 * spec.radius_spread**2)
    per_mm2 = spec.crowding / (mean_area * 1e-6)
    points = scatter(per_mm2, side_um, 0.88 * float(np.sqrt(2 / 3**0.5 / per_mm2)) * 1000, rng) / cell_um
    found = []
    for x, y in points:
        radius_um = min(spec.radius_um * float(np.exp(rng.normal(0, spec.radius_spread))), _LARGEST_UM)
        radius = radius_um / cell_um
        stretch = 1 + abs(float(rng.normal(0, spec.irregularity)))
        axis, pole = rng.uniform(0, 2 * np.pi, 2)
        is_polarised = bool((rng.random() < spec.mimics) != spec.is_polarised)
        if x < width and y < height and where[int(y), int(x)]:
            found.append(_Follicle(float(x), float(y), radius, stretch, float(axis), float(pole), is_polarised))
    return tuple(found)


def _nearest(shape: tuple[int, int], follicles: tuple[_Follicle, ...]) -> tuple[NDArray[np.int32], Plane, Plane]:
    """Index of the follicle each cell belongs to, the depth in it, and the depth in the next one, in cells."""
    owner = np.full(shape, -1, np.int32)
    best, second = np.full(shape, _NONE, np.float32), np.full(shape, _NONE, np.float32)
    for index, one in enumerate(follicles):
        window = _window(one, shape, _REACH)
        r, _ = _polar(one, window)
        depth = one.radius * _MOULDING - r
        part, other = best[window], second[window]
        np.maximum(other, np.minimum(part, depth), out=other)
        owner[window][depth > part] = index
        np.maximum(part, depth, out=part)
    return owner, best, second


def _window(one: _Follicle, shape: tuple[int, ...], radii: float) -> tuple[slice, slice]:
    reach = one.radius * one.stretch * radii
    rows = slice(max(0, int(one.y - reach)), min(shape[0], int(one.y + reach) + 1))
    return rows, slice(max(0, int(one.x - reach)), min(shape[1], int(one.x + reach) + 1))


def _polar(one: _Follicle, window: tuple[slice, slice]) -> tuple[Plane, Plane]:
    """Distance from the middle, measured so that the outline is a circle, and angle."""
    v, u = np.mgrid[window].astype(np.float32)
    u, v = u - np.float32(one.x), v - np.float32(one.y)
    c, s = np.float32(np.cos(one.axis)), np.float32(np.sin(one.axis))
    long, short = (u * c + v * s) / np.float32(one.stretch**0.5), (v * c - u * s) * np.float32(one.stretch**0.5)
    return np.hypot(long, short), np.arctan2(v, u)


def _paint(
    part: Labels, one: _Follicle, spec: FollicleSpec, cell_um: float, field: _Field, window: tuple[slice, slice]
) -> None:
    r, theta = _polar(one, window)
    pole = np.cos(theta - np.float32(one.pole))
    # `depth` counts from the moulded outline; a follicle that has room stays within its own radius
    inside = np.minimum(field.depth, one.radius - r + field.mottle * 20 / np.float32(cell_um))
    cap = 1 + (0.6 * pole if one.is_polarised else 0.0)
    mantle = np.maximum(spec.mantle_um * cap * (1 + field.mottle), 0) / cell_um
    is_mantle = field.is_own & (inside > -mantle) & (field.depth > 0)
    part[is_mantle] = Compartment.MANTLE
    core = field.is_own & (inside > 0) & (field.depth > 0)
    if not one.is_polarised:
        part[core] = Compartment.FOLLICLE
        return
    is_light = pole * r / one.radius + field.mottle > -0.05
    part[core & is_light] = Compartment.LIGHT_ZONE
    part[core & ~is_light] = Compartment.DARK_ZONE
