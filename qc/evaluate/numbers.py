"""Numbers as reports show them."""

import math


def shown(value: float) -> str:
    """Three decimals, or a dash for what could not be computed.

    >>> shown(0.5), shown(float("nan"))
    ('0.500', '-')
    """
    return "-" if math.isnan(value) else f"{value:.3f}"
