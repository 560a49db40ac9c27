"""Rates of many slides, each with its counts and interval. In: the table of slides. Out: rates, groups."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qc.labels import Verdict
from qc.metrics import wilson_interval
from qc.store.decision import Action

SENDS_BACK = (Action.RE_SCAN, Action.RE_CUT, Action.CLEAN)
"""Decisions after which a slide is scanned anew."""


_GROUPS_PRINTED = 15


@dataclass(frozen=True)
class Rate:
    """A share with its counts and 95 % Wilson interval."""

    name: str
    part: int
    whole: int
    meaning: str

    @property
    def share(self) -> float:
        """0-1; NaN of nothing."""
        return self.part / self.whole if self.whole else math.nan

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return wilson_interval(self.part, self.whole)[0]

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return wilson_interval(self.part, self.whole)[1]


@dataclass(frozen=True)
class GroupRow:
    """Slides that have a scanner, stainer, stain or batch in common."""

    kind: str
    name: str
    rates: tuple[Rate, Rate]
    focus: float
    stain: float


def rates_of(table: pd.DataFrame) -> Iterable[Rate]:
    """The rates of all slides of a table."""
    slides, verdict, decision = len(table), table["verdict"].to_numpy(str), table["decision"].to_numpy(str)
    is_decided, is_accepted = decision != "", decision == Action.ACCEPT
    is_called_usable, is_rejected = verdict == Verdict.USABLE, verdict == Verdict.REJECT
    compared = is_decided & (is_called_usable | is_rejected)
    return (
        Rate("Usable", count_of(table["is_usable"]), slides, "of all slides; a decision counts before the verdict"),
        Rate("Called usable", count_of(is_called_usable), slides, "of all slides, by the software alone"),
        Rate("Re-scan rate", _sent_back(table), slides, "of all slides; decided: re-scan, re-cut or clean"),
        Rate("Rejected", count_of(is_rejected), slides, "of all slides, by the software"),
        Rate("Failed", count_of(verdict == Verdict.UNASSESSED), slides, "of all slides; not assessed"),
        Rate("Decided", count_of(is_decided), slides, "of all slides, by a person"),
        Rate(
            "Agreement",
            count_of(compared & (is_accepted == is_called_usable)),
            count_of(compared),
            "of decided slides that were called usable or reject",
        ),
    )


def _sent_back(table: pd.DataFrame) -> int:
    return count_of(np.isin(table["decision"].to_numpy(str), [str(action) for action in SENDS_BACK]))


def count_of(where: ArrayLike) -> int:
    """How many are true."""
    return int(np.count_nonzero(where))


def groups_of(table: pd.DataFrame) -> Iterable[GroupRow]:
    """Slides by scanner, stainer, stain and batch, where there are two of these or more, the largest groups first."""
    for kind in ("scanner", "stainer", "stain", "batch"):
        counts = Counter(name for name in table[kind].astype(str) if name)
        if len(counts) < 2:
            continue
        for name in sorted(counts, key=lambda name: (-counts[name], name))[:_GROUPS_PRINTED]:
            group = table.loc[(table[kind] == name).to_numpy()]
            rates = (
                Rate("usable", count_of(group["is_usable"]), len(group), ""),
                Rate("re-scan", _sent_back(group), len(group), ""),
            )
            yield GroupRow(kind, name, rates, _median(group, "focus_score"), _median(group, "stain_score"))


def _median(table: pd.DataFrame, column: str) -> float:
    values = table[column].to_numpy(float)
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan
