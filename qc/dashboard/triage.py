"""Which slide is next, and why a person probably decides so. In: worklist and record. Out: ids and reasons. Pure."""

import pandas as pd

from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.record import Assessed, Failed
from qc.store.decision import Action, Reason

_CLEANABLE = (ArtefactClass.FOREIGN, ArtefactClass.PEN, ArtefactClass.BUBBLE)


def next_slide(undecided: pd.DataFrame, subject: str, after: str = "") -> str:
    """The worst slide that nobody has decided about or looks at; empty when there is none.

    Args:
        undecided: Worklist of slides without a decision, worst first.
        subject: Who asks; slides that somebody else has locked are left to them.
        after: A slide to pass over: the one below it in the list comes next, and after the last one the first.
    """
    is_free = undecided["locked_by"].isna() | (undecided["locked_by"] == subject)
    ids = [str(slide_id) for slide_id in undecided.loc[is_free, "slide_id"]]
    start = ids.index(after) + 1 if after in ids else 0
    return next((slide_id for slide_id in ids[start:] + ids[:start] if slide_id != after), "")


def worst_class(record: Assessed | Failed, classes: tuple[ArtefactClass, ...] = ARTEFACTS) -> ArtefactClass | None:
    """The class that covers most tissue; None when none covers any."""
    if isinstance(record, Failed):
        return None
    worst = max(classes, key=lambda cls: record.coverage[cls.name.lower()].area_mm2)
    return worst if record.coverage[worst.name.lower()].area_mm2 > 0 else None


def usual_reason(record: Assessed | Failed, action: Action) -> Reason | None:
    """The reason that is noted when a person gives none; None when the record suggests none, and one has to be given.

    Args:
        record: What the software found.
        action: What the person decides.
    """
    if isinstance(record, Failed):
        return None if action is Action.ACCEPT else Reason.UNREADABLE
    if action is Action.ACCEPT:
        return Reason.NOTHING_WRONG if record.verdict is Verdict.USABLE else Reason.GOOD_ENOUGH
    worst = worst_class(record, _CLEANABLE if action is Action.CLEAN else ARTEFACTS)
    return None if worst is None else Reason(worst.name.lower())
