"""Cells labelled by a learner that taught itself, round by round. In: bags, perhaps labelled cells. Out: arrays.

Algorithm 1 of the published recipe. Cells of reactive patients are known to be healthy; which cells of tumoral patients
are malignant, nobody knows. A learner starts from cells that are labelled themselves; in each round its surest
malignant cells of tumoral patients are learnt from too, with as many cells of reactive patients. The cells so found
alone train the last learner; its counts go to gradient boosting together with lymphocyte count and age.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import PseudoLabelSettings

Float = NDArray[np.float64]
Rows = NDArray[np.intp]

CALLED_FROM = 0.5

Learn = Callable[[Rows, NDArray[np.bool_]], Float]
"""From rows of known cells and their labels to the chance of malignant for every cell."""


@dataclass(frozen=True)
class Found:
    """What the rounds found.

    Attributes:
        malignant: Rows of cells called malignant, surest first within a round.
        healthy: As many rows of reactive patients.
        rounds: Rounds in which cells were found.
    """

    malignant: Rows
    healthy: Rows
    rounds: int

    @property
    def labelled(self) -> tuple[Rows, NDArray[np.bool_]]:
        """All rows and their labels."""
        labels = np.repeat([True, False], [len(self.malignant), len(self.healthy)])
        return np.concatenate([self.malignant, self.healthy]), labels


def find_cells(
    learn: Learn,
    start: tuple[Rows, NDArray[np.bool_]],
    tumoral: Rows,
    reactive: Rows,
    settings: PseudoLabelSettings,
    rng: np.random.Generator,
) -> Found:
    """Add the surest cells round by round.

    Args:
        learn: The learner.
        start: Rows that are labelled at the beginning, and their labels.
        tumoral: Rows of cells of tumoral patients.
        reactive: Rows of cells of reactive patients.
        settings: Rounds, and cells added in each.
        rng: Draws healthy cells.
    """
    malignant: list[int] = []
    healthy: list[int] = []
    found_in = 0
    for number in range(settings.rounds):
        wanted = settings.careful_cells if number < settings.careful_rounds else settings.cells
        rows = np.concatenate([start[0], np.array(malignant + healthy, np.intp)])
        labels = np.concatenate([start[1], np.repeat([True, False], [len(malignant), len(healthy)])])
        chance = learn(rows, labels)
        open_rows = np.setdiff1d(tumoral, malignant)
        called = open_rows[chance[open_rows] >= CALLED_FROM]
        surest = called[np.argsort(-chance[called], kind="stable")][:wanted]
        left = np.setdiff1d(reactive, healthy)
        drawn = left[rng.permutation(len(left))[: len(surest)]]
        malignant += surest[: len(drawn)].tolist()
        healthy += drawn.tolist()
        found_in += len(drawn) > 0
    return Found(np.array(malignant, np.intp), np.array(healthy, np.intp), found_in)


def match_colours(
    pixels: NDArray[np.uint8], mean: Float, deviation: Float, own: tuple[Float, Float]
) -> NDArray[np.uint8]:
    """Each colour with another mean and deviation: m1 + s1 (x - m0) / s0.

    Args:
        pixels: (..., 3) uint8.
        mean: (3,) wanted.
        deviation: (3,) wanted.
        own: Mean and deviation of the whole set that the pixels are of.
    """
    moved = mean + deviation * (pixels - own[0]) / np.maximum(own[1], 1e-6)
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)
