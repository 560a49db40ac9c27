"""Figures of runs and differences between them. In: tallies of the same slides. Out: values with intervals."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qc.ablate.tally import BINS, HALF, SlideTally, auroc, first_bin_at_tnr
from qc.metrics import Counts, bootstrap_interval

TNR = 0.95
"""Where TPR is compared at equal TNR."""

_SEED = 5


@dataclass(frozen=True, eq=False)
class Unit:
    """One slide, with its counts at 0.5 and at the threshold for `TNR` that the other slides ask for."""

    tally: SlideTally
    at_half: Counts
    at_tnr: Counts


Units = Sequence[Unit]
Measure = Callable[[Units], float]


@dataclass(frozen=True)
class Value:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def units_of(tallies: Sequence[SlideTally]) -> list[Unit]:
    """Slides with what is called on them; a slide's own cells never choose its threshold."""
    pooled = sum((one.clean for one in tallies), start=np.zeros(BINS, np.int64))
    return [
        Unit(one, one.counts(HALF), one.counts(first_bin_at_tnr(pooled - one.clean, TNR)) if len(tallies) > 1
             else one.counts(BINS))
        for one in tallies
    ]  # fmt: skip


def measures(prevalence: float) -> Mapping[str, Measure]:
    """What is reported of a run; rates that move with prevalence are restated at `prevalence`, 0-1."""

    def accuracy(units: Units) -> float:
        counts = _half(units)
        return counts.tpr * prevalence + counts.tnr * (1 - prevalence)

    def ppv(units: Units) -> float:
        counts = _half(units)
        right, wrong = counts.tpr * prevalence, (1 - counts.tnr) * (1 - prevalence)
        return right / (right + wrong) if right + wrong > 0 else math.nan

    return {
        "TPR": tpr,
        "TNR": tnr,
        "PPV": ppv,
        "NPV": lambda units: _half(units).npv_at(prevalence),
        "accuracy": accuracy,
        "AUROC": auroc_of_cells,
        "TPR at equal TNR": tpr_at_tnr,
        "AUROC, real tiles": auroc_of_real_tiles,
    }


def tpr(units: Units) -> float:
    """Share of artefact cells called at 0.5."""
    return _half(units).tpr


def tnr(units: Units) -> float:
    """Share of clean cells not called at 0.5."""
    return _half(units).tnr


def auroc_of_cells(units: Units) -> float:
    """Chance that an artefact cell scores higher than a clean one."""
    return auroc(_pooled([one.tally.clean for one in units]), _pooled([one.tally.spoilt for one in units]))


def tpr_at_tnr(units: Units) -> float:
    """TPR at thresholds from the other slides."""
    return sum((one.at_tnr for one in units), start=Counts(0, 0, 0, 0)).tpr


def auroc_of_real_tiles(units: Units) -> float:
    """Chance that a tile with a real artefact scores higher than one without."""
    return auroc(_pooled([one.tally.real[0] for one in units]), _pooled([one.tally.real[1] for one in units]))


def measured(units: Units, measure: Measure, repeats: int) -> Value:
    """A figure with its interval by bootstrap over slides."""
    low, high = bootstrap_interval(list(units), measure, np.random.default_rng(_SEED), repeats)
    return Value(measure(units), low, high)


def compared(runs: Sequence[Units], statistic: Callable[[Sequence[Units]], float], repeats: int) -> Value:
    """A figure of several runs, with its interval by bootstrap over slides that all runs share.

    Args:
        runs: Units of each run, slide by slide the same.
        statistic: From runs to a number.
        repeats: Resamples.
    """
    slides = list(zip(*runs, strict=True))

    def of(drawn: Sequence[tuple[Unit, ...]]) -> float:
        return statistic(list(zip(*drawn, strict=True)))

    low, high = bootstrap_interval(slides, of, np.random.default_rng(_SEED), repeats)
    return Value(statistic(runs), low, high)


def _half(units: Units) -> Counts:
    return sum((one.at_half for one in units), start=Counts(0, 0, 0, 0))


def _pooled(histograms: Sequence[np.ndarray]) -> np.ndarray:
    return np.sum(histograms, axis=0)
