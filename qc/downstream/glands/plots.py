"""Plots of the gland study. In: what was found. Out: PNG files without a pixel of tissue."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qc.downstream.glands.judge import FIGURES, Judged
from qc.downstream.glands.report import Found
from qc.files import replacing

_COLOURS = ("#0033a0", "#c45100", "#007a3d", "#7a3fa0")
_DPI = 110


def write_plots(found: Found, folder: Path) -> list[Path]:
    """`images.png`: each test image; `blur.png`: figures against blur."""
    plots = {"images.png": _images(found), "blur.png": _blur(found)}
    return [_written(figure, folder / name) for name, figure in plots.items()]


def _images(found: Found) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    groups = {
        f"{part}\n{grade}": [row for row in by_radius[0.0] if found.cohort.grade.get(row.name) == grade]
        for part, by_radius in found.by_part.items()
        for grade in sorted(set(found.cohort.grade.values()))
    }
    shown = {name: rows for name, rows in groups.items() if rows}
    _strip(left, shown, [[row.objects.dice for row in rows] for rows in shown.values()], "object Dice of an image")
    _strip(right, shown, [[row.objects.f1 for row in rows] for rows in shown.values()], "object F1 of an image")
    return figure


def _strip(axes: Axes, names: dict[str, list[Judged]], values: Sequence[Sequence[float]], label: str) -> None:
    for i, some in enumerate(values):
        # spread by rank, so that equal values do not hide each other
        x = [i + 0.5 * (((7 * j) % len(some)) / len(some) - 0.5) for j in range(len(some))]
        axes.plot(x, some, "o", markersize=4, alpha=0.6, color=_COLOURS[i % len(_COLOURS)])
    axes.set_xticks(range(len(names)), list(names))
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#dddddd")


def _blur(found: Found) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    names = ("object F1", "object Dice")
    for axes, name in zip(figure.subplots(1, 2), names, strict=True):
        for (part, by_radius), colour in zip(found.by_part.items(), _COLOURS * len(found.by_part), strict=False):
            radii = sorted(by_radius)
            axes.plot(radii, [FIGURES[name](by_radius[one]) for one in radii], "o-", color=colour, label=part)
        axes.set_xlabel("radius of the blur disc (um)")
        axes.set_ylabel(name)
        axes.set_ylim(0, 1)
        axes.grid(color="#dddddd")
        axes.legend()
    return figure


def _written(figure: Figure, path: Path) -> Path:
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=_DPI, metadata={"Software": None})
    with replacing(path) as partial:
        partial.write_bytes(picture.getvalue())
    return path
