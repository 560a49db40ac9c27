"""How well single objects were found, as the GlaS challenge measures it. In: label images. Out: F1, Dice, Hausdorff.

Each object is judged against the one of the other image that shares most pixels with it. Overlap and distance are
means over the objects of either image, weighted by their area, and then over the two images (Sirinukunwattana et al.
2017, doi:10.1016/j.media.2016.08.008; https://glas.grand-challenge.org/Evaluation). Objects of several images pool:
weights are shares of the area of all of them. Pure; no files.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

Labels = NDArray[np.integer]

_ENOUGH = 0.5
_MANY = 1 << 22


@dataclass(frozen=True)
class Sums:
    """What the objects of one side of a comparison add up to.

    Attributes:
        area_px: Their pixels.
        dice: Overlap of each with its partner, 0-1, times its pixels; 0 for one that touches none.
        hausdorff_px: Distance of each from its partner, times its pixels; from the nearest object for one that touches
            none, and the image's diagonal where the other image is empty.
    """

    area_px: int = 0
    dice: float = 0.0
    hausdorff_px: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.area_px + other.area_px, self.dice + other.dice, self.hausdorff_px + other.hausdorff_px)


@dataclass(frozen=True)
class Agreement:
    """Two label images, or many pairs of them: `a + b` pools.

    Attributes:
        tp: Found objects that cover at least half of their true one.
        fp: Other found objects.
        fn: True objects of which no found object that belongs to them covers half.
        true: Of the true objects.
        found: Of the found objects.
    """

    tp: int
    fp: int
    fn: int
    true: Sums
    found: Sums

    def __add__(self, other: "Agreement") -> "Agreement":
        counts = self.tp + other.tp, self.fp + other.fp, self.fn + other.fn
        return Agreement(*counts, self.true + other.true, self.found + other.found)

    @property
    def precision(self) -> float:
        """Share of found objects that are true; NaN when nothing was found."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else math.nan

    @property
    def recall(self) -> float:
        """Share of true objects that were found; NaN when there are none."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN when there is nothing to find and nothing was found."""
        every = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / every if every else math.nan

    @property
    def dice(self) -> float:
        """Object-level Dice, 0-1; NaN when there are no objects at all."""
        sides = [one.dice / one.area_px for one in (self.true, self.found) if one.area_px]
        return sum(sides) / 2 if sides else math.nan  # a side without objects has nothing right

    @property
    def hausdorff_px(self) -> float:
        """Object-level Hausdorff distance, pixels; NaN when there are no objects at all."""
        sides = [one.hausdorff_px / one.area_px for one in (self.true, self.found) if one.area_px]
        return sum(sides) / len(sides) if sides else math.nan  # a side without objects says nothing


def pooled(agreements: Iterable[Agreement]) -> Agreement:
    """All objects of several images together."""
    return sum(agreements, start=Agreement(0, 0, 0, Sums(), Sums()))


def agreement(truth: Labels, found: Labels) -> Agreement:
    """Compare two label images.

    Args:
        truth: (H, W) integers, 0 outside objects, one number for each true object.
        found: (H, W) likewise, of the found objects.

    Raises:
        ValueError: If the shapes differ, or a number is below 0.
    """
    if truth.shape != found.shape:
        raise ValueError(f"truth {truth.shape} and found objects {found.shape} differ in shape")
    of_true, of_found = _Side.of(truth), _Side.of(found)
    shared = _shared(of_true, of_found)
    tp, covered = _hits(of_true, shared)
    sums = _sums(of_true, of_found, shared), _sums(of_found, of_true, shared.T)
    return Agreement(tp, len(of_found.areas) - tp, len(of_true.areas) - covered, *sums)


@dataclass(frozen=True)
class _Side:
    """A label image with numbers 1 to N: (H, W) int32, areas and boxes of the N objects."""

    labels: NDArray[np.int32]
    areas: NDArray[np.intp]
    boxes: Sequence[tuple[slice, ...]]

    @classmethod
    def of(cls, labels: Labels) -> "_Side":
        own = numbered(labels)
        return cls(own, np.bincount(own.ravel(), minlength=1)[1:], find_objects(own))


def numbered(labels: Labels) -> NDArray[np.int32]:
    """Objects numbered from 1 without gaps, in the order of their numbers.

    Args:
        labels: Integers, 0 outside objects.

    Raises:
        ValueError: If a number is below 0.

    >>> numbered(np.array([0, 7, 3, 7])).tolist()
    [0, 2, 1, 2]
    """
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < 0:
        raise ValueError(f"objects are numbered from 1, not {low}")
    if high > _MANY:  # a table of all numbers would be too large
        values = np.unique(labels)
        return np.searchsorted(values[values > 0], labels, side="right").astype(np.int32)
    is_there = np.bincount(labels.ravel(), minlength=high + 1) > 0
    is_there[0] = False
    return np.where(is_there, np.cumsum(is_there), 0).astype(np.int32)[labels]


def _shared(true: _Side, found: _Side) -> NDArray[np.intp]:
    """(N, M) pixels that each true object shares with each found one."""
    wide = len(found.areas) + 1
    pairs = true.labels.ravel().astype(np.int64) * wide + found.labels.ravel()
    table = np.bincount(pairs, minlength=(len(true.areas) + 1) * wide)
    return table.reshape(-1, wide)[1:, 1:]


def _hits(true: _Side, shared: NDArray[np.intp]) -> tuple[int, int]:
    """Found objects that cover half of the true one they share most with, and true objects so covered."""
    if not shared.size:
        return 0, 0
    partner = shared.argmax(axis=0)
    overlap = shared[partner, np.arange(shared.shape[1])]
    is_hit = (overlap > 0) & (overlap >= _ENOUGH * true.areas[partner])
    return int(is_hit.sum()), len(set(partner[is_hit].tolist()))


def _sums(own: _Side, other: _Side, shared: NDArray[np.intp]) -> Sums:
    """Each object of one image against its partner of the other."""
    return sum((_object(own, other, shared[i], i) for i in range(len(own.areas))), start=Sums())


def _object(own: _Side, other: _Side, shared: NDArray[np.intp], i: int) -> Sums:
    area = int(own.areas[i])
    if not len(other.areas):
        return Sums(area, 0.0, area * math.hypot(*own.labels.shape))
    partner = int(shared.argmax())
    if not shared[partner]:
        nearest = min(_apart(own, i, other, j) for j in range(len(other.areas)))
        return Sums(area, 0.0, area * nearest)
    dice = 2 * int(shared[partner]) / (area + int(other.areas[partner]))
    return Sums(area, area * dice, area * _apart(own, i, other, partner))


def _apart(own: _Side, i: int, other: _Side, j: int) -> float:
    """Hausdorff distance of two objects, looked at where they are."""
    box = tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(own.boxes[i], other.boxes[j], strict=True)
    )
    return hausdorff(own.labels[box] == i + 1, other.labels[box] == j + 1)


def hausdorff(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """The farthest that a pixel of either mask lies from the other mask, pixels.

    Args:
        one: (H, W) bool, not empty.
        other: (H, W) bool, not empty.
    """
    return max(_farthest(one, other), _farthest(other, one))


def _farthest(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    outside = one & ~other
    if not outside.any():
        return 0.0
    distance = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(distance[outside].max())
