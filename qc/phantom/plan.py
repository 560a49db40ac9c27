"""The tissue plan: which compartment lies where, on a coarse grid, and where glands and vessels go."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.phantom.compartment import Compartment, Labels, Plane
from qc.phantom.follicles import lay_follicles
from qc.phantom.metastases import Site, lay_metastases
from qc.phantom.spec import PhantomSpec

PLAN_UM = 4.0


@dataclass(frozen=True)
class Plan:
    """Compartments and structures of one slide.

    Attributes:
        labels: (H, W) uint8 of `Compartment` on cells of `PLAN_UM`.
        thickness: (H, W) float32 around 1: section thickness and uptake of stain.
        glands: (N, 2) x, y in um.
        vessels: (N, 2) x, y in um.
        lesions: (H, W) uint8, number of the metastasis from 1 upwards, 0 elsewhere.
    """

    labels: Labels
    thickness: Plane
    glands: NDArray[np.float64]
    vessels: NDArray[np.float64]
    lesions: Labels


def noise(shape: tuple[int, int], scale_um: float, rng: np.random.Generator) -> Plane:
    """Smooth noise on the plan's grid, mean about 0, deviation about 1."""
    step = max(1.0, scale_um / PLAN_UM / 2)
    small = (int(shape[0] / step) + 4, int(shape[1] / step) + 4)
    coarse = rng.normal(0, 1.6, small).astype(np.float32)
    size = (round(small[1] * step), round(small[0] * step))
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)[: shape[0], : shape[1]]


def plan_tissue(spec: PhantomSpec, rng: np.random.Generator) -> Plan:
    """Draw outline, compartments and structures."""
    shape = round(spec.height_mm * 1000 / PLAN_UM), round(spec.width_mm * 1000 / PLAN_UM)
    height = _outline(spec, shape, rng)
    is_tissue = height > 0
    labels = np.zeros(shape, np.uint8)
    if spec.diagnosis == "none":
        _mixed(labels, is_tissue, spec, rng)
        _gaps(labels, rng)
        lesions = np.zeros(shape, np.uint8)
    else:
        lesions = _lymph_node(labels, is_tissue, height, spec, rng)
    thickness = 1 + 0.05 * noise(shape, 1500, rng) + 0.04 * noise(shape, 150, rng) + 0.02 * noise(shape, 40, rng)
    glands = _places(labels == Compartment.LAMINA, 118.0, 0.9, rng)
    stroma = (labels >= Compartment.STROMA_A) & (labels <= Compartment.STROMA_C) | (labels == Compartment.PARACORTEX)
    return Plan(
        labels, np.clip(thickness, 0.6, 1.4).astype(np.float32), glands, _places(stroma, 330.0, 0.6, rng), lesions
    )


def _outline(spec: PhantomSpec, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Height above the outline: positive in tissue, with exactly the share of tissue asked for."""
    rows, columns = shape
    across = max(1, round((spec.pieces * spec.width_mm / spec.height_mm) ** 0.5))
    down = -(-spec.pieces // across)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    y, x = (y + 0.5) / rows * down, (x + 0.5) / columns * across
    best = np.full(shape, -9, np.float32)
    for index in range(spec.pieces):
        cx, cy = index % across + 0.5 + rng.normal(0, 0.04), index // across + 0.5 + rng.normal(0, 0.04)
        angle, aspect = rng.uniform(-0.5, 0.5), rng.uniform(0.8, 1.2)
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        u, v = (c * (x - cx) + s * (y - cy)) * aspect, (c * (y - cy) - s * (x - cx)) / aspect
        best = np.maximum(best, np.float32(rng.uniform(0.9, 1.1)) - 2 * np.sqrt(u * u + v * v))
    size_um = min(spec.width_mm, spec.height_mm) * 1000
    rough = 0.5 if spec.diagnosis != "none" else 1.0
    best += rough * (0.11 * noise(shape, size_um / 3, rng) + 0.035 * noise(shape, size_um / 10, rng))
    best += rough * (0.012 * noise(shape, 120, rng) + 0.008 * noise(shape, 40, rng))
    margin = np.minimum(np.minimum(x, across - x) / across, np.minimum(y, down - y) / down)
    best -= 8 * np.clip(0.08 - margin, 0, 1)
    best -= np.quantile(best, 1 - spec.cover)
    return best


def _mixed(labels: Labels, is_tissue: NDArray[np.bool_], spec: PhantomSpec, rng: np.random.Generator) -> None:
    kinds = list(dict.fromkeys(spec.tissues))
    fields = np.stack([noise(labels.shape, 1400, rng) + 0.25 * noise(labels.shape, 250, rng) for _ in kinds])
    fields += np.linspace(0.3, 0, len(kinds))[:, None, None].astype(np.float32)
    chosen = fields.argmax(0)
    for index, kind in enumerate(kinds):
        where = is_tissue & (chosen == index)
        if kind == "stroma":
            _stroma(labels, where, rng)
        elif kind == "lymphoid":
            labels[where] = Compartment.PARACORTEX
            _follicles(labels, where, rng, uniform=False)
        else:
            labels[where] = Compartment.LAMINA if kind == "glands" else Compartment.FAT
    edge = is_tissue & (labels != Compartment.FAT) & (noise(labels.shape, 500, rng) > 0.5) & (_depth_um(is_tissue) < 30)
    labels[edge & (labels != Compartment.GLASS)] = Compartment.CAPSULE


def _stroma(labels: Labels, where: NDArray[np.bool_], rng: np.random.Generator) -> None:
    directions = np.stack([noise(labels.shape, 450, rng) for _ in range(3)]).argmax(0)
    labels[where] = (Compartment.STROMA_A + directions[where]).astype(np.uint8)


def _gaps(labels: Labels, rng: np.random.Generator) -> None:
    """Natural clefts between compartments, through which bare glass is seen."""
    ridge = np.abs(noise(labels.shape, 900, rng) + 0.2 * noise(labels.shape, 120, rng))
    gap = (ridge < 0.02) & (noise(labels.shape, 700, rng) > 0.9)
    labels[gap & (labels != Compartment.FAT)] = Compartment.GLASS


def _lymph_node(
    labels: Labels, is_tissue: NDArray[np.bool_], height: Plane, spec: PhantomSpec, rng: np.random.Generator
) -> Labels:
    """Write the node's compartments into `labels`; returns the number of the metastasis by place."""
    fatty = 0.12 * np.clip(noise(labels.shape, 1500, rng) + 0.1, 0, 1) + 0.02 * noise(labels.shape, 200, rng)
    node = is_tissue & (height > fatty)
    labels[is_tissue] = Compartment.FAT
    labels[node] = Compartment.PARACORTEX
    depth = _depth_um(node) + 6 * noise(labels.shape, 150, rng)
    uniform = spec.diagnosis == "lymphoma"
    where = node & (depth > (60 if uniform else 110))
    if spec.follicles is None:
        _follicles(labels, where, rng, uniform)
    else:
        lay_follicles(labels, where, spec.follicles, PLAN_UM, noise, rng)
    if not uniform:
        labels[node & (depth > 32) & (depth < 60) & (noise(labels.shape, 400, rng) > -0.6)] = Compartment.SINUS
    labels[node & (depth < 32 + 10 * noise(labels.shape, 600, rng))] = Compartment.CAPSULE
    septa = np.abs(noise(labels.shape, 1300, rng)) < 0.035
    labels[node & septa & (depth < 900) & (labels == Compartment.PARACORTEX)] = Compartment.CAPSULE
    if not spec.lesions:
        return np.zeros(labels.shape, np.uint8)
    return lay_metastases(Site(labels, node, PLAN_UM), spec.lesions, noise, rng)


def _follicles(labels: Labels, where: NDArray[np.bool_], rng: np.random.Generator, uniform: bool) -> None:
    """Lay follicles into `where`: uniform and back to back, or few, varied, polarised and mantled."""
    taken = ~where
    tries = int(where.sum() * (PLAN_UM / 1000) ** 2 * (400 if uniform else 160)) + 4
    ys, xs = np.nonzero(where)
    if not len(ys):
        return
    for index in rng.integers(len(ys), size=tries):
        if taken[ys[index], xs[index]]:
            continue
        radius = rng.normal(185, 16) if uniform else float(np.clip(rng.lognormal(np.log(225), 0.4), 100, 450))
        _follicle(labels, taken, (int(xs[index]), int(ys[index])), radius / PLAN_UM, rng, uniform)


def _follicle(
    labels: Labels,
    taken: NDArray[np.bool_],
    at: tuple[int, int],
    radius: float,
    rng: np.random.Generator,
    uniform: bool,
) -> None:
    mantle = 0.0 if uniform else float(rng.uniform(30, 65)) / PLAN_UM
    gap = 4.0 if uniform else float(rng.uniform(40, 130)) / PLAN_UM
    reach = int(radius * 1.5 + mantle * 2 + gap)
    x0, y0 = max(0, at[0] - reach), max(0, at[1] - reach)
    window = (slice(y0, at[1] + reach + 1), slice(x0, at[0] + reach + 1))
    part = labels[window]
    v, u = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    u, v = u - (at[0] - x0), v - (at[1] - y0)
    angle, aspect = rng.uniform(0, 2 * np.pi), 1.0 if uniform else float(rng.uniform(1, 1.5))
    theta = np.arctan2(v, u)
    r = np.hypot(u * np.cos(angle) + v * np.sin(angle), (v * np.cos(angle) - u * np.sin(angle)) * aspect)
    ripple = 0.04 if uniform else 0.05
    r = r * (1 + sum(rng.normal(0, ripple) * np.cos(k * theta + rng.uniform(0, 6.3)) for k in (2, 3, 5)))
    rough = 1.5 * noise(part.shape, 40, rng)
    if (taken[window] & (r < radius + mantle + gap)).sum() > (0.22 if uniform else 0.06) * np.pi * radius**2:
        return
    polarity = np.cos(theta - rng.uniform(0, 2 * np.pi))
    inside = r + rough < radius
    free = ~taken[window]
    if uniform:
        part[inside & free] = Compartment.FOLLICLE
    else:
        thick = mantle * (1 + 0.6 * polarity)
        part[(r + rough < radius + thick) & free] = Compartment.MANTLE
        light = polarity * r / radius + 0.15 * noise(part.shape, 60, rng) > -0.05
        part[inside & free & light] = Compartment.LIGHT_ZONE
        part[inside & free & ~light] = Compartment.DARK_ZONE
    taken[window] |= r < radius + mantle + gap


def _places(where: NDArray[np.bool_], pitch_um: float, keep: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Jittered hexagonal places inside `where`, (N, 2) in um."""
    pitch = pitch_um / PLAN_UM
    ys, xs = np.arange(pitch / 2, where.shape[0], pitch * 0.87), np.arange(pitch / 2, where.shape[1], pitch)
    y, x = (a.ravel().copy() for a in np.meshgrid(ys, xs, indexing="ij"))
    x += np.repeat((np.arange(len(ys)) % 2) * pitch / 2, len(xs))
    x += rng.uniform(-0.22, 0.22, len(x)) * pitch
    y += rng.uniform(-0.22, 0.22, len(y)) * pitch
    room = cv2.erode(where.astype(np.uint8), np.ones((round(pitch * 0.55) | 1,) * 2, np.uint8))
    column, row = np.clip(x, 0, where.shape[1] - 1).astype(int), np.clip(y, 0, where.shape[0] - 1).astype(int)
    chosen = (room[row, column] > 0) & (rng.random(len(x)) < keep)
    return np.stack([x, y], 1)[chosen] * PLAN_UM


def _depth_um(mask: NDArray[np.bool_]) -> Plane:
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32) * np.float32(PLAN_UM)
