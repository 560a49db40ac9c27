"""Near-duplicate slides. In: a look at each slide's tissue. Out: groups of slides that show the same piece of tissue.

A look is a perceptual hash (ImageHash's pHash, 256 bits) of the optical density of the tissue in each of the eight
ways a slide can lie: turned by 90 degrees and mirrored. Two slides differ by the fewest bits over these ways.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.hierarchy import DisjointSet

from qc.config.tissue import TissueSettings
from qc.errors import NoTissueError
from qc.tissue import find_tissue

HASH_SIDE = 16
HASH_BITS = HASH_SIDE**2
_CROP_PX = 64
_LOOK_SIDE_PX = 512
_REACH_SPREADS = 1.8
_WEIGHT_QUANTILE = 0.9
_MPP_MIN, _MPP_MAX = 4.0, 70.0


@dataclass(frozen=True)
class Look:
    """What a slide's tissue looks like, whichever way it lies.

    Attributes:
        hashes: (8, 256) bool, one row per way; the first is as scanned.
    """

    hashes: NDArray[np.bool_]


@dataclass(frozen=True, order=True)
class Pair:
    """Two slides that are near-duplicates, by name."""

    bits: int
    first: str
    second: str


def look_at(rgb: NDArray[np.uint8], is_scanned: NDArray[np.bool_], mpp: float, name: str) -> Look:
    """The look of a slide's overview.

    Args:
        rgb: (H, W, 3) uint8 overview.
        is_scanned: (H, W) bool, False where the scanner gave nothing.
        mpp: Micrometres per pixel of the overview.
        name: Slide, for the error.

    Raises:
        NoTissueError: If the overview shows no tissue.
    """
    shrink = min(1.0, _LOOK_SIDE_PX / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * shrink)), max(1, round(rgb.shape[0] * shrink))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    scanned = cv2.resize(is_scanned.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    believed_mpp = min(max(mpp / shrink, _MPP_MIN), _MPP_MAX)  # a shape needs no exact mpp
    is_tissue = find_tissue(small, scanned, believed_mpp, TissueSettings())
    density = _density(small, is_tissue)
    if not density.any():
        raise NoTissueError(f"{name} shows no tissue on its overview", "look at it; leave it out of the cohort table")
    crop = _tissue_crop(density)
    ways = [np.rot90(image, turns) for image in (crop, crop.T) for turns in range(4)]
    return Look(np.array([_hash(way) for way in ways]))


def bits_between(looks: Sequence[Look]) -> NDArray[np.int64]:
    """(N, N) bits by which slides differ, over all ways they can lie; symmetric."""
    ways = np.array([look.hashes for look in looks]).astype(np.float32)  # (N, 8, 256); sums of bits stay exact
    as_scanned, ones = ways[:, 0], ways.sum(axis=2)
    bits = np.full((len(looks), len(looks)), HASH_BITS, np.float32)
    for way in range(ways.shape[1]):
        both = as_scanned @ ways[:, way].T
        bits = np.minimum(bits, ones[:, :1] + ones[:, way] - 2 * both)
    return np.minimum(bits, bits.T).astype(np.int64)


def near_duplicates(looks: Mapping[str, Look], bits_max: int) -> tuple[Pair, ...]:
    """Pairs of slides that differ by at most `bits_max` bits, most alike first."""
    names = sorted(looks)
    if not names:
        return ()
    bits = bits_between([looks[name] for name in names])
    rows, columns = np.nonzero(np.triu(bits <= bits_max, 1))
    return tuple(
        sorted(Pair(int(bits[i, j]), names[i], names[j]) for i, j in zip(rows.tolist(), columns.tolist(), strict=True))
    )


def groups_of(pairs: Sequence[Pair]) -> tuple[tuple[str, ...], ...]:
    """Slides joined by pairs, each group and all groups sorted."""
    joined = DisjointSet(sorted({name for pair in pairs for name in (pair.first, pair.second)}))
    for pair in pairs:
        joined.merge(pair.first, pair.second)
    return tuple(sorted(tuple(sorted(group)) for group in joined.subsets()))


def _density(rgb: NDArray[np.uint8], is_tissue: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W) optical density of tissue above that of glass; 0 elsewhere."""
    density = -np.log10(np.maximum(rgb.astype(np.float32), 1) / 255).mean(axis=2)
    glass = float(np.median(density[~is_tissue])) if not is_tissue.all() else 0.0
    return np.where(is_tissue, np.maximum(density - glass, 0), np.float32(0)).astype(np.float32)


def _tissue_crop(density: NDArray[np.float32]) -> NDArray[np.float32]:
    """A square around the tissue's centre of gravity, as wide as its spread.

    A bounding box would jump with every crumb at the margin that one scan shows and the next does not; stained tissue
    weighs more than pale tissue, whose outline differs from scan to scan, up to a density that most of it has not.
    """
    weight = np.minimum(density, np.quantile(density[density > 0], _WEIGHT_QUANTILE)).astype(np.float64)
    total = weight.sum()
    rows, columns = np.mgrid[: density.shape[0], : density.shape[1]]
    y, x = (weight * rows).sum() / total, (weight * columns).sum() / total
    spread = math.sqrt(float((weight * ((rows - y) ** 2 + (columns - x) ** 2)).sum() / total))
    half = _CROP_PX / 2
    zoom = half / max(1.0, _REACH_SPREADS * spread)
    place = np.array([[zoom, 0, half - 0.5 - zoom * x], [0, zoom, half - 0.5 - zoom * y]], np.float32)
    smooth = cv2.GaussianBlur(density, (0, 0), 0.5 * max(1.0, 1 / zoom))
    return np.asarray(cv2.warpAffine(smooth, place, (_CROP_PX, _CROP_PX), flags=cv2.INTER_LINEAR), np.float32)


def _hash(crop: NDArray[np.float32]) -> NDArray[np.bool_]:
    """256 bits, the same however strongly the tissue is stained."""
    strongest = float(np.quantile(crop[crop > 0], 0.99)) if (crop > 0).any() else 1.0
    grey = Image.fromarray((255 * np.clip(crop / strongest, 0, 1)).astype(np.uint8))
    return imagehash.phash(grey, hash_size=HASH_SIDE, highfreq_factor=_CROP_PX // HASH_SIDE).hash.ravel()
