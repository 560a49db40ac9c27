"""A share as people read it: no more digits than help, a dash for what could not be computed. Pure."""

import math

MISSING = "\N{EN DASH}"


def percent(share: float, digits: int | None = None) -> str:
    """A share as a percentage; small and nearly full ones get a digit more unless `digits` says how many.

    >>> percent(0.0004), percent(0.083), percent(0.83), percent(0.83, 1), percent(float("nan"))
    ('0.04 %', '8.3 %', '83 %', '83.0 %', '–')
    """
    if math.isnan(share):
        return MISSING
    if digits is None and 0 < share < 0.001:
        return f"{100 * share:.2f} %" if share >= 0.0001 else "< 0.01 %"
    if digits is None:
        digits = 1 if 0 < share < 0.1 or 0.9 < share < 1 else 0
    return f"{100 * share:.{digits}f} %"
