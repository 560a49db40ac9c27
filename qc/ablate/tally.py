"""Scores of one slide's cells and tiles, counted in bins. In: scores and truth. Out: histograms that pool by addition.

Bins are equally wide in log odds; 0.5 is an edge, so that what is called there can be counted exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from qc.labels import ARTEFACTS, ArtefactClass
from qc.metrics import Counts

BINS = 240
_LIMIT = 12.0
HALF = BINS // 2
"""The first bin of scores from 0.5."""

Histogram = NDArray[np.int64]


def histogram(scores: NDArray[np.floating]) -> Histogram:
    """(BINS,) numbers of scores, 0-1, of any shape."""
    odds = logit(np.clip(np.asarray(scores, np.float64).ravel(), 1e-9, 1 - 1e-9))
    places = np.clip(np.floor((odds + _LIMIT) * (BINS / (2 * _LIMIT))), 0, BINS - 1).astype(int)
    return np.bincount(places, minlength=BINS).astype(np.int64)


@dataclass(frozen=True, eq=False)
class SlideTally:
    """One test slide.

    Attributes:
        slide: Its name.
        cells: Histogram of the cells of each class, CLEAN among them.
        real: Histograms of tiles without and with an artefact that was met, not composed.
    """

    slide: str
    cells: Mapping[ArtefactClass, Histogram]
    real: tuple[Histogram, Histogram]

    @property
    def clean(self) -> Histogram:
        """Of clean cells."""
        return self.cells[ArtefactClass.CLEAN]

    @property
    def spoilt(self) -> Histogram:
        """Of cells of all artefacts."""
        return sum((self.cells[one] for one in ARTEFACTS), start=np.zeros(BINS, np.int64))

    def counts(self, first: int) -> Counts:
        """What is called from a bin on."""
        return counts_of(self.clean, self.spoilt, first)

    def as_json(self) -> dict[str, Any]:
        """For `from_json`; bins without anything at either end are kept, so that it reads plainly."""
        cells = {one.name: self.cells[one].tolist() for one in self.cells}
        return {"slide": self.slide, "cells": cells, "real": [one.tolist() for one in self.real]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `as_json` gave."""
        cells = {ArtefactClass[name]: np.array(values, np.int64) for name, values in data["cells"].items()}
        without, with_artefact = (np.array(values, np.int64) for values in data["real"])
        return cls(data["slide"], cells, (without, with_artefact))


def counts_of(negative: Histogram, positive: Histogram, first: int) -> Counts:
    """What is called from a bin on."""
    fp, tp = int(negative[first:].sum()), int(positive[first:].sum())
    return Counts(tp, fp, int(negative.sum()) - fp, int(positive.sum()) - tp)


def auroc(negative: Histogram, positive: Histogram) -> float:
    """Chance that a positive scores higher than a negative; ties within a bin count half; NaN without either."""
    n, p = int(negative.sum()), int(positive.sum())
    if not (n and p):
        return float("nan")
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum() / (n * p))


def first_bin_at_tnr(negative: Histogram, tnr: float) -> int:
    """The lowest bin from which at most 1 - `tnr` of the negatives are called; BINS calls nothing."""
    called = np.append(np.cumsum(negative[::-1])[::-1], 0)
    return int(np.flatnonzero(called <= (1 - tnr) * negative.sum() + 1e-9)[0])
