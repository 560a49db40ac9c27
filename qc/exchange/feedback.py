"""What a network can learn from people. In: results and decisions on them. Out: lessons, and labels where they teach.

A decision is about a whole slide; labels are about places. Only two kinds of disagreement say something about places:
"sound tissue was marked" and "nothing is wrong" take marks back. "A fault was not marked" does not say where it is: a
person has to draw it. "Good enough" agrees with the marks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from qc.config.profile import Profile
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass, Verdict
from qc.maps import ArtefactMap
from qc.record import Assessed, Failed
from qc.store.decision import Action, Decision, Reason

_MISSED = frozenset({Reason.FOLD, Reason.FOREIGN, Reason.PEN, Reason.BUBBLE, Reason.OUT_OF_FOCUS, Reason.MISSED_FAULT})


class Lesson(StrEnum):
    """What a slide on which a person disagreed teaches."""

    MARKS_TAKEN_BACK = "marks_taken_back"
    TO_BE_DRAWN = "to_be_drawn"
    CORRECTED = "corrected"
    NONE = "none"


@dataclass(frozen=True)
class Disagreement:
    """A slide on which a person decided against the verdict.

    Attributes:
        record: What the software said.
        decision: What the person said.
        lesson: What follows for training.
        sound: Classes whose marks the person takes back; empty unless that is the lesson.
    """

    record: Assessed
    decision: Decision
    lesson: Lesson
    sound: tuple[ArtefactClass, ...] = ()


def disagreements(
    records: Iterable[Assessed | Failed], decisions: Mapping[str, Decision], profile: Profile
) -> list[Disagreement]:
    """Slides that were accepted although they were not called usable, or sent away although they were, by slide id.

    Args:
        records: Results of a run.
        decisions: Decisions in force, by slide id.
        profile: The run's; says which classes led to the verdict.
    """
    found = []
    for record in records:
        decision = decisions.get(record.stamp.slide_id)
        if isinstance(record, Assessed) and decision is not None:
            is_accepted = decision.choice.action is Action.ACCEPT
            if is_accepted != (record.verdict is Verdict.USABLE) and (is_accepted or record.verdict is Verdict.USABLE):
                found.append(_judged(record, decision, profile))
    return sorted(found, key=lambda one: one.record.stamp.slide_id)


def with_marks_taken_back(artefacts: ArtefactMap, sound: Iterable[ArtefactClass]) -> NDArray[np.uint8]:
    """Labels of a map whose marks of some classes were wrong.

    Returns:
        (H, W) uint8 on the map's grid: CLEAN where such marks were, `IGNORE` under all other marks, which nobody
        looked at one by one; the rest as it is.
    """
    labels = artefacts.classes.copy()
    taken_back = [int(cls) for cls in sound]
    labels[np.isin(artefacts.classes, [int(cls) for cls in ARTEFACTS])] = IGNORE
    labels[np.isin(artefacts.classes, taken_back)] = ArtefactClass.CLEAN
    return labels


def _judged(record: Assessed, decision: Decision, profile: Profile) -> Disagreement:
    reason = decision.choice.reason
    if decision.choice.action is not Action.ACCEPT:
        return Disagreement(record, decision, Lesson.TO_BE_DRAWN if reason in _MISSED else Lesson.NONE)
    if reason is Reason.NOTHING_WRONG:
        return Disagreement(record, decision, Lesson.MARKS_TAKEN_BACK, ARTEFACTS)
    if reason is not Reason.FALSE_ALARM:
        return Disagreement(record, decision, Lesson.NONE)
    beyond = tuple(
        cls for cls in ARTEFACTS if record.coverage[cls.name.lower()].share > getattr(profile.review, cls.name.lower())
    )
    return Disagreement(record, decision, Lesson.MARKS_TAKEN_BACK, beyond or ARTEFACTS)
