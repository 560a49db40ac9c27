"""How fast the viewer is, for people. In: measured loads and memory. Out: Markdown."""

import os
import platform
from collections.abc import Iterator, Sequence

from qc import __version__
from qc.bench.viewer import Load
from qc.dashboard.tiles.pictures import TILE_PX
from qc.figures.table import table
from qc.slide.reader import library_version

TILE_P95_MS = 50.0
HEALTH_P50_MS = 10.0


def viewer_markdown(
    loads: Sequence[Load], idle_mib: float, peak_mib: float, slides: int, busy: float, command: str
) -> str:
    """A report.

    Args:
        loads: What was measured; the first is health, the second slide tiles one after another.
        idle_mib: Memory of the dashboard's process before the first tile, MiB.
        peak_mib: Its peak after all loads, MiB.
        slides: Slides that were looked at.
        busy: Load average of the machine before, programs that want a core.
        command: That wrote it.
    """
    return "\n".join(_lines(loads, idle_mib, peak_mib, slides, busy, command)) + "\n"


def _lines(
    loads: Sequence[Load], idle_mib: float, peak_mib: float, slides: int, busy: float, command: str
) -> Iterator[str]:
    yield "# Speed of the viewer\n"
    yield f"Written by `{command}`, SlideGate {__version__}, OpenSlide {library_version()}, Python"
    yield f"{platform.python_version()}, {os.cpu_count()} cores. The whole dashboard runs in a process of its own and"
    yield "is asked over the network interface of the same machine, so that both share its cores. Each slide tile has"
    yield f"{TILE_PX} px; tiles are drawn at random over {slides} slides and all their levels. Times run from sending"
    yield f"to the last byte. Before the test the machine's load average was {busy:.1f}.\n"
    rows = []
    for load in loads:
        count = len(load.milliseconds)
        times = (f"{load.percentile(percent):.1f}" for percent in (50, 95, 99))
        rows.append([load.name, count, f"{count / load.seconds:.0f}", *times, load.refused])
    yield from table(["what", "requests", "per second", "p50 (ms)", "p95 (ms)", "p99 (ms)", "refused"], rows)
    health, tiles = loads[0].percentile(50), loads[1].percentile(95)
    yield f"\nMemory of the dashboard's process: {idle_mib:.0f} MiB before the first tile, {peak_mib:.0f} MiB at its"
    yield "peak.\n"
    yield f"Goals: a tile's p95 below {TILE_P95_MS:g} ms, one after another: {tiles:.1f} ms,"
    yield f"{_met(tiles, TILE_P95_MS)}."
    yield f"Health's p50 below {HEALTH_P50_MS:g} ms, which a server that waits for delayed acknowledgements misses:"
    yield f"{health:.1f} ms, {_met(health, HEALTH_P50_MS)}."


def _met(value: float, goal: float) -> str:
    return "met" if value < goal else "missed"
