"""Many slides' report as values. In: facts of a run, or of part of it. Out: counts, rates with intervals, tables.

A rate names what it is a share of. Slides that could not be assessed count as slides, never as usable.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qc.exchange import tables
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.metrics import wilson_interval
from qc.record import Assessed, Failed, artefact_share, worst_first
from qc.report.facts import Facts
from qc.report.pictures import thumbnail
from qc.report.slide import Known, known_performance, unnamed
from qc.report.words import moment
from qc.store.decision import Action

SENDS_BACK = (Action.RE_SCAN, Action.RE_CUT, Action.CLEAN)
"""Decisions after which a slide is scanned anew."""
_WORST_PRINTED = 100
_PICTURES = 8
_FAILED_PRINTED = 25
_GROUPS_PRINTED = 15
_THUMBNAIL_PX = 300


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
class Loss:
    """What one class did to the slides: how many are beyond the limit for review, and how much tissue is lost."""

    label: str
    colour: str
    slides: int
    area_mm2: float


@dataclass(frozen=True)
class WorstRow:
    """One slide of the list of the worst."""

    slide_id: str
    verdict: Verdict
    reason: str
    usable_share: float
    artefact_share: float
    decision: str
    picture: str


@dataclass(frozen=True)
class GroupRow:
    """Slides that have a scanner, stainer, stain or batch in common."""

    kind: str
    name: str
    rates: tuple[Rate, Rate]
    focus: float
    stain: float


@dataclass(frozen=True)
class CohortPage:
    """What the report of many slides prints."""

    title: str
    scope: str
    slides: int
    failed: int
    tissue_mm2: float
    usable_mm2: float
    by_verdict: tuple[tuple[Verdict, int], ...]
    rates: tuple[Rate, ...]
    losses: tuple[Loss, ...]
    matrix: tuple[tuple[Verdict, tuple[int, ...]], ...]
    matrix_columns: tuple[str, ...]
    could_be_used: tuple[int, int]
    worst: tuple[WorstRow, ...]
    failures: tuple[tuple[str, str, str], ...]
    failures_left_out: int
    groups: tuple[GroupRow, ...]
    profile: str
    settings: str
    software: str
    models: tuple[str, ...]
    run_id: str
    known: Known | None
    as_of: str
    first_day: str
    last_day: str


def cohort_page(facts: Facts, title: str, scope: str) -> CohortPage:
    """All that the report of many slides prints.

    Args:
        facts: The slides.
        title: Heading.
        scope: Which slides these are, in words.
    """
    table = slide_table(facts)
    days = [day for record in facts.records if (day := facts.day(record.stamp.slide_id))]
    verdicts = Counter(record.verdict for record in facts.records)
    assessed = [record for record in facts.records if isinstance(record, Assessed)]
    failed = [record for record in facts.records if isinstance(record, Failed)]
    said = [one.choice.could_be_used for one in facts.decisions.values() if one.choice.could_be_used is not None]
    profile = facts.note.profile
    return CohortPage(
        title=title,
        scope=scope,
        slides=len(facts.records),
        failed=len(failed),
        tissue_mm2=float(sum(record.tissue_mm2 for record in assessed)),
        usable_mm2=float(sum(record.usable_mm2 for record in assessed)),
        by_verdict=tuple((verdict, verdicts[verdict]) for verdict in Verdict),
        rates=tuple(_rates(table)),
        losses=tuple(_losses(table, facts)),
        matrix=tuple(_matrix(facts)),
        matrix_columns=(*(action.label for action in Action), "not decided"),
        could_be_used=(sum(said), len(said)),
        worst=tuple(_worst(facts)),
        failures=tuple(
            (one.stamp.slide_id, unnamed(one.reason, one), one.remedy)
            for one in sorted(failed, key=lambda one: one.stamp.slide_id)[:_FAILED_PRINTED]
        ),
        failures_left_out=max(0, len(failed) - _FAILED_PRINTED),
        groups=tuple(_groups(table)),
        profile=f"{profile.name}, version {profile.version}: {profile.purpose}",
        settings=facts.note.settings_fingerprint,
        software=facts.note.software_version,
        models=tuple(sorted({record.artefact_stage for record in assessed})),
        run_id=facts.note.run_id,
        known=known_performance(facts.card) if facts.card else None,
        as_of=moment(facts.as_of),
        first_day=str(min(days)) if days else "",
        last_day=str(max(days)) if days else "",
    )


def slide_table(facts: Facts, with_paths: bool = False) -> pd.DataFrame:
    """The full table: a row for each slide with its result, its day, what the lab knows, and the decision on it.

    Args:
        facts: The slides.
        with_paths: Keep the paths of files, which may hold names.
    """
    table = tables.rows(facts.records)
    ids = list(table["slide_id"])
    decisions = [facts.decisions.get(slide_id) for slide_id in ids]
    table["reason"] = [unnamed(record.reason, record) for record in facts.records]
    table["day"] = [facts.day(slide_id) for slide_id in ids]
    table["recorded"] = [at.isoformat() if (at := facts.recorded.get(slide_id)) else "" for slide_id in ids]
    for name in ("scanner", "stainer", "stain", "batch"):
        table[name] = [getattr(facts.about_slide(slide_id), name) for slide_id in ids]
    table["usable_share"] = table["usable_mm2"] / table["tissue_mm2"].where(table["tissue_mm2"] > 0)
    table["decision"] = [str(one.choice.action) if one else "" for one in decisions]
    table["decision_reason"] = [str(one.choice.reason) if one else "" for one in decisions]
    is_accepted, is_decided = table["decision"] == Action.ACCEPT, table["decision"] != ""
    table["is_usable"] = is_accepted | (~is_decided & (table["verdict"] == Verdict.USABLE))
    return table if with_paths else table.drop(columns="path")


def _rates(table: pd.DataFrame) -> Iterable[Rate]:
    slides, verdict, decision = len(table), table["verdict"].to_numpy(str), table["decision"].to_numpy(str)
    is_decided, is_accepted = decision != "", decision == Action.ACCEPT
    is_called_usable, is_rejected = verdict == Verdict.USABLE, verdict == Verdict.REJECT
    compared = is_decided & (is_called_usable | is_rejected)
    return (
        Rate("Usable", _count(table["is_usable"]), slides, "of all slides; a decision counts before the verdict"),
        Rate("Called usable", _count(is_called_usable), slides, "of all slides, by the software alone"),
        Rate("Re-scan rate", _sent_back(table), slides, "of all slides; decided: re-scan, re-cut or clean"),
        Rate("Rejected", _count(is_rejected), slides, "of all slides, by the software"),
        Rate("Failed", _count(verdict == Verdict.UNASSESSED), slides, "of all slides; not assessed"),
        Rate("Decided", _count(is_decided), slides, "of all slides, by a person"),
        Rate(
            "Agreement",
            _count(compared & (is_accepted == is_called_usable)),
            _count(compared),
            "of decided slides that were called usable or reject",
        ),
    )


def _sent_back(table: pd.DataFrame) -> int:
    return _count(np.isin(table["decision"].to_numpy(str), [str(action) for action in SENDS_BACK]))


def _count(where: ArrayLike) -> int:
    return int(np.count_nonzero(where))


def _losses(table: pd.DataFrame, facts: Facts) -> list[Loss]:
    """Classes by the slides they take beyond the limit for review, then by tissue lost."""
    review = facts.note.profile.review
    losses = []
    for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED):
        key = cls.name.lower()
        beyond = _count(table[f"{key}_share"].to_numpy() > getattr(review, key))
        losses.append(Loss(cls.label, cls.hex_colour, beyond, float(np.nansum(table[f"{key}_mm2"].to_numpy()))))
    return sorted(losses, key=lambda loss: (-loss.slides, -loss.area_mm2, loss.label))


def _matrix(facts: Facts) -> Iterable[tuple[Verdict, tuple[int, ...]]]:
    actions = {slide_id: decision.choice.action for slide_id, decision in facts.decisions.items()}
    pairs = Counter((record.verdict, actions.get(record.stamp.slide_id)) for record in facts.records)
    for verdict in Verdict:
        yield verdict, tuple(pairs[verdict, action] for action in (*Action, None))


def _worst(facts: Facts) -> Iterable[WorstRow]:
    """The worst slides, less those that nobody has to worry about; pictures of the first ones that have one."""
    pictures = 0
    for record in worst_first(facts.records)[:_WORST_PRINTED]:
        slide_id, decision = record.stamp.slide_id, facts.decisions.get(record.stamp.slide_id)
        if record.verdict is Verdict.USABLE and not (isinstance(record, Assessed) and _has_artefacts(record)):
            continue
        wanted = pictures < _PICTURES and isinstance(record, Assessed)
        picture = thumbnail(facts.run.slide(slide_id), _THUMBNAIL_PX) if wanted else ""
        pictures += bool(picture)
        usable, artefacts = math.nan, artefact_share(record)
        if isinstance(record, Assessed) and record.tissue_mm2 > 0:
            usable = record.usable_mm2 / record.tissue_mm2
        yield WorstRow(
            slide_id,
            record.verdict,
            unnamed(record.reason, record),
            usable,
            artefacts,
            decision.choice.action.label if decision else "",
            picture,
        )


def _has_artefacts(record: Assessed) -> bool:
    return any(record.coverage[cls.name.lower()].share > 0 for cls in ARTEFACTS)


def _groups(table: pd.DataFrame) -> Iterable[GroupRow]:
    """Slides by scanner, stainer, stain and batch, where there are two of these or more, the largest groups first."""
    for kind in ("scanner", "stainer", "stain", "batch"):
        counts = Counter(name for name in table[kind].astype(str) if name)
        if len(counts) < 2:
            continue
        for name in sorted(counts, key=lambda name: (-counts[name], name))[:_GROUPS_PRINTED]:
            group = table.loc[(table[kind] == name).to_numpy()]
            rates = (
                Rate("usable", _count(group["is_usable"]), len(group), ""),
                Rate("re-scan", _sent_back(group), len(group), ""),
            )
            yield GroupRow(kind, name, rates, _median(group, "focus_score"), _median(group, "stain_score"))


def _median(table: pd.DataFrame, column: str) -> float:
    values = table[column].to_numpy(float)
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan
