"""Kinds of tissue as haematoxylin and eosin in optical density: periodic (N, N) float32 planes, drawn cell by cell."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from qc.phantom.compartment import Plane
from qc.phantom.nuclei import APOPTOTIC, LYMPHOCYTE, SPINDLE, CellKind, nuclei_field, scatter, sprite, stamp_periodic


def draw_stroma(
    n: int, mpp: float, rng: np.random.Generator, angle: float, cellular: float, cleft: float
) -> tuple[Plane, Plane]:
    """Wavy collagen with clefts between bundles and spindle nuclei along it: haematoxylin and eosin.

    Args:
        n: Side of the planes, pixels; as for the others.
        mpp: Micrometres per pixel; as for the others.
        rng: Draws everything; as for the others.
        angle: Of the fibres, radians.
        cellular: Spindle nuclei per mm2.
        cleft: How closed clefts are; 0 opens as much as there are fibres.
    """
    coarse = _noise(n, 9 / mpp, rng, 7, angle)
    fine = _noise(n, 2.2 / mpp, rng, 14, angle)
    bundle = 1 / (1 + np.exp(-(coarse + cleft) * 3.0))
    wisps = _noise(n, 4 / mpp, rng, 5, angle + 0.5)
    eosin = bundle * (0.25 + 0.05 * fine + 0.05 * coarse + 0.04 * wisps) + 0.015
    nuclei = nuclei_field(SPINDLE, cellular, n, mpp, rng, angle)
    few = nuclei_field(LYMPHOCYTE, cellular * 0.12, n, mpp, rng)
    first = np.maximum(nuclei, few) + 0.03 * bundle
    planes = np.dstack([first, np.clip(eosin, 0, None)])
    warped = _warped(_warped(planes, mpp, rng, 28, 2.6), mpp, rng, 90, 13)
    return warped[..., 0], warped[..., 1]


def draw_cells(
    n: int, mpp: float, rng: np.random.Generator, kinds: list[tuple[CellKind, float]], pink: float, gap: float
) -> tuple[Plane, Plane, Plane]:
    """Packed cells: haematoxylin, eosin of the cytoplasm, and a plane of cell membranes (0-1).

    Args:
        n: Side of the planes, pixels.
        mpp: Micrometres per pixel.
        rng: Draws everything.
        kinds: Kinds of cells and how many there are per mm2.
        pink: Eosin of the cytoplasm, optical density.
        gap: How far cells part, 0-1.
    """
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


def draw_macrophages(first: Plane, second: Plane, mpp: float, rng: np.random.Generator, per_mm2: float) -> None:
    """Tingible-body macrophages: pale holes with dark crumbs, laid into both planes."""
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


def draw_fat(n: int, mpp: float, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Empty polygons with thin membranes, a few nuclei pressed against them: haematoxylin and eosin."""
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
    nuclei = nuclei_field(CellKind(2.6, 0.3, 2.6, 0.8, 0.1, 0.2), 900, n, mpp, rng)
    return nuclei * np.exp(-((edge / 4) ** 2)), eosin.astype(np.float32)


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
