"""Many slides' report as values. In: facts of a run, or of part of it. Out: counts, rates with intervals, tables.

A rate names what it is a share of. Slides that could not be assessed count as slides, never as usable.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.record import Assessed, Failed, unnamed
from qc.report.facts import Facts
from qc.report.rates import (
    GroupRow,
    Rate,
    count_of,
    groups_of,
    rates_of,
)
from qc.report.slide import Known, known_performance
from qc.report.table import slide_table
from qc.report.words import moment
from qc.report.worst import WorstRow, worst_rows
from qc.store.decision import Action

_FAILED_PRINTED = 25


@dataclass(frozen=True)
class Loss:
    """What one class did to the slides: how many are beyond the limit for review, and how much tissue is lost."""

    label: str
    colour: str
    slides: int
    area_mm2: float


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
        rates=tuple(rates_of(table)),
        losses=tuple(_losses(table, facts)),
        matrix=tuple(_matrix(facts)),
        matrix_columns=(*(action.label for action in Action), "not decided"),
        could_be_used=(sum(said), len(said)),
        worst=tuple(worst_rows(facts)),
        failures=tuple(
            (one.stamp.slide_id, unnamed(one.reason, one), one.remedy)
            for one in sorted(failed, key=lambda one: one.stamp.slide_id)[:_FAILED_PRINTED]
        ),
        failures_left_out=max(0, len(failed) - _FAILED_PRINTED),
        groups=tuple(groups_of(table)),
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


def _losses(table: pd.DataFrame, facts: Facts) -> list[Loss]:
    """Classes by the slides they take beyond the limit for review, then by tissue lost."""
    review = facts.note.profile.review
    losses = []
    for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED):
        key = cls.name.lower()
        beyond = count_of(table[f"{key}_share"].to_numpy() > getattr(review, key))
        losses.append(Loss(cls.label, cls.hex_colour, beyond, float(np.nansum(table[f"{key}_mm2"].to_numpy()))))
    return sorted(losses, key=lambda loss: (-loss.slides, -loss.area_mm2, loss.label))


def _matrix(facts: Facts) -> Iterable[tuple[Verdict, tuple[int, ...]]]:
    actions = {slide_id: decision.choice.action for slide_id, decision in facts.decisions.items()}
    pairs = Counter((record.verdict, actions.get(record.stamp.slide_id)) for record in facts.records)
    for verdict in Verdict:
        yield verdict, tuple(pairs[verdict, action] for action in (*Action, None))
