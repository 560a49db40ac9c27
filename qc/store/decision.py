"""What a person decides about one slide: actions, reasons, and the decision with its author and time."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.store.people import Actor, Text


class Action(StrEnum):
    """What shall happen to a slide; the values are stored, append only."""

    ACCEPT = "accept"
    RE_SCAN = "re_scan"
    RE_CUT = "re_cut"
    CLEAN = "clean"
    EXCLUDE = "exclude"

    @property
    def label(self) -> str:
        """Name for people: `re-scan`."""
        return self.value.replace("_", "-")

    @property
    def remedy(self) -> str:
        """What somebody has to do now; empty when nothing."""
        return _REMEDIES[self]

    @property
    def keeps_slide(self) -> bool:
        """True when the slide as it is may go on to the classifiers."""
        return self is Action.ACCEPT


_REMEDIES = {
    Action.ACCEPT: "",
    Action.RE_SCAN: "scan the glass slide again",
    Action.RE_CUT: "cut, stain and scan a new section from the block",
    Action.CLEAN: "clean or re-coverslip the glass slide, then scan it again",
    Action.EXCLUDE: "",
}


class Reason(StrEnum):
    """Why a person decided so; the values are stored, append only."""

    FOLD = "fold"
    FOREIGN = "foreign"
    PEN = "pen"
    BUBBLE = "bubble"
    OUT_OF_FOCUS = "out_of_focus"
    STAIN = "stain"
    TISSUE_CUT_OFF = "tissue_cut_off"
    SCAN_FAULT = "scan_fault"
    UNREADABLE = "unreadable"
    WRONG_SLIDE = "wrong_slide"
    NOTHING_WRONG = "nothing_wrong"
    GOOD_ENOUGH = "good_enough"
    FALSE_ALARM = "false_alarm"
    MISSED_FAULT = "missed_fault"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The reason in words."""
        return _REASONS.get(self, self.value.replace("_", " "))


_REASONS = {
    Reason.FOLD: "fold or tear",
    Reason.FOREIGN: "foreign matter",
    Reason.STAIN: "stain too weak, too strong or wrong",
    Reason.TISSUE_CUT_OFF: "tissue outside the scanned area",
    Reason.SCAN_FAULT: "stripes, stitching or another scanner fault",
    Reason.UNREADABLE: "file damaged or unreadable",
    Reason.WRONG_SLIDE: "wrong slide, block or stain",
    Reason.GOOD_ENOUGH: "faults that do not matter here",
    Reason.FALSE_ALARM: "sound tissue was marked",
    Reason.MISSED_FAULT: "a fault was not marked",
}


class SlideKey(Settings):
    """One slide as one run saw it: which file, by content, is being decided on."""

    run_id: str = Field(min_length=1, max_length=64, description="Id of the run.")
    slide_id: str = Field(min_length=1, max_length=96, description="Id of the slide in the run.")
    slide_fingerprint: str = Field(max_length=64, description="Fingerprint of the file; empty when it was unreadable.")


class Choice(Settings):
    """What a person says about a slide."""

    action: Action = Field(description="What shall happen to the slide.")
    reason: Reason = Field(description="Why, as a code.")
    note: Text = Field(default="", max_length=2000, description="Why, in free words; needed when the reason is other.")
    could_be_used: bool | None = Field(
        default=None, description="Could this result reasonably be used in a pipeline? None when it was not asked."
    )

    @model_validator(mode="after")
    def _other_is_explained(self) -> Self:
        if self.reason is Reason.OTHER and not self.note.strip():
            raise ValueError("the reason `other` needs a note")
        return self


class Decision(Settings):
    """A choice that was noted: by whom, when, for which file."""

    id: int = Field(description="Number of its row in the audit.")
    key: SlideKey = Field(description="The slide it was made on.")
    choice: Choice = Field(description="What was chosen.")
    by: Actor = Field(description="Who chose, in the role of that moment.")
    at: datetime = Field(description="When, UTC.")
