"""How well the software's calls agree with people: counts first, rates last, intervals always. Pure; no screen.

A positive is a slide that shall not be used as it is. In: a row for each slide that has a truth. Out: tables.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qc.dashboard.frames import Column, Frame
from qc.labels import Verdict
from qc.metrics import Counts, wilson_interval
from qc.store.decision import Action

DECISIONS, ANSWERS, LABELS = "decisions", "answers", "labels"


@dataclass(frozen=True)
class Rate:
    """A share with what it is made of.

    Attributes:
        name: Such as `TPR`.
        meaning: In words.
        part: How many.
        whole: Of how many.
    """

    name: str
    meaning: str
    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.part / self.whole if self.whole else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval; NaN of nothing."""
        return wilson_interval(self.part, self.whole)


def is_bad(table: Frame, truth: str, labels: Column | None = None) -> Column:
    """Whether a slide shall not be used as it is, as people say.

    Args:
        table: The worklist.
        truth: `decisions` (anything but accept is bad), `answers` (the yes/no question), or `labels` (a table).
        labels: True for bad, by slide id; only for `labels`.

    Returns:
        Boolean by slide id; missing where nobody has said.
    """
    if truth == LABELS:
        said = table["slide_id"].map(labels if labels is not None else {}).astype("boolean")
    elif truth == ANSWERS:
        said = ~table["decision_could_be_used"].astype("boolean")
    else:
        said = (table["decision_action"] != Action.ACCEPT).astype("boolean").mask(table["decision_action"].isna())
    return pd.Series(said.array, index=pd.Index(table["slide_id"]), name="is_bad")


def by_person(opinions: Frame, truth: str, labels: Column | None = None) -> dict[str, Column]:
    """What each person says of the slides, and the table of labels beside them when it is what counts.

    Args:
        opinions: See `qc.store.queries.opinions`.
        truth: `answers` compares answers to the question; otherwise decisions are compared.
        labels: True for bad, by slide id; only for `labels`.

    Returns:
        By the person's name, with the id where two have one name: True for bad, by slide id.
    """
    raters: dict[str, Column] = {}
    for subject, theirs in opinions.groupby("subject", sort=False):
        name = str(theirs["name"].iloc[-1])
        said = ~theirs["could_be_used"] if truth == ANSWERS else theirs["action"] != Action.ACCEPT
        key = f"{name} ({subject})" if name in raters else name
        raters[key] = pd.Series(said.astype("boolean").array, index=pd.Index(theirs["slide_id"]))
    if truth == LABELS and labels is not None:
        raters["table of labels"] = labels
    return raters


def is_called(verdicts: Column, least: Verdict) -> Column:
    """Whether the software holds a slide back: rejects it, or sends it to review or rejects it.

    Args:
        verdicts: Verdict of each slide.
        least: `review` or `reject`.

    Returns:
        Boolean; missing for slides that were not assessed, which is no call at all.
    """
    held = {Verdict.REJECT} if least is Verdict.REJECT else {Verdict.REVIEW, Verdict.REJECT}
    return verdicts.isin([str(v) for v in held]).astype("boolean").mask(verdicts == Verdict.UNASSESSED)


def count(bad: Column, called: Column) -> Counts:
    """Counts over the slides for which both are known."""
    known = bad.notna().to_numpy() & called.notna().to_numpy()
    return Counts.of(bad.to_numpy()[known].astype(bool), called.to_numpy()[known].astype(bool))


def rates(counts: Counts) -> tuple[Rate, ...]:
    """TPR, TNR, PPV, NPV and accuracy."""
    return (
        Rate("TPR", "of the bad slides are held back", counts.tp, counts.tp + counts.fn),
        Rate("TNR", "of the good slides pass", counts.tn, counts.tn + counts.fp),
        Rate("NPV", "of the slides that pass are good", counts.tn, counts.tn + counts.fn),
        Rate("PPV", "of the slides held back are bad", counts.tp, counts.tp + counts.fp),
        Rate("Accuracy", "of the slides are called right", counts.tp + counts.tn, counts.total),
    )


def by_group(bad: Column, called: Column, groups: Column) -> Frame:
    """Counts and rates of each group, the largest first."""
    rows = []
    for name in groups.value_counts().index:
        chosen = (groups == name).to_numpy()
        rows.append({"group": name, **_row(count(bad[chosen], called[chosen]))})
    return pd.DataFrame(rows)


def by_class(reasons: Column, bad: Column, shares: Frame, limits: dict[str, float], labels: dict[str, str]) -> Frame:
    """For each class: does the software find it beyond its limit where people gave it as the reason?

    Args:
        reasons: Reason of each decision, missing without one.
        bad: Whether the slide is bad; other slides with a decision are negatives of every class.
        shares: Share of tissue under each class, on the same rows.
        limits: Largest share before a person looks, by class.
        labels: Name of each class for people.
    """
    rows = []
    for name, limit in limits.items():
        truth = ((reasons == name) & bad.fillna(False)).astype("boolean").mask(bad.isna())
        called = (shares[name] > limit).astype("boolean").mask(shares[name].isna())
        rows.append({"group": labels[name], "limit": limit, **_row(count(truth, called))})
    return pd.DataFrame(rows)


def sweep(bad: Column, shares: Column, thresholds: Sequence[float]) -> Frame:
    """Counts and rates when slides with more than a share of artefacts are held back, for each threshold."""
    known = (bad.notna() & shares.notna()).to_numpy()
    truth, share = bad.to_numpy()[known].astype(bool), shares.to_numpy()[known].astype(float)
    rows = [{"threshold": cut, **_row(Counts.of(truth, share > cut))} for cut in thresholds]
    return pd.DataFrame(rows)


def reliability(bad: Column, shares: Column, edges: Sequence[float]) -> Frame:
    """How often people call a slide bad, by its share of artefacts.

    Args:
        bad: Truth.
        shares: Share of artefacts (0-1) on the same rows.
        edges: Bounds of the bins, ascending.

    Returns:
        A row for each bin with slides: `low`, `high`, `mean_share`, `bad`, `slides`, `rate`, `rate_low`, `rate_high`.
    """
    known = (bad.notna() & shares.notna()).to_numpy()
    truth, share = bad.to_numpy()[known].astype(bool), shares.to_numpy()[known].astype(float)
    place = np.clip(np.digitize(share, edges) - 1, 0, len(edges) - 2)
    rows = []
    for i in range(len(edges) - 1):
        inside = place == i
        slides, positives = int(inside.sum()), int(truth[inside].sum())
        if slides:
            low, high = wilson_interval(positives, slides)
            rows.append(
                {
                    "low": edges[i],
                    "high": edges[i + 1],
                    "mean_share": float(share[inside].mean()),
                    "bad": positives,
                    "slides": slides,
                    "rate": positives / slides,
                    "rate_low": low,
                    "rate_high": high,
                }
            )
    return pd.DataFrame(rows)


def _row(counts: Counts) -> dict[str, float]:
    row: dict[str, float] = {
        "slides": counts.total,
        "tp": counts.tp,
        "fp": counts.fp,
        "tn": counts.tn,
        "fn": counts.fn,
        "prevalence": counts.prevalence,
    }
    for rate in rates(counts):
        name = rate.name.lower()
        row[name], (row[f"{name}_low"], row[f"{name}_high"]) = rate.value, rate.interval
    return row
