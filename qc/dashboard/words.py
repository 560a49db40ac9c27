"""Words, icons and colours of verdicts, decisions and numbers, the same on every page."""

import math

from qc.labels import Verdict
from qc.metrics import percent as metrics
from qc.metrics.percent import MISSING as MISSING
from qc.store.decision import Action

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
    return f"{known.icon} {known.value}"


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
    """A share in per cent with the same digits everywhere, never cut from its sign: `12.3 %`; `–` without a number."""
    return metrics.percent(share, digits).replace(" ", "\N{NO-BREAK SPACE}")


def number(value: float, unit: str = "", digits: int = 1) -> str:
    """A number with its unit: `8.9 mm²`; `–` when it is none."""
    return MISSING if math.isnan(value) else f"{value:,.{digits}f} {unit}".rstrip()
