"""Numbers and names as reports print them: no more digits than are known, a dash for what could not be computed."""

import math
from datetime import datetime

from qc.metrics.percent import MISSING

_NARROW = 0.05


def interval(low: float, high: float) -> str:
    """A 95 % interval of a share; a narrow one needs a digit more.

    >>> interval(0.301, 0.7), interval(0.0, 0.0008)
    ('30–70 %', '0.0–0.1 %')
    """
    digits = 0 if math.isnan(low) or high - low >= _NARROW else 1
    return MISSING if math.isnan(low) else f"{100 * low:.{digits}f}\N{EN DASH}{100 * high:.{digits}f} %"


def number(value: float, digits: int = 1) -> str:
    """A number with fixed digits.

    >>> number(12.345, 2), number(float("nan"))
    ('12.35', '–')
    """
    return MISSING if math.isnan(value) else f"{value:,.{digits}f}".replace(",", "\N{NO-BREAK SPACE}")


def moment(at: datetime | None) -> str:
    """A time to the minute, UTC."""
    return MISSING if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
