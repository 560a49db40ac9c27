"""How quick a large worklist is, for people. In: times. Out: Markdown."""

import os
import platform
from collections.abc import Sequence

from qc import __version__
from qc.bench.worklist import Timed
from qc.figures.table import table

GOAL_SECONDS = 1.0


def worklist_markdown(timed: Sequence[Timed], slides: int, busy: float, command: str) -> str:
    """A report.

    Args:
        timed: What was timed; the first two open the page, which loads code, the others are held to the goal.
        slides: Slides in the store.
        busy: Load average of the machine before, programs that want a core.
        command: That wrote it.
    """
    rows = [[one.name, len(one.seconds), f"{one.median:.2f}", f"{max(one.seconds):.2f}"] for one in timed]
    opening, worst = timed[1].median, max(one.median for one in timed[2:])
    lines = [
        "# Speed of a large worklist",
        "",
        f"Written by `{command}`, SlideGate {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores.",
        f"A store of {slides:,} made-up results, the dashboard in a process of its own, a real Chromium beside it on",
        "the same machine. Seconds from the click, or the address, until the screen says what was asked for.",
        f"Before the test the machine's load average was {busy:.1f}.",
        "",
        *table(["what", "times", "median (s)", "longest (s)"], rows),
        "",
        f"Goal: filters and searches below {GOAL_SECONDS:g} s: {worst:.2f} s at most, "
        f"{'met' if worst < GOAL_SECONDS else 'missed'}.",
        f"Opening the address, the browser's start of the page included: {opening:.2f} s.",
    ]
    return "\n".join(lines) + "\n"
