"""Regular expressions in settings that cut a name out of a path."""

import re


def one_group(pattern: str) -> str:
    """The pattern, if it is one with exactly one group.

    Raises:
        ValueError: If it is not.
    """
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"must have one group, has {groups}")
    return pattern
