"""Days of scanners, stainers and batches as control charts. In: a row for each slide. Out: charts and alarms. Pure."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qc.config.control import ControlSettings
from qc.dashboard.frames import Column, Frame
from qc.labels import Verdict
from qc.metrics.control import BEYOND_LIMITS, ControlChart, alarms, ewma_chart, p_chart
from qc.store.decision import Action

HELD_BACK, SENT_BACK = "held_back", "sent_back"
FOCUS, STAIN, ARTEFACTS = "focus_score", "stain_score", "artefact_share"
_SENDS_BACK = frozenset({Action.RE_SCAN, Action.RE_CUT, Action.CLEAN})


@dataclass(frozen=True)
class Trend:
    """One measure of one group over its days.

    Attributes:
        group: Such as `scanner B`; `all slides` for everything.
        days: (N) days with slides, in order.
        slides: (N) slides that were measured on each.
        chart: Values and limits.
        alarms: (N) rules that fire on each day; empty where none does.
    """

    group: str
    days: tuple[pd.Timestamp, ...]
    slides: tuple[int, ...]
    chart: ControlChart
    alarms: tuple[tuple[str, ...], ...]


def share_trend(table: Frame, group: str, measure: str, settings: ControlSettings) -> Trend:
    """A p-chart: the share of slides that the software holds back, or that people send back.

    Args:
        table: Slides of the group with `day`, `verdict` and `decision_action`.
        group: Its name.
        measure: `held_back` (verdict other than usable, of all slides) or `sent_back` (re-scan, re-cut or clean, of the
            slides that people decided about).
        settings: Of the chart.
    """
    if measure == SENT_BACK:
        table = table[table["decision_action"].notna()]
        counted = table["decision_action"].isin([str(action) for action in _SENDS_BACK])
    else:
        counted = table["verdict"] != Verdict.USABLE
    by_day = counted.groupby(table["day"]).agg(["sum", "count"])
    chart = p_chart(by_day["sum"].tolist(), by_day["count"].tolist(), settings.sigmas, settings.baseline_days)
    return _trend(group, by_day.index, by_day["count"], chart, alarms(chart), settings)


def drift_trend(table: Frame, group: str, measure: str, settings: ControlSettings) -> Trend:
    """An EWMA chart of daily means of a score.

    The target is the mean of the baseline's slides, the spread of a day's mean their standard deviation over the root
    of the usual number of slides a day.

    Args:
        table: Slides of the group with `day` and the measure.
        group: Its name.
        measure: Column with the score; slides without one are left out.
        settings: Of the chart.
    """
    known = table[table[measure].notna()]
    by_day = known.groupby("day")[measure].agg(["mean", "count"])
    first_days = by_day.index[: settings.baseline_days or None]
    baseline = known.loc[known["day"].isin(first_days), measure].astype("float64")
    target = float(baseline.mean()) if len(baseline) else math.nan
    usual = float(by_day["count"].median()) if len(by_day) else math.nan
    sigma = float(baseline.std()) / math.sqrt(usual) if len(baseline) > 1 else math.nan
    chart = ewma_chart(by_day["mean"].tolist(), target, sigma, settings.ewma_weight, settings.ewma_sigmas)
    told = [[BEYOND_LIMITS] if is_beyond else [] for is_beyond in chart.is_beyond]
    return _trend(group, by_day.index, by_day["count"], chart, told, settings)


def alarm_table(trends: list[Trend]) -> Frame:
    """Days with an alarm, the latest first: `day`, `group`, `value`, `centre`, `slides`, `rules`."""
    rows = [
        {
            "day": day,
            "group": trend.group,
            "value": trend.chart.values[i],
            "centre": trend.chart.centre[i],
            "slides": trend.slides[i],
            "rules": "; ".join(trend.alarms[i]),
        }
        for trend in trends
        for i, day in enumerate(trend.days)
        if trend.alarms[i]
    ]
    columns = ["day", "group", "value", "centre", "slides", "rules"]
    return pd.DataFrame(rows, columns=columns).sort_values(["day", "group"], ascending=[False, True], ignore_index=True)


def _trend(
    group: str,
    days: pd.Index,
    slides: Column,
    chart: ControlChart,
    told: list[list[str]],
    settings: ControlSettings,
) -> Trend:
    """A trend without alarms on days with too few slides, or on which nothing could be computed."""
    few = (slides < settings.slides_min).to_numpy() | np.isnan(chart.values)
    heard = tuple(() if is_few else tuple(rules) for is_few, rules in zip(few, told, strict=True))
    return Trend(group, tuple(days), tuple(int(n) for n in slides), chart, heard)
