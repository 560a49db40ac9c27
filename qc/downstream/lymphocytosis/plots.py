"""How far repeats lie apart. In: arms and their figures. Out: a plot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qc.downstream.lymphocytosis.study import Line
from qc.files import replacing

Float = NDArray[np.float64]


def plot_repeats(lines: Sequence[Line], values: Sequence[Float], title: str, path: Path) -> None:
    """Balanced accuracy of each repeat as a dot, their mean as a bar, what others published as a diamond."""
    figure = Figure(figsize=(8, 0.5 + 0.36 * len(lines)), layout="constrained")
    axes = figure.subplots()
    for y, (line, own) in enumerate(zip(lines, values, strict=True)):
        axes.barh(y, float(np.mean(own)), height=0.6, color="#d9e2ec")
        axes.scatter(own, np.full(len(own), y), s=14, color="#1f4e79", zorder=3, linewidths=0)
        theirs = line.arm.published.get("balanced accuracy")
        if theirs is not None:
            axes.scatter([theirs], [y], marker="D", s=30, color="#c0392b", zorder=4)
    axes.axvline(0.5, color="#888888", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(lines)), [line.arm.name for line in lines], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0.3, 1.0)
    axes.set_xlabel("balanced accuracy: dots ours, one a repeat; diamonds as published")
    axes.set_title(title, fontsize=10)
    with replacing(path) as partial:
        figure.savefig(partial, dpi=110)
