"""Two arms on the same slides. In: scores of slides by arm and seed. Out: figures, differences, who changed.

Patients are resampled for both arms together, so that the interval is of the difference and not of the patients.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.downstream.slide_score import CALLED_FROM
from qc.metrics.intervals import bootstrap_interval

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """What one arm says of the slides.

    Attributes:
        slides: (N,) slide ids.
        people: (N,) patients.
        target: (N,) bool, True for the positive label.
        score: (N, S) share of tiles called positive by each of S trainings; NaN without tiles.
        right: (N, S) share of tiles called right; NaN without tiles.
    """

    slides: tuple[str, ...]
    people: tuple[str, ...]
    target: NDArray[np.bool_]
    score: Float
    right: Float

    def at(self, rows: Sequence[int] | NDArray[np.intp]) -> "Scores":
        """Some slides, as often as they are named."""
        return Scores(
            tuple(self.slides[i] for i in rows),
            tuple(self.people[i] for i in rows),
            self.target[rows],
            self.score[rows],
            self.right[rows],
        )

    @classmethod
    def of(cls, trainings: Sequence[pd.DataFrame]) -> "Scores":
        """From one table for each training, columns of `slide_scores`; all of the same slides in the same order."""
        first = trainings[0]
        slides = tuple(first["slide_id"])
        if any(tuple(one["slide_id"]) != slides for one in trainings):
            raise ValueError("trainings were tested on different slides")
        target = first["target"].to_numpy() == 1
        score = np.stack([one["score"].to_numpy(np.float64) for one in trainings], axis=1)
        return cls(slides, tuple(first["person"]), target, score, np.where(target[:, None], score, 1 - score))


Statistic = Callable[[Scores], float]


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % interval; NaN bounds when there is none."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        return f"{self.value:.2f}" + ("" if math.isnan(self.low) else f" [{self.low:.2f}, {self.high:.2f}]")


def slides_right(scores: Scores) -> float:
    """Share of slides called right at a score of 0.5; a slide without a score is not right."""
    called = (scores.score >= CALLED_FROM) == scores.target[:, None]
    return float((called & ~np.isnan(scores.score)).mean()) if len(scores.slides) else math.nan


def ranking(scores: Scores) -> float:
    """AUROC of the score, mean over trainings; slides without a score are left out."""
    values = [_auroc(scores.target, column) for column in scores.score.T]
    return float(np.mean(values)) if values else math.nan


def tiles_right(scores: Scores) -> float:
    """Share of tiles called right, mean over the slides of a label and then over labels: chance is 0.5."""
    of_label = [scores.right[scores.target == label] for label in (False, True)]
    if any(np.isnan(part).all() for part in of_label):
        return math.nan
    return float(np.mean([np.nanmean(part) for part in of_label]))


STATISTICS: Mapping[str, Statistic] = {
    "slides right": slides_right,
    "AUROC of slides": ranking,
    "tiles right": tiles_right,
}


def figure(scores: Scores, statistic: Statistic, repeats: int) -> Figure:
    """A statistic of one arm, with its interval over patients."""
    low, high = bootstrap_interval(
        _rows_of_people(scores), lambda drawn: statistic(scores.at(np.concatenate(drawn))), _rng(), repeats
    )
    return Figure(statistic(scores), low, high)


def difference(before: Scores, after: Scores, statistic: Statistic, repeats: int) -> Figure:
    """What changed from one arm to another, with its interval over patients.

    Raises:
        ValueError: If the arms were not tested on the same slides.
    """
    _check(before, after)

    def change(drawn: Sequence[NDArray[np.intp]]) -> float:
        rows = np.concatenate(drawn)
        return statistic(after.at(rows)) - statistic(before.at(rows))

    low, high = bootstrap_interval(_rows_of_people(before), change, _rng(), repeats)
    return Figure(statistic(after) - statistic(before), low, high)


def changed(before: Scores, after: Scores) -> pd.DataFrame:
    """Slides whose call changed: `slide_id`, `target`, `before` and `after` (mean scores of trainings), `became`.

    `became` is right, wrong, unscored or scored.

    Raises:
        ValueError: If the arms were not tested on the same slides.
    """
    _check(before, after)
    old, new = before.score.mean(axis=1), after.score.mean(axis=1)
    became = [_became(*row) for row in zip(before.target, old, new, strict=True)]
    table = pd.DataFrame(
        {"slide_id": before.slides, "target": before.target, "before": old, "after": new, "became": became}
    )
    return table.loc[table["became"] != ""].reset_index(drop=True)


def _became(target: bool, before: float, after: float) -> str:
    if math.isnan(before) or math.isnan(after):
        if math.isnan(before) and math.isnan(after):
            return ""
        return "unscored" if math.isnan(after) else "scored"
    was, is_now = ((score >= CALLED_FROM) == target for score in (before, after))
    return "" if was == is_now else ("right" if is_now else "wrong")


def _check(before: Scores, after: Scores) -> None:
    if before.slides != after.slides or before.people != after.people:
        raise ValueError("the arms were not tested on the same slides")


def _rows_of_people(scores: Scores) -> list[NDArray[np.intp]]:
    people = np.asarray(scores.people)
    return [np.flatnonzero(people == person) for person in dict.fromkeys(scores.people)]


def _auroc(target: NDArray[np.bool_], score: Float) -> float:
    """By comparing all pairs: few slides, many resamples."""
    known = ~np.isnan(score)
    positive, negative = score[known & target], score[known & ~target]
    if not (len(positive) and len(negative)):
        return math.nan
    apart = positive[:, None] - negative[None, :]
    return float(((apart > 0) + 0.5 * (apart == 0)).mean())


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
