"""Performance: the software against people, with what would change at another threshold."""

import math

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qc.dashboard import charts, performance, words
from qc.dashboard.agreement_tables import people_and_people, software_and_people, with_interval
from qc.dashboard.attributes import GROUPS, UNKNOWN, attributes
from qc.dashboard.context import Context
from qc.dashboard.downloads import csv_button
from qc.dashboard.frames import Column, Frame
from qc.dashboard.labels import read_labels
from qc.dashboard.performance import ANSWERS, DECISIONS, LABELS, Rate
from qc.dashboard.reads import class_shares, opinions, worklist
from qc.dashboard.uploads import text_of
from qc.errors import QCError
from qc.labels import ARTEFACTS, Verdict
from qc.metrics import Counts
from qc.store.shares import paths

_TRUTHS = {
    DECISIONS: "Decisions of people",
    ANSWERS: "“Could this be used?”",
    LABELS: "Table of labels",
}
_CALLS = {Verdict.REVIEW: "review or reject", Verdict.REJECT: "reject only"}
_THRESHOLDS = np.round(np.concatenate([np.arange(0, 0.2, 0.005), np.arange(0.2, 1.0, 0.02)]), 4)
_BINS = (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 1.0)
_RATE_COLUMNS = {"tpr": "TPR", "tnr": "TNR", "npv": "NPV", "ppv": "PPV", "accuracy": "Accuracy"}


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Performance")
    table = worklist(context)
    with st.container(horizontal=True):
        truth = st.segmented_control("What is true", list(_TRUTHS), default=DECISIONS, format_func=_TRUTHS.__getitem__)
        least = st.segmented_control(
            "The software holds a slide back when it says",
            list(_CALLS),
            default=Verdict.REVIEW,
            format_func=_CALLS.__getitem__,
        )
    truth, least = truth or DECISIONS, least or Verdict.REVIEW
    labels = _labels(context) if truth == LABELS else None
    bad = performance.is_bad(table, truth, labels)
    called = performance.is_called(table.set_index("slide_id")["verdict"], least)
    counts = performance.count(bad, called)
    _basis(table, bad, called)
    if counts.total == 0:
        st.info("Nobody has said yet which slides are good and which are not; decide about some under Review.")
        return
    _rates(counts)
    shares = class_shares(context).reindex(bad.index)
    artefacts = table.set_index("slide_id")["artefact_share"].astype("float64")
    whatif, groups, people, reliable = st.tabs(
        ["Another threshold", "Per class and group", "Software and people", "Reliability"]
    )
    with whatif:
        _what_if(bad, artefacts, shares)
    with groups:
        _groups(context, table, bad, called, shares)
    with people:
        software_and_people(table, bad, called)
        people_and_people(performance.by_person(opinions(context), truth, labels))
    with reliable:
        _reliability(bad, artefacts)


def _labels(context: Context) -> Column | None:
    file = st.file_uploader("Labels (CSV): columns slide and usable (yes or no)", type="csv")
    if file is None:
        return None
    try:
        return read_labels(text_of(file.getvalue()), paths(context.store.engine, context.run_id))
    except QCError as error:
        st.error(str(error))
        return None


def _basis(table: Frame, bad: Column, called: Column) -> None:
    """On which slides the figures rest; people look at the bad ones first, which moves every rate."""
    has_truth = bad.notna().to_numpy()
    passed = (called == False).fillna(False).to_numpy(dtype=bool)  # noqa: E712  a nullable series
    unread = int((has_truth & called.isna().to_numpy()).sum())
    said = f"{int(has_truth.sum()):,} of {len(table):,} slides have a truth"
    seen = f"{int((has_truth & passed).sum()):,} of {int(passed.sum()):,} slides that pass were looked at"
    left = f" {unread:,} slides with a truth were not assessed and are left out." if unread else ""
    st.caption(f"A positive is a slide that shall not be used as it is. {said}; {seen}.{left}")
    if passed.any() and (has_truth & passed).sum() < 0.5 * passed.sum():
        st.warning(
            "Most slides that pass were never looked at: TPR and NPV are likely too good. "
            "Have a random share of usable slides reviewed.",
            icon=":material/visibility_off:",
        )


def _rates(counts: Counts) -> None:
    cells = st.columns(5)
    for cell, rate in zip(cells, performance.rates(counts), strict=True):
        _rate(cell, rate)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(
            "| slides | held back | passed |\n|---|---:|---:|\n"
            f"| bad, say people | {counts.tp:,} | {counts.fn:,} |\n| good, say people | {counts.fp:,} | {counts.tn:,} |"
        )
    with right:
        st.markdown(f"**NPV at another prevalence.** Here {words.percent(counts.prevalence)} of the slides are bad.")
        other = st.slider("Share of bad slides elsewhere, %", 0.1, 50.0, 5.0, 0.1, format="%.1f")
        st.write(
            f"With {other:.1f} % bad slides, **{words.percent(counts.npv_at(other / 100))}** of the slides that pass "
            f"would be good (NPV), if TPR and TNR stayed the same."
        )


def _rate(cell: DeltaGenerator, rate: Rate) -> None:
    low, high = rate.interval
    cell.metric(rate.name, words.percent(rate.value), help=f"Share {rate.meaning}.", border=True)
    if math.isnan(rate.value):
        cell.caption(f"undefined: 0 of 0 {rate.meaning}")
    else:
        cell.caption(
            f"{rate.part} of {rate.whole} {rate.meaning}; 95 % interval {words.percent(low)} to {words.percent(high)}"
        )


def _what_if(bad: Column, artefacts: Column, shares: Frame) -> None:
    names = {"all": "all artefacts together", **{c.name.lower(): c.label for c in ARTEFACTS}}
    left, right = st.columns([1, 2])
    name = left.selectbox("Measured by", list(names), format_func=names.__getitem__)
    cut = right.slider("Hold back slides with more than, % of tissue", 0.0, 60.0, 15.0, 0.5, format="%.1f") / 100
    share = artefacts if name == "all" else shares[name]
    now = performance.sweep(bad, share, [cut]).iloc[0]
    every = share.dropna()
    held = int((every > cut).sum())
    st.write(
        f"**{held:,} of {len(every):,}** assessed slides would be held back "
        f"({words.percent(held / len(every) if len(every) else math.nan)}). Among the {int(now['slides']):,} with a "
        f"truth, bad slides that would pass: **{int(now['fn']):,}**; good slides held back: **{int(now['fp']):,}**. "
        f"TPR {words.percent(now['tpr'])}, TNR {words.percent(now['tnr'])}, NPV {words.percent(now['npv'])} "
        f"at a prevalence of {words.percent(now['prevalence'])}."
    )
    curve = performance.sweep(bad, share, list(_THRESHOLDS[_THRESHOLDS <= 0.6]))
    st.plotly_chart(charts.sweep_figure(curve, cut), config=charts.CONFIG, alt="TPR, TNR and NPV over the threshold")
    st.caption(
        "Try thresholds on slides other than those that the figures of a report come from; "
        "limits in force are under Settings."
    )


def _groups(context: Context, table: Frame, bad: Column, called: Column, shares: Frame) -> None:
    if context.run is not None:
        st.markdown("**Per class**: a class beyond its limit for review, where people gave it as the reason")
        limits = (context.store.profile_in_force(context.run_id) or context.run.read_note().profile).review
        by_class = performance.by_class(
            table.set_index("slide_id")["decision_reason"],
            bad,
            shares,
            {c.name.lower(): getattr(limits, c.name.lower()) for c in ARTEFACTS},
            {c.name.lower(): c.label for c in ARTEFACTS},
        )
        _rate_table(by_class, "class")
    about = attributes(context).reindex(bad.index)
    column = st.segmented_control("Group by", GROUPS, default=GROUPS[0], key="performance_group") or GROUPS[0]
    groups = about[column].fillna(UNKNOWN)
    _rate_table(performance.by_group(bad, called, groups), column)


def _rate_table(table: Frame, title: str) -> None:
    out = pd.DataFrame({title.capitalize(): table["group"]})
    out["Slides"] = table["slides"].astype(int)
    out["Bad"] = (table["tp"] + table["fn"]).astype(int)
    for name, label in _RATE_COLUMNS.items():
        out[label] = [with_interval(row, name) for row in table.to_dict("records")]
    out["Prevalence"] = table["prevalence"].map(words.percent)
    st.dataframe(out, hide_index=True, alt=f"Rates per {title}; the same as CSV below.")
    csv_button(f"Rates per {title}", lambda: table, f"rates-{title}", key=f"rates_{title}")


def _reliability(bad: Column, artefacts: Column) -> None:
    found = performance.reliability(bad, artefacts, _BINS)
    st.plotly_chart(charts.reliability_figure(found), config=charts.CONFIG, alt="Share of bad slides by artefact share")
    st.caption("The more artefacts, the more slides people should call bad; a dip means that the share misleads there.")
