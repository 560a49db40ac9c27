"""Outcomes as markdown. In: outcomes of arms. Out: tables of figures, of differences and of changed cases."""

from collections.abc import Sequence

from qc.downstream.arms import Outcome
from qc.downstream.compare import STATISTICS, Figure, changed, difference, figure
from qc.figures.table import table


def arm_table(outcomes: Sequence[Outcome], repeats: int) -> str:
    """Figures of each arm with intervals over patients."""
    rows = [[one.arm.name, *(str(figure(one.scores, f, repeats)) for f in STATISTICS.values())] for one in outcomes]
    return markdown(["arm", *STATISTICS], rows)


def difference_table(before: Outcome, others: Sequence[Outcome], repeats: int) -> str:
    """What each arm changes against one, paired by patient."""
    rows = [
        [one.arm.name, *(signed(difference(before.scores, one.scores, f, repeats)) for f in STATISTICS.values())]
        for one in others
    ]
    return markdown([f"against {before.arm.name}", *STATISTICS], rows)


def changed_table(before: Outcome, after: Outcome, labels: Sequence[str]) -> str:
    """Slides whose call changed, or a sentence that says there are none."""
    table = changed(before.scores, after.scores)
    if table.empty:
        return "No slide's call changed.\n"
    rows = [
        [row["slide_id"], labels[int(row["target"])], _score(row["before"]), _score(row["after"]), row["became"]]
        for row in table.to_dict("records")
    ]
    return markdown(["slide", "is", before.arm.name, after.arm.name, "became"], rows)


def signed(one: Figure) -> str:
    """A difference with its sign, bold when its interval leaves out 0."""
    text = str(one) if one.value < 0 or str(one) == "-" else f"+{one}"
    return f"**{text}**" if one.low > 0 or one.high < 0 else text


def markdown(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A table as one text with an end."""
    return "\n".join(table(head, rows, rule=" --- ")) + "\n"


def _score(value: float) -> str:
    return "-" if value != value else f"{value:.2f}"
