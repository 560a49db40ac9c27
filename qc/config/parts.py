"""What every description of training data has to hold. In: parts and names. Out: nothing, or an error."""

from collections.abc import Mapping, Sequence


def check_parts(parts: Mapping[str, float], sources: Sequence[str]) -> None:
    """Check parts that patients are split into, and names of sources.

    Raises:
        ValueError: If the parts are no shares of a whole, or two sources have one name.
    """
    if not parts or min(parts.values()) < 0 or abs(sum(parts.values()) - 1) > 1e-6:
        raise ValueError("parts must be shares that add up to 1")
    if len(set(sources)) < len(sources):
        raise ValueError("two sources have one name")
