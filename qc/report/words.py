"""Numbers and names as reports print them: no more digits than are known, a dash for what could not be computed."""

import math
from datetime import datetime

from qc.labels import Verdict

DASH = "\N{EN DASH}"
MISSING = "\N{EM DASH}"
_NARROW = 0.05
ICONS = {Verdict.USABLE: "\u2713", Verdict.REVIEW: "?", Verdict.REJECT: "\u2715", Verdict.UNASSESSED: "!"}


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.0004), percent(0.083), percent(0.83), percent(float("nan"))
    ('0.04 %', '8.3 %', '83 %', '—')
    """
    if math.isnan(share):
        return MISSING
    if 0 < share < 0.001:
        return f"{share:.2%}".replace("%", " %") if share >= 0.0001 else "< 0.01 %"
    digits = 1 if 0 < share < 0.1 or 0.9 < share < 1 else 0
    return f"{share:.{digits}%}".replace("%", " %")


def interval(low: float, high: float) -> str:
    """A 95 % interval of a share; a narrow one needs a digit more.

    >>> interval(0.301, 0.7), interval(0.0, 0.0008)
    ('30–70 %', '0.0–0.1 %')
    """
    digits = 0 if math.isnan(low) or high - low >= _NARROW else 1
    return MISSING if math.isnan(low) else f"{100 * low:.{digits}f}{DASH}{100 * high:.{digits}f} %"


def number(value: float, digits: int = 1) -> str:
    """A number with fixed digits.

    >>> number(12.345, 2), number(float("nan"))
    ('12.35', '—')
    """
    return MISSING if math.isnan(value) else f"{value:,.{digits}f}".replace(",", "\N{NO-BREAK SPACE}")


def moment(at: datetime | None) -> str:
    """A time to the minute, UTC."""
    return MISSING if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def icon(verdict: str) -> str:
    """A sign beside a verdict's word, for those who see no colours."""
    return ICONS[Verdict(verdict)]
