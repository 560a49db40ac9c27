"""Figures of the dashboard: tables in, plotly figures out. Colours of classes and verdicts are the product's own."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from qc.dashboard.frames import Frame
from qc.labels import ARTEFACTS, ArtefactClass
from qc.metrics.control import ControlChart

BLUE, ORANGE, GREEN, RED, GREY = "#3b7dd8", "#c45100", "#2a9d5c", "#d83a3a", "#8a94a3"
"""Seen on white and on near-black alike."""

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"], "responsive": True}
"""For `st.plotly_chart`: no logo, which would link to another host."""

_MARGIN = {"l": 60, "r": 20, "t": 34, "b": 50}


def sweep_figure(table: Frame, threshold: float) -> go.Figure:
    """TPR, TNR and NPV over the threshold, with the chosen one."""
    figure = go.Figure()
    for name, colour, dash in (("tpr", ORANGE, "solid"), ("tnr", BLUE, "dash"), ("npv", GREEN, "dot")):
        figure.add_trace(
            go.Scatter(
                x=table["threshold"] * 100,
                y=table[name],
                name=name.upper(),
                mode="lines",
                line={"color": colour, "width": 2.5, "dash": dash},
                hovertemplate=f"{name.upper()} %{{y:.1%}} at %{{x:.1f}} %<extra></extra>",
            )
        )
    figure.add_vline(x=threshold * 100, line={"color": GREY, "width": 2})
    figure.update_xaxes(title="hold back slides with more artefacts than, % of tissue", rangemode="tozero")
    figure.update_yaxes(title="rate", range=[0, 1.02], tickformat=".0%")
    return _styled(figure, 340)


def reliability_figure(table: Frame) -> go.Figure:
    """How often people call a slide bad, by its artefact share, with intervals and the number of slides."""
    figure = go.Figure(
        go.Scatter(
            x=table["mean_share"] * 100,
            y=table["rate"],
            mode="lines+markers+text",
            text=[f"n={n}" for n in table["slides"]],
            textposition="top center",
            marker={"size": 9, "color": BLUE},
            line={"color": BLUE, "width": 1.5},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": table["rate_high"] - table["rate"],
                "arrayminus": table["rate"] - table["rate_low"],
                "color": GREY,
            },
            hovertemplate="%{y:.1%} of slides with about %{x:.1f} % artefacts are bad<extra></extra>",
        )
    )
    figure.update_xaxes(title="artefacts, % of tissue (mean of the bin)", rangemode="tozero")
    figure.update_yaxes(title="slides that people call bad", range=[-0.03, 1.12], tickformat=".0%")
    return _styled(figure, 340)


def control_figure(
    days: Sequence[pd.Timestamp], chart: ControlChart, alarmed: Sequence[bool], title: str, is_share: bool
) -> go.Figure:
    """A control chart: values, centre, limits, days with an alarm in red with another marker."""
    unit = ".1%" if is_share else ".2f"
    band = {"width": 0, "shape": "hvh"}
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(x=list(days), y=chart.upper, line=band, mode="lines", hoverinfo="skip", showlegend=False)
    )
    figure.add_trace(
        go.Scatter(
            x=list(days),
            y=chart.lower,
            line=band,
            mode="lines",
            fill="tonexty",
            fillcolor="rgba(59,125,216,0.14)",
            name="limits",
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=list(days), y=chart.centre, mode="lines", name="usual", line={"color": GREY, "dash": "dash", "width": 1.5}
        )
    )
    figure.add_trace(
        go.Scatter(
            x=list(days),
            y=chart.values,
            mode="lines+markers",
            name="measured",
            connectgaps=True,
            line={"color": BLUE, "width": 2},
            marker={"size": 6},
            hovertemplate=f"%{{x|%d %b}}: %{{y:{unit}}}<extra></extra>",
        )
    )
    places = [i for i, is_alarm in enumerate(alarmed) if is_alarm]
    figure.add_trace(
        go.Scatter(
            x=[days[i] for i in places],
            y=[chart.values[i] for i in places],
            mode="markers",
            name="alarm",
            marker={"size": 13, "color": RED, "symbol": "diamond-open", "line": {"width": 2.5}},
            hovertemplate=f"alarm %{{x|%d %b}}: %{{y:{unit}}}<extra></extra>",
        )
    )
    figure.update_layout(title={"text": title, "font": {"size": 15}}, showlegend=False)
    figure.update_yaxes(tickformat=".0%" if is_share else ".1f", automargin=True)
    figure.update_xaxes(tickformat="%d %b")
    return _styled(figure, 290)


def usability_figure(shares: Frame, names: Sequence[str]) -> go.Figure:
    """A bar for each slide: how much of its tissue is clean, and what covers the rest.

    Args:
        shares: Share of tissue by class, a row for each slide, in the order of the bars.
        names: Slide ids in the same order.
    """
    figure = go.Figure()
    for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED):
        figure.add_trace(
            go.Bar(
                x=list(names),
                y=shares[cls.name.lower()],
                name=cls.label,
                marker={"color": cls.hex_colour, "line": {"color": GREY, "width": 0.5}},
                hovertemplate=f"%{{x}}<br>{cls.label} %{{y:.1%}} of tissue<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack", bargap=0.08)
    figure.update_yaxes(title="artefacts, share of tissue", tickformat=".0%", rangemode="tozero")
    figure.update_xaxes(showticklabels=len(names) <= 40, tickangle=-60, type="category")
    return _styled(figure, 380)


def groups_figure(table: Frame, title: str) -> go.Figure:
    """Share of usable slides of each group with its interval: columns `group`, `rate`, `low`, `high`, `slides`."""
    figure = go.Figure(
        go.Scatter(
            x=table["rate"],
            y=table["group"],
            mode="markers",
            customdata=table["slides"],
            marker={"size": 10, "color": BLUE},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": table["high"] - table["rate"],
                "arrayminus": table["rate"] - table["low"],
                "color": GREY,
            },
            hovertemplate="%{y}: %{x:.1%} of %{customdata} slides usable<extra></extra>",
        )
    )
    figure.update_xaxes(title=title, range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(type="category", autorange="reversed")
    return _styled(figure, max(220, 90 + 24 * len(table)))


def _styled(figure: go.Figure, height_px: int) -> go.Figure:
    figure.update_layout(
        height=height_px,
        margin=_MARGIN,
        legend={"orientation": "h", "y": 1.02, "x": 1, "xanchor": "right", "yanchor": "bottom"},
        hoverlabel={"namelength": -1},
    )
    return figure
