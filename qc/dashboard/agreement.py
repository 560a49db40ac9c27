"""How far people agree with the software, and with each other. In: what each says. Out: tables with kappa. Pure."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from qc.dashboard.frames import Column, Frame
from qc.metrics import wilson_interval


def agreement(bad: Column, called: Column, people: Column) -> Frame:
    """Each person against the software, and all of them: slides, share of agreement, Cohen's kappa."""
    known = (bad.notna() & called.notna()).to_numpy() & people.notna().to_numpy()
    rows = []
    for name in ["everybody", *people[known].value_counts().index]:
        chosen = known if name == "everybody" else known & (people == name).to_numpy()
        rows.append({"who": name, **_compared(bad.to_numpy()[chosen], called.to_numpy()[chosen])})
    return pd.DataFrame(rows)


def between(raters: Mapping[str, Column]) -> Frame:
    """Each pair of raters on the slides that both have judged, the pair with most slides first.

    Args:
        raters: By name, True for slides that shall not be used, by slide id; missing where the rater says nothing.

    Returns:
        `one`, `other`, `slides`, `agree` with its interval, `kappa`; pairs without a common slide are left out.
    """
    rows = []
    for one, other in combinations(raters, 2):
        pair = [raters[name].astype("boolean") for name in (one, other)]
        both = pd.concat(pair, axis=1, join="inner").dropna().to_numpy(bool)
        if len(both):
            rows.append({"one": one, "other": other, **_compared(both[:, 0], both[:, 1])})
    columns = ["one", "other", "slides", "agree", "agree_low", "agree_high", "kappa"]
    return pd.DataFrame(rows, columns=columns).sort_values("slides", ascending=False, ignore_index=True, kind="stable")


def _compared(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> dict[str, float]:
    """How often two say the same of the same slides."""
    first, second = one.astype(bool), other.astype(bool)
    low, high = wilson_interval(int((first == second).sum()), len(first))
    return {
        "slides": len(first),
        "agree": float((first == second).mean()) if len(first) else math.nan,
        "agree_low": low,
        "agree_high": high,
        "kappa": kappa(first.tolist(), second.tolist()),
    }


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Cohen's kappa of two raters; NaN when both say the same of every slide, which leaves nothing to compare.

    >>> round(kappa([True, True, False, False], [True, False, False, False]), 2)
    0.5
    """
    if len(set(one) | set(other)) < 2:
        return math.nan
    return float(cohen_kappa_score(one, other))
