"""Microscopic texture of each compartment: periodic planes of two stains, made once per mpp and reused.

Texture(first, second): (N, N) uint8 haematoxylin and counterstain (eosin, or DAB) in steps of `OD_STEP`.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from qc.phantom.nuclei import CellKind, Plane, nuclei_field, scatter, sprite, stamp_periodic

OD_STEP = 0.012  # optical density per uint8 level: 255 levels reach 3.06
FIELD_UM = 400.0


class Compartment(IntEnum):
    """What a cell of the tissue plan is; values index the textures."""

    GLASS = 0
    STROMA_A = 1
    STROMA_B = 2
    STROMA_C = 3
    FAT = 4
    PARACORTEX = 5
    MANTLE = 6
    LIGHT_ZONE = 7
    DARK_ZONE = 8
    FOLLICLE = 9
    SINUS = 10
    CAPSULE = 11
    LAMINA = 12
    TUMOUR = 13


@dataclass(frozen=True)
class Texture:
    """A periodic field of two stains, uint8 in steps of `OD_STEP`."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]


LYMPHOCYTE = CellKind(5.4, 0.10, 1.12, 0.66, 0.2, 0.28)
MANTLE_CELL = CellKind(5.6, 0.08, 1.1, 0.9, 0.2, 0.24)
CENTROBLAST = CellKind(8.2, 0.14, 1.12, 0.27, 0.22, 0.5)
CENTROCYTE = CellKind(6.2, 0.14, 1.3, 0.26, 0.18, 0.4, 0.12)
CLEAVED = CellKind(6.3, 0.07, 1.28, 0.29, 0.19, 0.32, 0.16)
SPINDLE = CellKind(2.4, 0.2, 4.2, 0.58, 0.15, 0.2)
PLASMA = CellKind(6.0, 0.15, 1.15, 0.58, 0.2, 0.45)
ENDOTHELIUM = CellKind(3.0, 0.2, 2.6, 0.75, 0.15, 0.2)
CARCINOMA = CellKind(9.4, 0.2, 1.25, 0.34, 0.24, 0.45, 0.1)
APOPTOTIC = CellKind(2.4, 0.35, 1.1, 1.3, 0.0, 0.0)


def _noise(side_px: int, scale_px: float, rng: np.random.Generator, stretch: float = 1.0, angle: float = 0.0) -> Plane:
    """Periodic Gaussian noise, (N, N), mean 0, deviation 1; features `stretch` times longer along `angle`."""
    f = np.fft.fftfreq(side_px)
    fy, fx = f[:, None], np.fft.rfftfreq(side_px)[None, :]
    along, across = np.cos(angle) * fx + np.sin(angle) * fy, np.cos(angle) * fy - np.sin(angle) * fx
    power = np.exp(-0.5 * (2 * np.pi * 0.4 * scale_px) ** 2 * ((along * stretch) ** 2 + across**2))
    spectrum = np.fft.rfft2(rng.normal(0, 1, (side_px, side_px))) * power
    spectrum[0, 0] = 0
    out = np.fft.irfft2(spectrum, (side_px, side_px))
    return (out / (out.std() + 1e-9)).astype(np.float32)


def _warped(plane: NDArray[Any], mpp: float, rng: np.random.Generator, scale_um: float, by_um: float) -> Plane:
    """The periodic plane pulled about by smooth noise: straight fibres become wavy."""
    n = plane.shape[0]
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    dx, dy = (_noise(n, scale_um / mpp, rng) * (by_um / mpp) for _ in range(2))
    out = cv2.remap(plane, (x + dx) % n, (y + dy) % n, cv2.INTER_NEAREST, borderMode=cv2.BORDER_WRAP)
    return np.asarray(out, np.float32)


def _quantised(first: NDArray[Any], second: NDArray[Any]) -> Texture:
    return Texture(*(np.clip(p / OD_STEP + 0.5, 0, 255).astype(np.uint8) for p in (first, second)))


def _stroma(
    n: int, mpp: float, rng: np.random.Generator, angle: float, cellular: float, cleft: float
) -> tuple[Plane, Plane]:
    """Wavy collagen with clefts between bundles and spindle nuclei along it."""
    coarse = _noise(n, 9 / mpp, rng, 7, angle)
    fine = _noise(n, 2.2 / mpp, rng, 14, angle)
    bundle = 1 / (1 + np.exp(-(coarse + cleft) * 3.0))
    wisps = _noise(n, 4 / mpp, rng, 5, angle + 0.5)
    eosin = bundle * (0.25 + 0.05 * fine + 0.05 * coarse + 0.04 * wisps) + 0.015
    nuclei, _ = nuclei_field(SPINDLE, cellular, n, mpp, rng, angle)
    few, _ = nuclei_field(LYMPHOCYTE, cellular * 0.12, n, mpp, rng)
    first = np.maximum(nuclei, few) + 0.03 * bundle
    planes = np.dstack([first, np.clip(eosin, 0, None)])
    warped = _warped(_warped(planes, mpp, rng, 28, 2.6), mpp, rng, 90, 13)
    return warped[..., 0], warped[..., 1]


def _cells(
    n: int, mpp: float, rng: np.random.Generator, kinds: list[tuple[CellKind, float]], pink: float, gap: float
) -> tuple[Plane, Plane, Plane]:
    """Packed cells: haematoxylin, eosin of the cytoplasm, and a plane of cell membranes (0-1)."""
    total = sum(per for _, per in kinds)
    widest = max(kind.diameter_um for kind, _ in kinds)
    points = scatter(total, n * mpp, min(widest, 930 / np.sqrt(total)), rng)
    owner = rng.choice(len(kinds), len(points), p=[per / total for _, per in kinds])
    first = np.zeros((n, n), np.float32)
    for index, (kind, _) in enumerate(kinds):
        bank = [sprite(kind, mpp, rng) for _ in range(80)]
        mine = points[owner == index]
        for (x, y), which in zip(mine, rng.integers(len(bank), size=len(mine)), strict=True):
            stamp_periodic(first, bank[which], x / mpp, y / mpp)
    step = 2 if mpp < 0.75 else 1
    y, x = (np.mgrid[0 : n // step, 0 : n // step] + 0.5) * mpp * step
    tree = KDTree(points % (n * mpp), boxsize=n * mpp)
    distance, _ = tree.query(np.stack([x.ravel() % (n * mpp), y.ravel() % (n * mpp)], 1), k=2, workers=1)
    border = (distance[:, 1] - distance[:, 0]).reshape(x.shape).astype(np.float32)
    border = cv2.resize(border, (n, n), interpolation=cv2.INTER_LINEAR)
    membrane = np.exp(-((border / 1.0) ** 2)).astype(np.float32)
    cytoplasm = pink * (1 + 0.25 * _noise(n, 3 / mpp, rng))
    patchy = np.clip(0.5 + 0.6 * _noise(n, 14 / mpp, rng), 0, 1)
    cytoplasm = cytoplasm * (1 - gap * membrane * patchy)
    holes = 1 / (1 + np.exp(-6 * (_noise(n, 8 / mpp, rng) + 2.5 - gap)))
    cytoplasm = cytoplasm * holes
    return first + 0.25 * cytoplasm, np.clip(cytoplasm, 0, None) * (1 - 0.5 * np.clip(first, 0, 1)), membrane


def _starry(first: Plane, second: Plane, mpp: float, rng: np.random.Generator, per_mm2: float) -> None:
    """Tingible-body macrophages: pale holes with dark crumbs, laid into the planes."""
    n = first.shape[0]
    for x, y in scatter(per_mm2, n * mpp, 45.0, rng):
        reach = int(np.ceil(16 / mpp))
        rows, columns = (
            (np.arange(-reach, reach + 1) + int(y / mpp)) % n,
            (np.arange(-reach, reach + 1) + int(x / mpp)) % n,
        )
        v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1] * mpp
        theta = np.arctan2(v, u)
        radius = rng.uniform(8, 13) * (1 + 0.15 * np.cos(2 * theta + rng.uniform(0, 6)) + 0.1 * np.cos(3 * theta))
        hole = np.clip((radius - np.hypot(u, v)) / 1.5, 0, 1).astype(np.float32)
        index = np.ix_(rows, columns)
        first[index] = first[index] * (1 - hole) + 0.03 * hole
        second[index] = second[index] * (1 - hole) + 0.13 * hole
        for _ in range(int(rng.integers(2, 6))):
            a, r = rng.uniform(0, 6.3), rng.uniform(0, 6)
            stamp_periodic(first, sprite(APOPTOTIC, mpp, rng), (x + r * np.cos(a)) / mpp, (y + r * np.sin(a)) / mpp)


def _fat(n: int, mpp: float, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Empty polygons with thin membranes, a few nuclei pressed against them."""
    side_um = n * mpp
    points = scatter(230, side_um, 62, rng)
    step = 2
    y, x = (np.mgrid[0 : n // step, 0 : n // step].astype(np.float32) + 0.5) * step
    wx, wy = (_noise(n // step, 25 / mpp / step, rng) * 2.5 / mpp for _ in range(2))
    at = np.stack([((x + wx) * mpp % side_um).ravel(), ((y + wy) * mpp % side_um).ravel()], 1)
    distance, _ = KDTree(points, boxsize=side_um).query(at, k=3, workers=1)
    shape = x.shape
    edge = cv2.resize((distance[:, 1] - distance[:, 0]).reshape(shape).astype(np.float32), (n, n))
    corner = cv2.resize((distance[:, 2] - distance[:, 0]).reshape(shape).astype(np.float32), (n, n))
    thick = 1.5 + 0.6 * _noise(n, 25 / mpp, rng)
    eosin = 0.32 * np.exp(-((edge / np.clip(thick, 0.8, 4)) ** 2)) + 0.3 * np.exp(-((corner / 6) ** 2)) + 0.012
    nuclei, _ = nuclei_field(CellKind(2.6, 0.3, 2.6, 0.8, 0.1, 0.2), 900, n, mpp, rng)
    return nuclei * np.exp(-((edge / 4) ** 2)), eosin.astype(np.float32)


_ANGLES = {
    Compartment.STROMA_A: (0.2, 1100, 1.5),
    Compartment.STROMA_B: (1.3, 1100, 1.5),
    Compartment.STROMA_C: (2.4, 1100, 1.5),
    Compartment.CAPSULE: (0.4, 1400, 2.0),
}


@dataclass(frozen=True)
class _Mix:
    """Cells per mm2 of each kind; eosin of the cytoplasm; gaps between cells (0-1); share of brown membranes."""

    kinds: tuple[tuple[CellKind, float], ...]
    pink: float
    gap: float
    positive: float
    macrophages_per_mm2: float = 0.0


_MIXES = {
    Compartment.LAMINA: _Mix(((LYMPHOCYTE, 2600), (PLASMA, 2200), (SPINDLE, 1400)), 0.19, 0.7, 0.08),
    Compartment.SINUS: _Mix(((LYMPHOCYTE, 2500), (CENTROCYTE, 900)), 0.13, 0.8, 0.1),
    Compartment.PARACORTEX: _Mix(((LYMPHOCYTE, 12500), (CENTROCYTE, 900), (ENDOTHELIUM, 700)), 0.24, 0.4, 0.12),
    Compartment.MANTLE: _Mix(((MANTLE_CELL, 17500),), 0.22, 0.4, 1.0),
    Compartment.LIGHT_ZONE: _Mix(((CENTROCYTE, 5000), (CENTROBLAST, 1400)), 0.18, 0.4, 0.9, 50),
    Compartment.DARK_ZONE: _Mix(((CENTROBLAST, 6800), (CENTROCYTE, 2600)), 0.16, 0.4, 0.9, 150),
    Compartment.FOLLICLE: _Mix(((CLEAVED, 9800), (CENTROBLAST, 250)), 0.15, 0.4, 1.0),
    Compartment.TUMOUR: _Mix(((CARCINOMA, 4300), (LYMPHOCYTE, 500)), 0.3, 0.5, 0.0),
}


@lru_cache(maxsize=64)
def texture(compartment: Compartment, mpp: float, stain: str, variant: int) -> Texture:
    """The texture of one compartment; made on first use.

    Args:
        compartment: Any but GLASS.
        mpp: Micrometres per pixel.
        stain: "he", or "dab" for CD20-like membranes of B cells in brown.
        variant: Another draw of the same kind.
    """
    n = round(FIELD_UM / mpp) // 2 * 2
    rng = np.random.default_rng([variant, int(compartment)])
    if compartment in _ANGLES:
        return _stained(*_stroma(n, mpp, rng, *_ANGLES[compartment]), None, stain, 0.0)
    if compartment is Compartment.FAT:
        return _stained(*_fat(2 * n, mpp, rng), None, stain, 0.0)
    mix = _MIXES[compartment]
    first, second, membrane = _cells(n, mpp, rng, list(mix.kinds), mix.pink, mix.gap)
    if mix.macrophages_per_mm2:
        _starry(first, second, mpp, rng, mix.macrophages_per_mm2)
    return _stained(first, second, membrane, stain, mix.positive)


def _stained(first: Plane, second: Plane, membrane: Plane | None, stain: str, positive: float) -> Texture:
    """Choose the second stain: eosin, or DAB on membranes with a pale blue counterstain."""
    if stain == "he":
        return _quantised(first, second)
    brown = 0.02 + 0.06 * second
    if membrane is not None:
        brown = brown + positive * (0.95 * membrane + 0.22)
    return _quantised(0.55 * first + 0.12 * second, brown)
