"""The worst slides of a report, with pictures of the first ones. In: facts. Out: rows."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from qc.labels import ARTEFACTS, Verdict
from qc.record import Assessed, artefact_share, unnamed, worst_first
from qc.report.facts import Facts
from qc.report.pictures import thumbnail

_WORST_PRINTED = 100
_PICTURES = 8


_THUMBNAIL_PX = 300


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


def worst_rows(facts: Facts) -> Iterable[WorstRow]:
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
