"""Numbers as reports show them."""

import math


def shown(value: float) -> str:
    """Three decimals, or a dash for what could not be computed.

    >>> shown(0.5), shown(float("nan"))
    ('0.500', '-')
    """
    return "-" if math.isnan(value) else f"{value:.3f}"


def span(low: float, high: float) -> str:
    """An interval, as `shown` writes its ends.

    >>> span(0.25, 0.5)
    '0.250 to 0.500'
    """
    return f"{shown(low)} to {shown(high)}"
