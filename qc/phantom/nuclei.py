"""Nuclei: the kinds of cells, a sprite of each, and their arrangement on a periodic field."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from qc.phantom.compartment import Plane


@dataclass(frozen=True)
class CellKind:
    """One population of cells.

    Attributes:
        diameter_um: Mean length of the nucleus's shorter axis.
        spread: Relative standard deviation of the diameter.
        elongation: Longer over shorter axis.
        density: Haematoxylin, in optical density, of the nuclear body.
        membrane: Extra haematoxylin on the nuclear membrane.
        chromatin: Relative contrast of clumps inside.
        dent: Depth of cleaves, 0 round, 0.3 deeply cleaved.
    """

    diameter_um: float
    spread: float
    elongation: float
    density: float
    membrane: float
    chromatin: float
    dent: float = 0.05


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


def sprite(kind: CellKind, mpp: float, rng: np.random.Generator, angle: float | None = None) -> Plane:
    """One nucleus, (N, N) haematoxylin in optical density; drawn three times finer and averaged."""
    over = 3
    short = kind.diameter_um * max(0.5, rng.normal(1, kind.spread)) / mpp
    long = short * max(1.0, rng.normal(kind.elongation, 0.12))
    side = int(np.ceil(long + 3)) | 1
    n = side * over
    y, x = (np.mgrid[0:n, 0:n].astype(np.float32) - (n - 1) / 2) / over
    theta = rng.uniform(0, 2 * np.pi) if angle is None else angle + rng.normal(0, 0.2)
    c, s = float(np.cos(theta)), float(np.sin(theta))
    u, v = (c * x + s * y) / (long / 2), (c * y - s * x) / (short / 2)
    around = np.arctan2(v, u)
    wave = sum(rng.normal(0, kind.dent / k) * np.cos(k * around + rng.uniform(0, 6.3)) for k in (2, 3, 4))
    inside = (1 + wave - np.hypot(u, v)) * short / 2
    body = np.clip(inside * 1.4 + 0.5, 0, 1)
    clumps = cv2.GaussianBlur(rng.normal(0, 1, (n, n)).astype(np.float32), (0, 0), 0.55 / mpp * over)
    clumps /= clumps.std() + 1e-6
    rim = np.exp(-(((inside - 0.35 / mpp) / (0.55 / mpp)) ** 2))
    fine = body * (kind.density * (1 + kind.chromatin * clumps) + kind.membrane * rim)
    fine *= max(0.4, rng.normal(1, 0.16))
    return cv2.resize(np.clip(fine, 0, 3).astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)


def scatter(per_mm2: float, side_um: float, gap_um: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(N, 2) points in um on a periodic square, pushed apart until few are closer than `gap_um`."""
    count = max(1, round(per_mm2 * (side_um / 1000) ** 2))
    across = max(1, round(count**0.5))
    cell = side_um / across
    y, x = np.meshgrid(np.arange(across), np.arange(across), indexing="ij")
    points = (np.stack([x.ravel(), y.ravel()], 1) + rng.uniform(0, 1, (across * across, 2))) * cell % side_um
    for _ in range(25):
        tree = KDTree(points, boxsize=side_um)
        pairs = tree.query_pairs(gap_um, output_type="ndarray")
        if not len(pairs):
            break
        apart = points[pairs[:, 0]] - points[pairs[:, 1]]
        apart -= side_um * np.round(apart / side_um)
        distance = np.linalg.norm(apart, axis=1, keepdims=True) + 1e-6
        push = 0.4 * (gap_um - distance) * apart / distance
        np.add.at(points, pairs[:, 0], push)
        np.add.at(points, pairs[:, 1], -push)
        points %= side_um
        points[points >= side_um] = 0.0
    return points


def stamp_periodic(plane: Plane, piece: Plane, x: float, y: float) -> None:
    """Lay `piece` with its middle at pixel (x, y) on a periodic plane; the denser wins."""
    height, width = plane.shape
    side = piece.shape[0]
    x0, y0 = round(x - side / 2) % width, round(y - side / 2) % height
    if x0 + side <= width and y0 + side <= height:
        view = plane[y0 : y0 + side, x0 : x0 + side]
        np.maximum(view, piece, out=view)
        return
    rows, columns = (np.arange(side) + y0) % height, (np.arange(side) + x0) % width
    index = np.ix_(rows, columns)
    plane[index] = np.maximum(plane[index], piece)


def nuclei_field(
    kind: CellKind, per_mm2: float, side_px: int, mpp: float, rng: np.random.Generator, angle: float | None = None
) -> Plane:
    """A periodic (N, N) haematoxylin plane of scattered nuclei."""
    plane = np.zeros((side_px, side_px), np.float32)
    side_um = side_px * mpp
    bank = [sprite(kind, mpp, rng, angle) for _ in range(80)]
    points = scatter(per_mm2, side_um, kind.diameter_um * 0.95, rng)
    for (x, y), which in zip(points, rng.integers(len(bank), size=len(points)), strict=True):
        stamp_periodic(plane, bank[which], x / mpp, y / mpp)
    return plane
