"""Many slides' report as values. In: facts of a run, or of part of it. Out: counts, rates with intervals, tables.

A rate names what it is a share of. Slides that could not be assessed count as slides, never as usable.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qc.exchange import tables
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.metrics import wilson_interval
from qc.record import Assessed, Failed, worst_first
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
    colour: tuple[int, int, int]
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
    days = table["day"].dropna()
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
        by_verdict=tuple((verdict, int((table["verdict"] == verdict).sum())) for verdict in Verdict),
        rates=tuple(_rates(table)),
        losses=tuple(_losses(table, facts)),
        matrix=tuple(_matrix(table)),
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
        first_day=str(days.min()) if len(days) else "",
        last_day=str(days.max()) if len(days) else "",
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
    slides, is_decided = len(table), table["decision"] != ""
    sent_back = int(table["decision"].isin([str(action) for action in SENDS_BACK]).sum())
    is_clear = table["verdict"].isin([Verdict.USABLE, Verdict.REJECT])
    agrees = (table["decision"] == Action.ACCEPT) == (table["verdict"] == Verdict.USABLE)
    compared = is_decided & is_clear
    called = int((table["verdict"] == Verdict.USABLE).sum())
    return (
        Rate("Usable", int(table["is_usable"].sum()), slides, "of all slides; a decision counts before the verdict"),
        Rate("Called usable", called, slides, "of all slides, by the software alone"),
        Rate("Re-scan rate", sent_back, slides, "of all slides; decided: re-scan, re-cut or clean"),
        Rate("Rejected", int((table["verdict"] == Verdict.REJECT).sum()), slides, "of all slides, by the software"),
        Rate("Failed", int((table["verdict"] == Verdict.UNASSESSED).sum()), slides, "of all slides; not assessed"),
        Rate("Decided", int(is_decided.sum()), slides, "of all slides, by a person"),
        Rate(
            "Agreement",
            int((agrees & compared).sum()),
            int(compared.sum()),
            "of decided slides that were called usable or reject",
        ),
    )


def _losses(table: pd.DataFrame, facts: Facts) -> list[Loss]:
    """Classes by the slides they take beyond the limit for review, then by tissue lost."""
    review = facts.note.profile.review
    losses = []
    for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED):
        key = cls.name.lower()
        beyond = int((table[f"{key}_share"] > getattr(review, key)).sum())
        losses.append(Loss(cls.label, cls.colour, beyond, float(table[f"{key}_mm2"].sum())))
    return sorted(losses, key=lambda loss: (-loss.slides, -loss.area_mm2, loss.label))


def _matrix(table: pd.DataFrame) -> Iterable[tuple[Verdict, tuple[int, ...]]]:
    for verdict in Verdict:
        of_verdict = table.loc[table["verdict"] == verdict, "decision"]
        yield verdict, tuple(int((of_verdict == choice).sum()) for choice in (*map(str, Action), ""))


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
        measured = isinstance(record, Assessed) and record.tissue_mm2 > 0
        yield WorstRow(
            slide_id,
            record.verdict,
            unnamed(record.reason, record),
            record.usable_mm2 / record.tissue_mm2 if measured else math.nan,
            sum(record.coverage[cls.name.lower()].share for cls in ARTEFACTS) if measured else math.nan,
            decision.choice.action.label if decision else "",
            picture,
        )


def _has_artefacts(record: Assessed) -> bool:
    return any(record.coverage[cls.name.lower()].share > 0 for cls in ARTEFACTS)


def _groups(table: pd.DataFrame) -> Iterable[GroupRow]:
    """Slides by scanner, stainer, stain and batch, where there are two of these or more, the largest groups first."""
    for kind in ("scanner", "stainer", "stain", "batch"):
        counts = table.loc[table[kind] != "", kind].value_counts()
        if len(counts) < 2:
            continue
        for name in sorted(counts.index, key=lambda name: (-counts[name], name))[:_GROUPS_PRINTED]:
            group = table[table[kind] == name]
            sent_back = int(group["decision"].isin([str(action) for action in SENDS_BACK]).sum())
            rates = (
                Rate("usable", int(group["is_usable"].sum()), len(group), ""),
                Rate("re-scan", sent_back, len(group), ""),
            )
            yield GroupRow(kind, str(name), rates, _median(group["focus_score"]), _median(group["stain_score"]))


def _median(values: pd.Series) -> float:
    known = values.dropna()
    return float(np.median(known)) if len(known) else math.nan
