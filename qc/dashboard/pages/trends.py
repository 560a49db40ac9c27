"""Trends: is a scanner, stainer or batch today like on other days? Control charts and their alarms."""

import pandas as pd
import streamlit as st

from qc.dashboard import charts, trends, words
from qc.dashboard.attributes import GROUPS, UNKNOWN, attributes
from qc.dashboard.context import Context
from qc.dashboard.downloads import csv_button
from qc.dashboard.frames import Frame
from qc.dashboard.reads import worklist
from qc.dashboard.saved import CONTROL, as_toml, control_settings
from qc.dashboard.trends import ARTEFACTS, FOCUS, HELD_BACK, SENT_BACK, STAIN, Trend
from qc.store.people import Role

_EVERYTHING = "all slides"
_SCANNED, _ASSESSED = "scanned", "assessed"
_MEASURES = {
    HELD_BACK: "held back by the software",
    SENT_BACK: "sent back by people",
    FOCUS: "focus score",
    STAIN: "stain score",
    ARTEFACTS: "artefact share",
}
_SHARES = frozenset({HELD_BACK, SENT_BACK, ARTEFACTS})
_CHARTS_MAX = 12
_BASELINE_MIN = 3


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Trends")
    table = worklist(context).join(attributes(context), on="slide_id")
    table[list(GROUPS)] = table[list(GROUPS)].fillna(UNKNOWN)
    with st.container(horizontal=True):
        measure = st.segmented_control("Measure", list(_MEASURES), default=HELD_BACK, format_func=_MEASURES.__getitem__)
        column = st.segmented_control("One chart for each", [*GROUPS, _EVERYTHING], default="scanner")
        day = st.segmented_control("Day", [_SCANNED, _ASSESSED], default=_default_day(table))
    measure, column = measure or HELD_BACK, column or _EVERYTHING
    table = _with_days(table, is_scanned=day == _SCANNED)
    if table.empty:
        st.info("No slide has a day. Give the table of the laboratory under Cohort, or choose the day assessed.")
        return
    found = _trends(context, table, measure, column)
    _alarms(found, measure)
    _draw(found, measure)
    _explain(context, measure)
    _baseline(context, table)


def _default_day(table: Frame) -> str:
    return _SCANNED if table["scanned"].notna().any() else _ASSESSED


def _with_days(table: Frame, is_scanned: bool) -> Frame:
    """Slides with the day that was asked for; those without one are left out and counted on the screen."""
    days = table["scanned"] if is_scanned else table["recorded"].dt.tz_localize(None).dt.normalize()
    missing = int(days.isna().sum())
    if missing:
        st.caption(f"{missing:,} slides are left out: the day they were scanned is unknown.")
    return table.assign(day=days)[days.notna()]


def _trends(context: Context, table: Frame, measure: str, column: str) -> list[Trend]:
    settings = control_settings(context.store)
    make = trends.share_trend if measure in (HELD_BACK, SENT_BACK) else trends.drift_trend
    if column == _EVERYTHING:
        return [make(table, _EVERYTHING, measure, settings)]
    groups = sorted(table.groupby(column), key=lambda group: (group[0] == UNKNOWN, str(group[0])))
    return [trend for name, members in groups if (trend := make(members, str(name), measure, settings)).days]


def _alarms(found: list[Trend], measure: str) -> None:
    alarms = trends.alarm_table(found)
    if alarms.empty:
        st.success("No alarm: every day is like the others.", icon=":material/check_circle:")
        return
    last = max(trend.days[-1] for trend in found)
    fresh = alarms[alarms["day"] == last]
    for alarm in fresh.to_dict("records"):
        st.error(
            f"{alarm['group']}: {_MEASURES[measure]} {_value(alarm['value'], measure)} on {last:%d %b %Y}, "
            f"usually {_value(alarm['centre'], measure)} ({alarm['rules']})",
            icon=":material/warning:",
        )
    with st.expander(f"{len(alarms)} alarms in all", expanded=fresh.empty):
        shown = pd.DataFrame({"Day": alarms["day"].dt.strftime("%Y-%m-%d"), "Group": alarms["group"]})
        shown["Value"] = [_value(value, measure) for value in alarms["value"]]
        shown["Usual"] = [_value(value, measure) for value in alarms["centre"]]
        shown["Slides"], shown["Rule"] = alarms["slides"], alarms["rules"]
        st.dataframe(shown, hide_index=True, height=min(320, 38 + 35 * len(shown)), alt="Alarms; the same as CSV below")
        csv_button("Alarms", lambda: alarms, "alarms")


def _draw(found: list[Trend], measure: str) -> None:
    if not found:
        st.info("Nothing to draw yet: nobody has decided about a slide." if measure == SENT_BACK else "No day yet.")
        return
    columns = st.columns(2 if len(found) > 1 else 1, gap="medium")
    for i, trend in enumerate(found[:_CHARTS_MAX]):
        alarmed = [bool(rules) for rules in trend.alarms]
        title = f"{trend.group} · {sum(trend.slides):,} slides"
        figure = charts.control_figure(trend.days, trend.chart, alarmed, title, measure in _SHARES)
        columns[i % len(columns)].plotly_chart(figure, config=charts.CONFIG, key=f"trend_{i}", alt=title)
    if len(found) > _CHARTS_MAX:
        st.caption(f"The first {_CHARTS_MAX} of {len(found)} are drawn; alarms come from all.")


def _legend(line: str) -> str:
    return f"Dots: {line} of a day. Dashed: what is usual. Shaded: within the limits. Red diamond: alarm. "


def _explain(context: Context, measure: str) -> None:
    settings = control_settings(context.store)
    if measure in (HELD_BACK, SENT_BACK):
        st.caption(
            _legend("share")
            + f"p-chart: limits at {settings.sigmas:g} standard deviations, wider on days with few slides; alarms also "
            "by the Western Electric rules: 2 of 3 days beyond two standard deviations, 4 of 5 beyond one, 8 on one "
            f"side. Days with fewer than {settings.slides_min} slides raise none."
        )
    else:
        st.caption(
            _legend("moving average")
            + f"EWMA of daily means: weight {settings.ewma_weight:g}, limits at {settings.ewma_sigmas:g} standard "
            f"deviations. Days with fewer than {settings.slides_min} slides raise no alarm."
        )


def _baseline(context: Context, table: Frame) -> None:
    """Which days say what is usual; the QC manager fixes them, or a slow change would move its own limits."""
    settings = control_settings(context.store)
    days = sorted(table["day"].unique())
    fixed = min(settings.baseline_days, len(days))
    if fixed:
        said = f"What is usual comes from the first {fixed} days, up to {days[fixed - 1]:%d %b %Y}."
    else:
        said = f"What is usual comes from all {len(days)} days shown: a slow change moves the limits with it."
    st.caption(said)
    if not context.may(Role.QC_MANAGER) or len(days) < _BASELINE_MIN:
        return
    with st.popover("Set the usual days" if not fixed else "Change the usual days", icon=":material/straighten:"):
        st.caption("Choose days on which scanner, stain and people were in order, from the first day on.")
        wanted = st.number_input("First days", _BASELINE_MIN, len(days), fixed or min(20, len(days)))
        st.caption(f"{days[0]:%d %b %Y} to {days[int(wanted) - 1]:%d %b %Y}; saved for all charts, as a new version.")
        if st.button("Use these days", type="primary", disabled=int(wanted) == fixed):
            changed = settings.model_copy(update={"baseline_days": int(wanted)})
            context.store.save_setting(context.actor, CONTROL, as_toml(changed), f"usual days: the first {int(wanted)}")
            st.rerun()


def _value(value: float, measure: str) -> str:
    return words.percent(value) if measure in _SHARES else words.number(value)
