"""Charts of the report of many slides, as SVG inside a URI; the same numbers give the same bytes."""

import base64
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.profile import Profile
from qc.labels import Verdict
from qc.report.cohort import Loss
from qc.report.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#55626f",
    "axes.labelcolor": "#55626f",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "xtick.color": "#55626f",
    "ytick.color": "#55626f",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": "#17212b",
    "svg.fonttype": "none",
    "svg.hashsalt": "slidegate",
    "path.simplify": True,
}
_FONTS = "'Liberation Sans', Arial, Helvetica, sans-serif"
_WIDTH_IN = 7.0
_DAYS_MIN = 4
_POINTS_MAX = 400
_INK, _SOFT, _LIMIT = "#17212b", "#8b96a1", "#b00020"


def pareto(losses: Sequence[Loss]) -> str:
    """Slides beyond the limit and tissue lost, class by class, the commonest first."""
    from matplotlib.figure import Figure

    with _style():
        figure = Figure((_WIDTH_IN, 0.27 * len(losses) + 0.75), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        rows = np.arange(len(losses))[::-1]
        colours = [loss.colour for loss in losses]
        areas = [loss.area_mm2 for loss in losses]
        _bars(left, rows, [loss.slides for loss in losses], colours, [f"{loss.slides}" for loss in losses])
        _bars(right, rows, areas, colours, [_amount(area, sum(areas)) for area in areas])
        left.set_yticks(rows, [loss.label for loss in losses])
        left.set_title("Slides beyond the limit for review")
        right.set_title("Tissue lost, mm\u00b2 and share of all that is lost")
        return _uri(figure)


def spans_days(table: pd.DataFrame) -> bool:
    """True when there are days enough for a course of days; a course of slides is drawn otherwise."""
    return len(set(table.loc[table["day"].notna().to_numpy(), "day"])) >= _DAYS_MIN


def trend(table: pd.DataFrame, profile: Profile) -> str:
    """Usable share, focus and stain over days; over slides in the order of their recording when days are few.

    Args:
        table: See `qc.report.table.slide_table`.
        profile: Limits that are drawn.
    """
    from matplotlib.figure import Figure

    with _style():
        figure = Figure((_WIDTH_IN, 4.1), layout="constrained")
        axes = list(figure.subplots(3, 1, sharex=True))
        if spans_days(table):
            _by_day(axes, table)
        else:
            _by_slide(axes, table)
        for one, limit in zip(axes[1:], (profile.review.focus_score, profile.review.stain_score), strict=True):
            one.axhline(limit, color=_LIMIT, linewidth=0.8, linestyle=(0, (4, 2)))
            one.set_ylim(-0.4, 10.4)
            one.set_yticks([0, 5, 10])
        axes[1].set_title("Focus score, limit for review dashed")
        axes[2].set_title("Stain score, limit for review dashed")
        axes[0].set_ylim(-0.04, 1.04)
        axes[0].set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        return _uri(figure)


def spread(table: pd.DataFrame) -> str:
    """How usable shares, focus and stain are spread over the slides, coloured by verdict."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _style():
        figure = Figure((_WIDTH_IN, 1.65), layout="constrained")
        shown = (
            ("usable_share", "Usable share of tissue", np.linspace(0, 1, 21)),
            ("focus_score", "Focus score", np.linspace(0, 10, 21)),
            ("stain_score", "Stain score", np.linspace(0, 10, 21)),
        )
        for axes, (column, title, edges) in zip(figure.subplots(1, 3), shown, strict=True):
            below = np.zeros(len(edges) - 1)
            for verdict in (Verdict.USABLE, Verdict.REVIEW, Verdict.REJECT):
                counts, _ = np.histogram(table.loc[table["verdict"] == verdict, column].dropna(), edges)
                axes.bar(edges[:-1], counts, np.diff(edges), below, align="edge", color=verdict.hex_colour)
                below += counts
            axes.set_title(title)
            axes.set_xlim(edges[0], edges[-1])
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        return _uri(figure)


def _bars(
    axes: "Axes", rows: np.ndarray, values: Sequence[float], colours: Sequence[str], texts: Sequence[str]
) -> None:
    axes.barh(rows, values, 0.62, color=colours, edgecolor=_INK, linewidth=0.4)
    axes.set_xlim(0, max([*values, 1e-9]) * 1.25)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    for row, value, text in zip(rows, values, texts, strict=True):
        axes.annotate(text, (value, row), (4, 0), textcoords="offset points", va="center", fontsize=7.5)


def _amount(area_mm2: float, all_mm2: float) -> str:
    share = f" ({area_mm2 / all_mm2:.0%})" if all_mm2 and area_mm2 else ""
    return f"{number(area_mm2)}{share}"


def _by_day(axes: Sequence["Axes"], table: pd.DataFrame) -> None:
    """A p-chart with limits at three standard errors, and medians with quartiles."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    dated = table.loc[table["day"].notna().to_numpy()]
    by_day = {day: dated.loc[(dated["day"] == day).to_numpy()] for day in sorted(set(dated["day"]))}
    days = date2num(list(by_day))
    counts = np.array([len(part) for part in by_day.values()])
    share = np.array([part["is_usable"].to_numpy(bool).mean() for part in by_day.values()])
    mean = float(dated["is_usable"].to_numpy(bool).mean())
    error = 3 * np.sqrt(mean * (1 - mean) / counts)
    axes[0].fill_between(days, np.clip(mean - error, 0, 1), np.clip(mean + error, 0, 1), step="mid", color="#e9edf1")
    axes[0].axhline(mean, color=_SOFT, linewidth=0.8)
    axes[0].plot(days, share, "o-", color=Verdict.USABLE.hex_colour, markersize=3, linewidth=1)
    axes[0].set_title("Usable share of slides per day; grey: what chance explains (mean \u00b1 3 standard errors)")
    for one, column in zip(axes[1:], ("focus_score", "stain_score"), strict=True):
        low, middle, high = np.array([_quartiles(part[column].to_numpy(float)) for part in by_day.values()]).T
        one.fill_between(days, low, high, color="#cfd8e6")
        one.plot(days, middle, "o-", color="#0047ab", markersize=3, linewidth=1)
    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes[2].xaxis.set_major_locator(locator)
    axes[2].xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _quartiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """First quartile, median, third quartile of what is known; NaN of nothing."""
    known = values[~np.isnan(values)]
    return np.quantile(known, (0.25, 0.5, 0.75)) if len(known) else np.full(3, np.nan)


def _by_slide(axes: Sequence["Axes"], table: pd.DataFrame) -> None:
    """One point a slide, thinned where there are very many."""
    from matplotlib.ticker import MaxNLocator

    ordered = table.sort_values(["recorded", "slide_id"], kind="stable").reset_index(drop=True)
    step = math.ceil(len(ordered) / _POINTS_MAX)
    ordered = ordered.iloc[::step]
    for one, column in zip(axes, ("usable_share", "focus_score", "stain_score"), strict=True):
        one.plot(ordered.index + 1, ordered[column], color="#cfd8e6", linewidth=0.8, zorder=1)
        for verdict in Verdict:
            of_verdict = ordered[ordered["verdict"] == verdict]
            one.scatter(of_verdict.index + 1, of_verdict[column], 12, verdict.hex_colour, zorder=2, linewidths=0)
    axes[0].set_title("Usable share of tissue, slide by slide")
    axes[2].set_xlabel(f"slide, in the order of recording{f' (every {step}th)' if step > 1 else ''}")
    axes[2].xaxis.set_major_locator(MaxNLocator(10, integer=True))


def _style() -> Any:
    from matplotlib import rc_context

    return rc_context(_STYLE)


def _uri(figure: "Figure") -> str:
    held = io.StringIO()
    figure.savefig(held, format="svg", metadata={"Date": None, "Creator": None})
    text = held.getvalue().replace("'DejaVu Sans'", _FONTS).replace("DejaVu Sans", _FONTS)
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()
