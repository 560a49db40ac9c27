"""Words, icons and colours of verdicts, decisions and numbers, the same on every page."""

import math

from qc.labels import ArtefactClass, Verdict
from qc.store.decision import Action

MISSING = "–"

VERDICT_ICONS = {Verdict.USABLE: "✓", Verdict.REVIEW: "?", Verdict.REJECT: "✕", Verdict.UNASSESSED: "!"}
VERDICT_COLOURS = {
    Verdict.USABLE: "#1a7f37",
    Verdict.REVIEW: "#9a6700",
    Verdict.REJECT: "#c62828",
    Verdict.UNASSESSED: "#6b7280",
}
"""Each is told apart in grey, too, by its word and icon; contrast with white is at least 4.5."""

ACTION_ICONS = {
    Action.ACCEPT: "✓",
    Action.RE_SCAN: "↻",
    Action.RE_CUT: "✂",
    Action.CLEAN: "◌",
    Action.EXCLUDE: "✕",
}

PRIORITIES = {0: "usual", 1: "urgent", 2: "at once"}


def verdict(value: str) -> str:
    """Icon and word: `✕ reject`."""
    known = Verdict(value)
    return f"{VERDICT_ICONS[known]} {known.value}"


def action(value: object) -> str:
    """Icon and word of a decision: `↻ re-scan`; empty when there is none."""
    if not isinstance(value, str):
        return ""
    known = Action(value)
    return f"{ACTION_ICONS[known]} {known.label}"


def priority(value: int) -> str:
    """The priority in words."""
    return PRIORITIES.get(int(value), f"level {value}")


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent: `12.3 %`; `–` when it is not a number."""
    return MISSING if math.isnan(share) else f"{share * 100:.{digits}f} %"


def number(value: float, unit: str = "", digits: int = 1) -> str:
    """A number with its unit: `8.9 mm²`; `–` when it is none."""
    return MISSING if math.isnan(value) else f"{value:,.{digits}f} {unit}".rstrip()


def colour(artefact_class: ArtefactClass) -> str:
    """The class's colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*artefact_class.colour)
