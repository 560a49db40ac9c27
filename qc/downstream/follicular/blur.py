"""How much of a classifier's success is blur. In: tiles of which one label is softer. Out: AUROCs and rates.

A score that looks at nothing but sharpness is the yardstick; then the classifier is given tiles whose sharpness says
nothing (all blurred alike, or subsets matched in sharpness), and tiles whose sharpness says the opposite.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from qc.config.downstream import BlurStudySettings, ClassifierSettings
from qc.downstream.arms import Arm, Bench, Outcome
from qc.downstream.bank import Bank, places
from qc.downstream.compare import Figure
from qc.downstream.sharpness import blurred_to, matched, sharpness
from qc.downstream.slide_score import CALLED_FROM
from qc.metrics.intervals import bootstrap_interval


@dataclass(frozen=True)
class TileScores:
    """Tiles with a score: (N,) slide ids, bool targets, scores; higher speaks for the positive label."""

    slide: NDArray[np.str_]
    target: NDArray[np.bool_]
    score: NDArray[np.float64]

    @classmethod
    def of(cls, outcome: Outcome) -> "TileScores":
        """Mean chance over trainings."""
        keys = ["slide_id", "x_level0", "y_level0"]
        mean = outcome.tiles.groupby(keys, sort=True).agg(target=("target", "first"), score=("probability", "mean"))
        slides = mean.index.get_level_values("slide_id").to_numpy(str)
        return cls(slides, mean["target"].to_numpy() == 1, mean["score"].to_numpy(np.float64))

    def at(self, rows: NDArray[np.intp]) -> "TileScores":
        """Some of the tiles."""
        return TileScores(self.slide[rows], self.target[rows], self.score[rows])


Measure = Callable[[TileScores], float]


def ranked(tiles: TileScores) -> float:
    """AUROC over tiles, by ranks (Mann and Whitney 1947): fast enough for thousands of resamples."""
    positives = int(tiles.target.sum())
    pairs = positives * (len(tiles.target) - positives)
    if not pairs:
        return math.nan
    above = rankdata(tiles.score)[tiles.target].sum() - positives * (positives + 1) / 2
    return float(above / pairs)


def called(tiles: TileScores) -> float:
    """Share of tiles called positive; of one label this is its TPR, of the other 1 - TNR."""
    return float((tiles.score >= CALLED_FROM).mean()) if len(tiles.score) else math.nan


def over_slides(tiles: TileScores, measure: Measure, repeats: int) -> Figure:
    """A figure with its interval over slides."""
    rows = [np.flatnonzero(tiles.slide == slide) for slide in np.unique(tiles.slide)]
    low, high = bootstrap_interval(
        rows, lambda drawn: measure(tiles.at(np.concatenate(drawn))), np.random.default_rng(0), repeats
    )
    return Figure(measure(tiles), low, high)


@dataclass(frozen=True)
class BlurStudy:
    """What was found.

    Attributes:
        ranking: AUROC over tiles by what was ranked.
        calls: Share of sharp tiles of a label that are called positive: as scanned, and blurred.
        laplacian: Median variance of the Laplacian by label, tiles as in their files.
        by_slide: A row per slide: `slide_id`, `label`, `tiles`, `laplacian`, `out_of_focus` (mean share by the map),
            `scanned` and `blurred` (share of tiles called positive).
        matched_tiles: Tiles of the subset matched in sharpness.
        tiles: Tiles in all.
        removed: Tiles that the filter removed.
        slides: Slides in all.
    """

    ranking: Mapping[str, Figure]
    calls: Mapping[str, tuple[Figure, Figure]]
    laplacian: Mapping[str, float]
    by_slide: pd.DataFrame
    matched_tiles: int
    tiles: int
    removed: int
    slides: int


def blur_study(
    bench: Bench, tiles: pd.DataFrame, full: Bank, classifier: ClassifierSettings, settings: BlurStudySettings
) -> BlurStudy:
    """All figures.

    Args:
        bench: Parts, pixels and seeds.
        tiles: All labelled tiles.
        full: The same tiles at the size of their files, to see what reduction hides.
        classifier: Settings of the raw classifier.
        settings: Of this study.
    """
    raw = Arm("as scanned", classifier)
    wanted = float(np.percentile(_sharp(tiles, bench.bank), settings.soft_centile))
    soft = bench.bank.changed(lambda rgb, _: blurred_to(rgb, wanted))
    plain = bench.outcome(raw)
    scanned, blurred = TileScores.of(plain), TileScores.of(bench.outcome(raw, soft))
    evenly = TileScores.of(replace(bench, bank=soft).outcome(raw))
    sharp = _sharp_of(plain, bench.bank)
    rows = matched(sharp.tolist(), scanned.target.astype(int).tolist(), settings.bins)
    names = classifier.negative, classifier.positive
    ranking = {
        f"softness alone, tiles of {full.input_px} px": _softness(tiles, full),
        f"softness alone, tiles of {bench.bank.input_px} px": _softness(tiles, bench.bank),
        "trained and tested as scanned": scanned,
        "the same on a subset matched in sharpness": scanned.at(rows),
        "softness alone on that subset": replace(scanned, score=-sharp).at(rows),
        f"trained as scanned, tested with {names[1]} sharp and {names[0]} blurred": _swapped(
            scanned, blurred, sharp, wanted
        ),
        "trained as scanned, tested equally blurred": blurred,
        "trained and tested equally blurred": evenly,
    }
    is_sharp, repeats = sharp > wanted, settings.compare.repeats
    of_label = {name: np.flatnonzero((scanned.target == bool(i)) & is_sharp) for i, name in enumerate(names)}
    return BlurStudy(
        {name: over_slides(one, ranked, repeats) for name, one in ranking.items()},
        {
            name: (over_slides(scanned.at(few), called, repeats), over_slides(blurred.at(few), called, repeats))
            for name, few in of_label.items()
        },
        _by_label(tiles, full, names),
        _by_slide(tiles, full, scanned, blurred),
        len(rows),
        len(tiles),
        int(np.count_nonzero(~tiles["is_kept"].to_numpy())),
        len(set(tiles["slide_id"])),
    )


def _swapped(scanned: TileScores, blurred: TileScores, sharp: NDArray[np.float64], wanted: float) -> TileScores:
    """Positive tiles that are sharp, and negative ones blurred: sharpness says the opposite of what it said."""
    score = np.where(scanned.target, scanned.score, blurred.score)
    return replace(scanned, score=score).at(np.flatnonzero(~scanned.target | (sharp > wanted)))


def _sharp(table: pd.DataFrame, bank: Bank) -> list[float]:
    return [sharpness(bank.tile(place)) for place in places(table)]


def _sharp_of(outcome: Outcome, bank: Bank) -> NDArray[np.float64]:
    """Sharpness in the order of `TileScores.of`."""
    return np.array([sharpness(bank.tile(place)) for place in sorted(set(places(outcome.tiles)))])


def _softness(table: pd.DataFrame, bank: Bank) -> TileScores:
    slides = table["slide_id"].to_numpy(str)
    return TileScores(slides, table["target"].to_numpy() == 1, -np.asarray(_sharp(table, bank)))


def _by_slide(table: pd.DataFrame, bank: Bank, scanned: TileScores, blurred: TileScores) -> pd.DataFrame:
    laplacian = table.assign(laplacian=np.exp(np.asarray(_sharp(table, bank))))
    found = laplacian.groupby("slide_id", sort=True).agg(
        label=("label", "first"),
        tiles=("label", "size"),
        laplacian=("laplacian", "median"),
        out_of_focus=("out_of_focus", "mean"),
    )
    for name, one in (("scanned", scanned), ("blurred", blurred)):
        found[name] = [called(one.at(np.flatnonzero(one.slide == slide))) for slide in found.index]
    return found.reset_index()


def _by_label(table: pd.DataFrame, bank: Bank, names: Sequence[str]) -> dict[str, float]:
    value = np.exp(np.asarray(_sharp(table, bank)))
    return {name: float(np.median(value[(table["label"] == name).to_numpy()])) for name in names}
