"""A table of a report, in Markdown. In: the words of its cells. Out: its lines."""

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[object], rows: Iterable[Sequence[object]], rule: str = "---") -> Iterator[str]:
    """The lines of a table.

    Args:
        head: Names of the columns.
        rows: A cell for each column; whatever it is, it is shown as text.
        rule: What stands between two bars below the head.

    >>> for line in table(["slide", "mm2"], [["a", 4]]):
    ...     print(line)
    | slide | mm2 |
    |---|---|
    | a | 4 |
    """
    yield _line(head)
    yield "|" + f"{rule}|" * len(head)
    yield from map(_line, rows)


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
