"""What was found before, held against figures. In: runs of one experiment. Out: claims with a verdict.

A claim is confirmed when the whole interval of its figure lies on its side of zero, refuted when it lies on the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qc.ablate.design import FACTORS, Factor, Point
from qc.ablate.measure import Measure, Units, Value, auroc_of_cells, compared, tnr, tpr

Runs = Mapping[Point, Units]
Pairs = list[tuple[Units, Units]]
RARE, MANY = "random", 0.75
"""Samplings between which balance is judged."""


@dataclass(frozen=True)
class Claim:
    """One sentence and what speaks for it.

    Attributes:
        sentence: What was found.
        figure: What is measured here.
        value: With interval; None when the runs it needs were not made.
    """

    sentence: str
    figure: str
    value: Value | None

    @property
    def verdict(self) -> str:
        """confirmed, refuted, undecided or not measured."""
        if self.value is None:
            return "not measured"
        if self.value.low > 0:
            return "confirmed"
        return "refuted" if self.value.high < 0 else "undecided"


@dataclass(frozen=True)
class Change:
    """What one level of one choice does beside another, all else equal.

    Attributes:
        factor: The choice.
        before: Level of the base point.
        after: The other level.
        values: By measure.
    """

    factor: Factor
    before: str
    after: str
    values: Mapping[str, Value]


def pairs_of(runs: Runs, factor: Factor, before: Any, after: Any) -> Pairs:
    """All runs with `before` beside those with `after`, everything else equal."""
    found = []
    for point, units in runs.items():
        if getattr(point, factor) == before:
            other = runs.get(replace(point, **{factor: after}))
            if other is not None:
                found.append((units, other))
    return found


def changes(runs: Runs, base: Point, chosen: Mapping[str, Measure], repeats: int) -> list[Change]:
    """Every level beside the base point's, averaged over all pairs of runs that differ in nothing else.

    Args:
        runs: Units of each point.
        base: The point whose levels others are compared with.
        chosen: What is compared.
        repeats: Resamples of slides.
    """
    found = []
    for factor in FACTORS:
        before = getattr(base, factor)
        for after in dict.fromkeys(getattr(point, factor) for point in runs):
            pairs = pairs_of(runs, factor, before, after)
            if after != before and pairs:
                values = {name: _change(pairs, measure, repeats) for name, measure in chosen.items()}
                labels = base.shown(factor), replace(base, **{factor: after}).shown(factor)
                found.append(Change(factor, *labels, values))
    return found


def claims(runs: Runs, base: Point, repeats: int) -> list[Claim]:
    """The findings of Foucart et al. 2018 (doi:10.1109/CloudTech.2018.8713350), and one of ours.

    Args:
        runs: Units of each point.
        base: The point that was varied.
        repeats: Resamples of slides.
    """
    balance = pairs_of(runs, "sampling", RARE, MANY)
    networks = _others(runs, base, "network")
    outputs = _others(runs, base, "output")
    fewer = pairs_of(runs, "sampling", RARE, 0.5)
    coarse = max((point.mpp for point in runs), default=base.mpp)
    resolution = pairs_of(runs, "mpp", min(point.mpp for point in runs), coarse) if coarse > base.mpp else []
    return [
        Claim("more artefact tiles in a batch raise the TPR", "TPR at 75 % minus TPR at random",
              _signed(balance, tpr, 1, repeats)),
        Claim("that costs TNR", "TNR at random minus TNR at 75 %", _signed(balance, tnr, -1, repeats)),
        Claim("balance matters more than the network", "effect of 75 % instead of random minus effect of the network",
              _larger(balance, networks, repeats)),
        Claim("the kind of output matters more than the network", "effect of the output minus effect of the network",
              _larger(outputs, networks, repeats)),
        Claim("resolution matters more than the network",
              f"effect of {coarse:g} mpp instead of the finest minus effect of the network",
              _larger(resolution, networks, repeats)),
        Claim("balance makes networks tell more apart, it does not only move their threshold",
              "AUROC at 50 % minus AUROC at random", _signed(fewer, auroc_of_cells, 1, repeats)),
    ]  # fmt: skip


def _others(runs: Runs, base: Point, factor: Factor) -> Pairs:
    before = getattr(base, factor)
    levels = dict.fromkeys(getattr(point, factor) for point in runs)
    return [pair for after in levels if after != before for pair in pairs_of(runs, factor, before, after)]


def _change(pairs: Pairs, measure: Measure, repeats: int) -> Value:
    return _over(pairs, lambda before, after: measure(after) - measure(before), repeats)


def _signed(pairs: Pairs, measure: Measure, sign: int, repeats: int) -> Value | None:
    if not pairs:
        return None
    return _over(pairs, lambda before, after: sign * (measure(after) - measure(before)), repeats)


def _larger(pairs: Pairs, others: Pairs, repeats: int) -> Value | None:
    """Effect of one choice minus effect of another."""
    if not (pairs and others):
        return None
    runs = [units for pair in (*pairs, *others) for units in pair]

    def statistic(drawn: Sequence[Units]) -> float:
        return _mean_effect(drawn[: 2 * len(pairs)]) - _mean_effect(drawn[2 * len(pairs) :])

    return compared(runs, statistic, repeats)


def _mean_effect(drawn: Sequence[Units]) -> float:
    """Change of TPR and change of TNR, whatever their signs, added; the mean over pairs."""
    pairs = list(zip(drawn[::2], drawn[1::2], strict=True))
    return sum(abs(tpr(after) - tpr(before)) + abs(tnr(after) - tnr(before)) for before, after in pairs) / len(pairs)


def _over(pairs: Pairs, difference: Callable[[Units, Units], float], repeats: int) -> Value:
    runs = [units for pair in pairs for units in pair]

    def statistic(drawn: Sequence[Units]) -> float:
        found = [difference(before, after) for before, after in zip(drawn[::2], drawn[1::2], strict=True)]
        return sum(found) / len(found)

    return compared(runs, statistic, repeats)
