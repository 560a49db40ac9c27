"""How far a quicker form of a network says the same. In: two forms, tiles. Out: how their cells agree."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.artefact.network.evidence import decide, thresholds_of
from qc.labels import ArtefactClass
from qc.nets.card import Card

Form = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Pixels in, (C, h, w) probabilities out."""


@dataclass(frozen=True)
class Agreement:
    """Counts of cells, and what suspicion differs by.

    Attributes:
        cells: All.
        equal: Those called the same by both.
        called: Those that either calls an artefact.
        called_equal: Of these, those called the same by both.
        difference: Sum over cells of the absolute difference of suspicion.
    """

    cells: int
    equal: int
    called: int
    called_equal: int
    difference: float

    @property
    def share(self) -> float:
        """Share of cells called the same, 0-1; NaN without cells."""
        return self.equal / self.cells if self.cells else float("nan")

    @property
    def called_share(self) -> float:
        """The same among cells that either calls an artefact."""
        return self.called_equal / self.called if self.called else float("nan")

    @property
    def mean_difference(self) -> float:
        """Mean absolute difference of suspicion, 0-1; NaN without cells."""
        return self.difference / self.cells if self.cells else float("nan")


def agreement(exact: Form, other: Form, card: Card, tiles: Iterable[NDArray[np.uint8]]) -> Agreement:
    """Run both over tiles and compare what they call each cell.

    Args:
        exact: The network.
        other: Its quicker form.
        card: Of both.
        tiles: (H, W, 3) uint8 each.
    """
    thresholds = thresholds_of(card)
    cells = equal = called = called_equal = 0
    difference = 0.0
    for rgb in tiles:
        first, second = (decide(form(rgb), card, thresholds) for form in (exact, other))
        is_equal = first[0] == second[0]
        is_called = (first[0] != ArtefactClass.CLEAN) | (second[0] != ArtefactClass.CLEAN)
        cells += is_equal.size
        equal += int(is_equal.sum())
        called += int(is_called.sum())
        called_equal += int((is_equal & is_called).sum())
        difference += float(np.abs(first[1].astype(np.float64) - second[1]).sum()) / 255
    return Agreement(cells, equal, called, called_equal, difference)
