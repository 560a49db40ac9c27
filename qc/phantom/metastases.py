"""Metastases of a carcinoma in a lymph node, each as long as it is asked to be.

In: the node and the wanted lesions. Out: where each lesion lies. Metastases are told apart by their longest diameter:
isolated tumour cells below 0.2 mm, micrometastases up to 2 mm, macrometastases above (AJCC Cancer Staging Manual).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import rasterio.features
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from qc.errors import SettingsError
from qc.phantom.compartment import Compartment, Labels, Noise, Plane
from qc.phantom.spec import LesionSpec

_TRIES = 400
_INSIDE = 0.97  # share of an outline that must lie in the node
_GAP_UM = 160.0  # CAMELYON16 counts lesions nearer than 75 um as one
_CORNERS = 96
_UNDER_CAPSULE_UM = 180.0
_SHIFT = 4  # binary digits behind the point of cv2's coordinates
_ISLANDS_FROM_UM = 400.0  # lesions shorter than this hold no islands of lymphocytes


@dataclass(frozen=True)
class Site:
    """What lesions are laid into.

    Attributes:
        labels: (H, W) uint8 of `Compartment`; lesions are written into it.
        node: (H, W) bool, lymph node.
        cell_um: Side of a cell.
    """

    labels: Labels
    node: NDArray[np.bool_]
    cell_um: float


def lay_metastases(site: Site, wanted: Sequence[LesionSpec], noise: Noise, rng: np.random.Generator) -> Labels:
    """Write TUMOUR into the labels.

    Args:
        site: Where.
        wanted: The lesions, largest first if they are to find room.
        noise: Draws smooth planes.
        rng: Draws everything.

    Returns:
        (H, W) uint8, the number of the lesion from 1 upwards, 0 elsewhere; islands of lymphocytes in a lesion belong
        to it, as they do for whoever draws its outline.

    Raises:
        SettingsError: If the node has no room for a lesion.
    """
    numbers = np.zeros(site.labels.shape, np.uint8)
    depth = np.asarray(cv2.distanceTransform(site.node.astype(np.uint8), cv2.DIST_L2, 5)) * site.cell_um
    is_island = noise(site.labels.shape, 110, rng) > 1.25
    for number, one in enumerate(wanted, 1):
        mask = _placed(site, one, depth, numbers, rng)
        numbers[mask] = number
        is_large = one.diameter_um >= _ISLANDS_FROM_UM
        inner = np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8))) > 0
        site.labels[mask & ~(inner & is_island & is_large)] = Compartment.TUMOUR
    return numbers


def outlines(numbers: Labels, cell_um: float, slide_mpp: float) -> dict[str, object]:
    """The lesions as GeoJSON that QuPath reads, in level-0 pixels.

    Args:
        numbers: From `lay_metastases`.
        cell_um: Side of a cell.
        slide_mpp: Micrometres per pixel of level 0.
    """
    scale = Affine.scale(cell_um / slide_mpp)
    found = rasterio.features.shapes(numbers, mask=numbers > 0, connectivity=8, transform=scale)
    features = [
        {
            "type": "Feature",
            "geometry": geometry,
            "properties": {
                "objectType": "annotation",
                "name": f"lesion {int(number)}",
                "classification": {"name": "Tumor", "color": [200, 0, 0]},
            },
        }
        for geometry, number in sorted(found, key=lambda one: one[1])
    ]
    return {"type": "FeatureCollection", "features": features}


def _placed(site: Site, one: LesionSpec, depth: Plane, numbers: Labels, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A drawn outline at a drawn place that lies in the node and keeps its distance from other lesions."""
    gap = 2 * round(_GAP_UM / site.cell_um) + 1
    kernel = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap)))
    is_taken = np.asarray(cv2.dilate((numbers > 0).astype(np.uint8), kernel)) > 0
    half_um = one.diameter_um / 2 / one.elongation
    deepest = half_um + _UNDER_CAPSULE_UM if one.is_under_capsule else np.inf
    ys, xs = np.nonzero((depth > 0.7 * half_um) & (depth < deepest) & ~is_taken)
    for _ in range(_TRIES if len(ys) else 0):
        index = int(rng.integers(len(ys)))
        corners = _outline(one, rng) / site.cell_um + (xs[index], ys[index])
        mask = np.zeros(site.labels.shape, np.uint8)
        cv2.fillPoly(mask, [np.rint(corners * 2**_SHIFT).astype(np.int32)], 1, shift=_SHIFT)
        lesion = (mask > 0) & site.node
        is_whole = lesion.sum() >= _INSIDE * _area(corners) and _is_inside(corners, lesion.shape)
        if is_whole and not (lesion & is_taken).any() and _is_as_long(lesion, one.diameter_um / site.cell_um):
            return lesion
    raise SettingsError(
        f"the lymph node has no room for a lesion of {one.diameter_um:g} um", "ask for a larger node or fewer lesions"
    )


def _outline(one: LesionSpec, rng: np.random.Generator) -> NDArray[np.float64]:
    """(N, 2) corners in um around the middle; the longest distance between two of them is the lesion's diameter."""
    theta = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    r = 1 + sum(rng.normal(0, 0.16 / k) * np.cos(k * theta + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5, 7, 11))
    x, y = one.elongation * r * np.cos(theta), r * np.sin(theta)
    turn = rng.uniform(0, np.pi)
    points = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)
    return points * (one.diameter_um / _longest(points))


def _longest(points: NDArray[np.float64]) -> float:
    return float(pdist(points[ConvexHull(points).vertices]).max())


def _area(corners: NDArray[np.float64]) -> float:
    return float(cv2.contourArea(corners.astype(np.float32)))


def _is_inside(corners: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    return bool((corners >= 0).all() and (corners < (shape[1], shape[0])).all())


def _is_as_long(lesion: NDArray[np.bool_], diameter: float) -> bool:
    """Whether what is left in the node is one piece that is as long as asked for, to 5 % and a cell."""
    pieces, _ = cv2.connectedComponents(lesion.astype(np.uint8), connectivity=8)
    if pieces != 2:
        return False
    ys, xs = np.nonzero(lesion)
    if np.ptp(ys) == 0 or np.ptp(xs) == 0:
        return diameter < 2
    corners = np.stack([xs, ys], axis=1).astype(np.float64)
    sides = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    corners = np.concatenate([corners + side for side in sides])
    return abs(_longest(corners) - diameter) <= 0.05 * diameter + 1.5
