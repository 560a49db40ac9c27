"""Figures of labelled cells. In: scored cells. Out: thresholds, counts, AUROC and intervals over slides.

A threshold for a slide is found on the clean cells of all other slides, so no slide chooses its own.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from qc.evaluate.cells import CellResult
from qc.metrics import Counts, bootstrap_interval, thresholds_from_others
from qc.metrics.ranking import auroc

TARGET_TNRS = (0.90, 0.95, 0.99)
FIXED_LIMIT = 0.5
"""Detection score above which a cell is called when nothing is tuned."""

_SEED = 20252
_REPEATS = 500

Thresholds = Mapping[str, float]
BySlide = Mapping[str, Sequence[CellResult]]


def judged_by_slide(results: Iterable[CellResult]) -> dict[str, list[CellResult]]:
    """The cells that figures are about, slides in alphabetical order; slides without any are left out."""
    groups: dict[str, list[CellResult]] = {}
    for cell in sorted(results, key=lambda cell: cell.slide):
        if cell.counts_for_artefacts:
            groups.setdefault(cell.slide, []).append(cell)
    return groups


def fixed(results: Iterable[CellResult], limit: float = FIXED_LIMIT) -> dict[str, float]:
    """One threshold for every slide."""
    return {cell.slide: limit for cell in results}


def thresholds_at(results: Iterable[CellResult], tnr: float) -> dict[str, float]:
    """A threshold for each slide that keeps `tnr` of the other slides' clean cells uncalled; NaN without others."""
    clean: dict[str, list[float]] = {}
    for cell in results:
        own = clean.setdefault(cell.slide, [])
        if cell.is_clean:
            own.append(cell.score)
    return thresholds_from_others(clean, tnr)


def is_called(cell: CellResult, thresholds: Thresholds) -> bool:
    """True above the threshold of its slide."""
    return cell.score > thresholds[cell.slide]


def counts(cells: Iterable[CellResult], thresholds: Thresholds) -> Counts:
    """Artefact cells called or not; cells of slides without a threshold are left out."""
    known = [cell for cell in cells if not math.isnan(thresholds[cell.slide])]
    truth = np.array([cell.is_artefact for cell in known], bool)
    return Counts.of(truth, np.array([is_called(cell, thresholds) for cell in known], bool))


def auroc_of(cells: Iterable[CellResult]) -> float:
    """How well the detection score ranks artefact cells above clean ones."""
    listed = list(cells)
    return auroc([cell.is_artefact for cell in listed], [cell.score for cell in listed])


def auroc_interval(groups: BySlide) -> tuple[float, float]:
    """95 % interval of the AUROC, bootstrapped over slides."""
    return _interval(groups, lambda drawn: auroc_of(cell for cells in drawn for cell in cells))


def rate_interval(groups: BySlide, thresholds: Thresholds, rate: str) -> tuple[float, float]:
    """95 % interval of a rate of `Counts`, bootstrapped over slides with their thresholds kept."""
    per_slide = [counts(cells, thresholds) for cells in groups.values()]
    pooled = _rate_of_sum(rate)
    return bootstrap_interval(per_slide, pooled, np.random.default_rng(_SEED), _REPEATS)


def _rate_of_sum(rate: str) -> Callable[[Sequence[Counts]], float]:
    return lambda drawn: getattr(sum(drawn, Counts(0, 0, 0, 0)), rate)


def _interval(groups: BySlide, statistic: Callable[[Sequence[Sequence[CellResult]]], float]) -> tuple[float, float]:
    return bootstrap_interval(list(groups.values()), statistic, np.random.default_rng(_SEED), _REPEATS)
