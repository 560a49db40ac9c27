"""What becomes of a slide before its tiles are looked at: a person's decision first, then the verdict."""

import math
from dataclasses import dataclass
from typing import assert_never

from qc.config.filter import FilterSettings
from qc.filtering.candidates import is_too_coarse
from qc.labels import Verdict
from qc.manifest import SlideStatus
from qc.record import Assessed, Failed
from qc.store.decision import Action, Decision


@dataclass(frozen=True)
class SlideFacts:
    """What is known about a slide, as the manifest keeps it; texts are empty where there is nothing.

    Attributes:
        slide_id: Id in the run.
        path: Slide file.
        verdict: The profile's verdict.
        verdict_by: Name and version of the profile.
        verdict_reason: Why.
        decision: A person's action.
        decided_by: Who.
        decision_reason: Why.
        width_level0: Width, pixels; 0 for a slide that could not be assessed.
        height_level0: Height, pixels.
        slide_mpp: Level-0 micrometres per pixel.
        tissue_mm2: Tissue on the whole slide, square millimetres.
    """

    slide_id: str
    path: str
    verdict: str
    verdict_by: str
    verdict_reason: str
    decision: str = ""
    decided_by: str = ""
    decision_reason: str = ""
    width_level0: int = 0
    height_level0: int = 0
    slide_mpp: float = 0.0
    tissue_mm2: float = 0.0

    @property
    def is_accepted(self) -> bool:
        """True when a person wants the slide as it is."""
        return bool(self.decision) and Action(self.decision).keeps_slide


@dataclass(frozen=True)
class Standing:
    """What becomes of a slide.

    Attributes:
        status: Kept, or out in one of three ways.
        why: In words, for the account; empty when there is nothing to say.
        tile_reason: What its tiles say; empty when they are judged one by one.
    """

    status: SlideStatus
    why: str
    tile_reason: str


def facts_of(record: Assessed | Failed, decision: Decision | None) -> SlideFacts:
    """What a record and a decision say."""
    noted = ("", "", "")
    if decision is not None:
        choice = decision.choice
        noted = (str(choice.action), decision.by.name, ": ".join(filter(None, (choice.reason.label, choice.note))))
    match record:
        case Failed():
            judged = (str(record.verdict), "", record.reason)
            return SlideFacts(record.stamp.slide_id, record.stamp.path, *judged, *noted)
        case Assessed():
            judged = (str(record.verdict), record.profile, record.reason)
            measured = (record.width_px, record.height_px, record.mpp, record.tissue_mm2)
            return SlideFacts(record.stamp.slide_id, record.stamp.path, *judged, *noted, *measured)
        case _:
            assert_never(record)


def standing(facts: SlideFacts, settings: FilterSettings) -> Standing:
    """What becomes of the slide, its tiles aside."""
    verdict = Verdict(facts.verdict)
    if facts.decision and not facts.is_accepted:
        label = "excluded" if facts.decision == Action.EXCLUDE else Action(facts.decision).label
        return Standing(
            SlideStatus.EXCLUDED, f"{label} by {facts.decided_by}: {facts.decision_reason}", _asked(label, facts)
        )
    if verdict is Verdict.UNASSESSED:
        return Standing(SlideStatus.UNASSESSED, facts.verdict_reason, "slide unassessed")
    if is_too_coarse(facts.slide_mpp, settings.tiles):
        why = f"the slide has {facts.slide_mpp:g} um per pixel, tiles of {settings.tiles.tile_mpp:g} would be made up"
        return Standing(SlideStatus.EXCLUDED, why, "slide too coarse")
    if facts.is_accepted:
        return Standing(SlideStatus.KEPT, f"accepted by {facts.decided_by}: {facts.decision_reason}", "")
    why = "" if verdict is Verdict.USABLE else f"{verdict}: {facts.verdict_reason}"
    if verdict is Verdict.REJECT:
        return Standing(SlideStatus.EXCLUDED, why, "slide rejected")
    if verdict is Verdict.REVIEW and not settings.keeps_review:
        return Standing(SlideStatus.REVIEW, why, "slide sent to review")
    return Standing(SlideStatus.KEPT, why, "")


def guarded(before: Standing, facts: SlideFacts, candidates: int, kept: int, settings: FilterSettings) -> Standing:
    """A slide that would give almost nothing goes to a person; one that a person accepted gives what it has."""
    if before.status is not SlideStatus.KEPT:
        return before
    if not candidates:
        return Standing(SlideStatus.REVIEW, "no tile lies in the middle of tissue", "slide sent to review")
    guard = settings.guard
    least = max(guard.kept_tiles_min, guard.kept_share_min * candidates)
    if kept and (kept >= least or facts.is_accepted):
        return before
    why = f"{kept} of {candidates} tiles would be left, at least {math.ceil(least)} wanted"
    return Standing(SlideStatus.REVIEW, why, "slide sent to review")


def _asked(label: str, facts: SlideFacts) -> str:
    """What a tile says of a slide that a person sent away."""
    if facts.decision == Action.EXCLUDE:
        return f"excluded by {facts.decided_by}"
    return f"slide to {label} says {facts.decided_by}"
