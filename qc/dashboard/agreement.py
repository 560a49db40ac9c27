"""How far people agree with the software, and with each other. In: what each says. Out: tables with kappa. Pure."""

import math
from collections.abc import Sequence

import pandas as pd
from sklearn.metrics import cohen_kappa_score

from qc.dashboard.frames import Column, Frame
from qc.metrics import wilson_interval


def agreement(bad: Column, called: Column, people: Column) -> Frame:
    """Each person against the software, and all of them: slides, share of agreement, Cohen's kappa."""
    rows = []
    known = (bad.notna() & called.notna()).to_numpy() & people.notna().to_numpy()
    for name in ["everybody", *people[known].value_counts().index]:
        chosen = known if name == "everybody" else known & (people == name).to_numpy()
        theirs, ours = bad.to_numpy()[chosen].astype(bool), called.to_numpy()[chosen].astype(bool)
        low, high = wilson_interval(int((theirs == ours).sum()), len(ours))
        rows.append(
            {
                "who": name,
                "slides": len(ours),
                "agree": float((theirs == ours).mean()) if len(ours) else math.nan,
                "agree_low": low,
                "agree_high": high,
                "kappa": kappa(theirs.tolist(), ours.tolist()),
            }
        )
    return pd.DataFrame(rows)


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Cohen's kappa of two raters; NaN when both say the same of every slide, which leaves nothing to compare.

    >>> round(kappa([True, True, False, False], [True, False, False, False]), 2)
    0.5
    """
    if len(set(one) | set(other)) < 2:
        return math.nan
    return float(cohen_kappa_score(one, other))
