"""Worklist: every slide of the run, urgent ones first, then those asked for, then the worst; one click opens it."""

from typing import Any

import pandas as pd
import streamlit as st

from qc.dashboard import idle, lis, words
from qc.dashboard.attributes import UNKNOWN, attributes
from qc.dashboard.context import Context
from qc.dashboard.downloads import csv_button
from qc.dashboard.frames import Column, Frame
from qc.dashboard.reads import pulse, worklist
from qc.dashboard.uploads import text_of
from qc.errors import QCError
from qc.labels import Verdict
from qc.store.people import Role

_ROWS_SHOWN = 500
_NEWS_SECONDS = 15
_TABLE_PX = 563
"""Fifteen slides: the page ends with the screen of a small monitor."""
_LEFT_OUT_EMPTY = ("Priority", "Decision", "In review", "Barcode", "Asked to review")
_OPEN, _DECIDED, _ALL = "To decide", "Decided", "All"


def page(context: Context) -> None:
    """Draw the page."""
    table = worklist(context)
    about = attributes(context)
    table = table.join(about, on="slide_id")
    table[["barcode"]] = table[["barcode"]].fillna("")
    st.title("Worklist")
    _summary(table)
    chosen = _filtered(table)
    actions = st.container(horizontal=True, vertical_alignment="bottom")
    row = _table(chosen)
    _news(context, pulse(context), is_busy=row is not None)
    with actions:
        _act(context, chosen, row)
        _exchange(context, chosen, table)


def shown_columns(table: Frame) -> Frame:
    """A worklist in the words of the screen: one column for each that people see."""
    out = pd.DataFrame(index=table.index)
    out["Priority"] = table["priority"].map(lambda level: words.priority(level) if level else "")
    out["Verdict"] = table["verdict"].map(lambda value: [words.verdict(value)])
    out["Decision"] = table["decision_action"].map(words.action)
    out["In review"] = table["locked_by_name"].map(lambda name: f"🔒 {name}" if isinstance(name, str) else "")
    out["Slide"] = table["slide_id"]
    out["Barcode"] = table["barcode"]
    out["Asked to review"] = table["asked_why"].fillna("")
    out["Why"] = table["reason"]
    out["Artefacts"] = table["artefact_share"] * 100
    out["Usable mm²"] = table["usable_mm2"]
    out["Focus"] = table["focus_score"]
    out["Stain"] = table["stain_score"]
    return out


def _summary(table: Frame) -> None:
    is_open = table["decision_id"].isna()
    needs_eye = is_open & ((table["verdict"] != Verdict.USABLE) | table["asked_why"].notna())
    is_read = table["verdict"] != Verdict.UNASSESSED
    usable, tissue = table["usable_mm2"].sum(), table["tissue_mm2"].sum()
    cells = st.columns(5)
    cells[0].metric("Slides", f"{len(table):,}")
    cells[1].metric("Need a decision", f"{int(needs_eye.sum()):,}", help="Not usable or asked about, and undecided.")
    cells[2].metric("Decided by people", f"{int((~is_open).sum()):,}")
    cells[3].metric("Not assessed", f"{int((~is_read).sum()):,}", help="The file could not be read: never a pass.")
    share = words.percent(usable / tissue, 0) if tissue else words.MISSING
    cells[4].metric("Usable tissue", share, help=f"{usable:,.1f} of {tissue:,.1f} mm² of tissue.")


def _filtered(table: Frame) -> Frame:
    scanners = sorted(set(table["scanner"].dropna()) - {UNKNOWN})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = st.segmented_control("Show", [_OPEN, _DECIDED, _ALL], default=_OPEN, key="worklist_state") or _ALL
        verdicts = st.pills(
            "Verdict", [str(v) for v in reversed(Verdict)], selection_mode="multi", format_func=words.verdict
        )
        text = st.text_input("Slide or barcode", placeholder="part of either", icon=":material/search:", width=200)
        scanner = st.selectbox("Scanner", ["all", *scanners, UNKNOWN], width=160) if scanners else "all"
    keep = pd.Series(True, index=table.index)
    if state != _ALL:
        keep &= table["decision_id"].notna() == (state == _DECIDED)
    if verdicts:
        keep &= table["verdict"].isin(verdicts)
    if text.strip():
        needle = text.strip()
        keep &= table["slide_id"].str.contains(needle, case=False, regex=False) | table["barcode"].str.contains(
            needle, case=False, regex=False
        )
    if scanner != "all":
        keep &= table["scanner"].fillna(UNKNOWN) == scanner
    return table[keep].reset_index(drop=True)


@st.fragment(run_every=_NEWS_SECONDS)
def _news(context: Context, known: tuple[int, str, int], is_busy: bool) -> None:
    """Draw the page anew when results or decisions came in; while a row is chosen, only say so."""
    if pulse(context) == known:
        return
    if is_busy:
        st.caption("New results or decisions have come; they are shown once you let go of the row.")
    else:
        idle.rerun_by_itself()


def _table(table: Frame) -> int | None:
    """The list; returns the chosen row."""
    if table.empty:
        st.success("Nothing left here. Choose another filter to see more slides.", icon=":material/done_all:")
        return None
    colours = [v.hex_colour for v in Verdict]
    columns = {
        "Verdict": st.column_config.MultiselectColumn(
            options=[words.verdict(v) for v in Verdict], color=colours, width=115
        ),
        "Priority": st.column_config.TextColumn(width=70),
        "Decision": st.column_config.TextColumn(width=90),
        "In review": st.column_config.TextColumn(width=100),
        "Asked to review": st.column_config.TextColumn(
            help="qc filter would leave almost nothing of the slide for a classifier.", width=260
        ),
        "Slide": st.column_config.TextColumn(width=150),
        "Barcode": st.column_config.TextColumn(width=95),
        "Why": st.column_config.TextColumn(width=225),
        "Artefacts": st.column_config.ProgressColumn(
            help="Share of tissue under any artefact.", format="%.1f %%", min_value=0, max_value=100, width=110
        ),
        "Usable mm²": st.column_config.NumberColumn(
            help="Clean tissue left, square millimetres.", format="%.1f", width=80
        ),
        "Focus": st.column_config.NumberColumn(help="0 blurred to 10 sharp.", format="%.1f", width=60),
        "Stain": st.column_config.NumberColumn(help="0 absent or wrong to 10.", format="%.1f", width=60),
    }
    shown = shown_columns(table.head(_ROWS_SHOWN))
    empty = [name for name in _LEFT_OUT_EMPTY if (shown[name] == "").all()]
    shown = shown.drop(columns=empty)
    event: Any = st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        on_select="rerun",
        selection_mode="single-row",
        height=min(_TABLE_PX, 38 + 35 * len(shown)),
        key="worklist_table",
        placeholder=words.MISSING,
        alt="Worklist of slides; the same rows are in the CSV below.",
    )
    asked = "those a filter asks about, then " if table["asked_why"].notna().any() else ""
    note = "" if len(table) <= _ROWS_SHOWN else f" The {_ROWS_SHOWN:,} most urgent are shown; the CSV holds all."
    st.caption(f"{len(table):,} slides, urgent ones first, then {asked}the worst.{note}")
    rows = event.selection.rows
    return rows[0] if rows else None


def _act(context: Context, table: Frame, row: int | None) -> None:
    if table.empty:
        return
    slide = table.iloc[row if row is not None and row < len(table) else 0]
    is_chosen = row is not None
    label = f"Review {slide['slide_id']}" if is_chosen else "Review the first"
    if st.button(label, type="primary", icon=":material/biotech:", key="worklist_review"):
        context.review(slide["slide_id"])
    if is_chosen and context.may(Role.TECHNICIAN):
        _priority(context, slide)


def _priority(context: Context, slide: Column) -> None:
    known = int(slide["priority"])
    levels = sorted({*words.PRIORITIES, known})
    key = f"worklist_priority_{slide['slide_id']}_{known}"
    wanted = st.segmented_control("Priority", levels, default=known, format_func=words.priority, key=key)
    if wanted is not None and wanted != known:
        context.store.prioritise(context.actor, context.run_id, slide["slide_id"], wanted)
        st.rerun()


def _exchange(context: Context, chosen: Frame, table: Frame) -> None:
    csv_button("Results for the LIS", lambda: lis.results(chosen), "results")
    if context.may(Role.TECHNICIAN):
        with st.popover("Priorities from the LIS (CSV)", icon=":material/upload:"):
            _import_orders(context, table)


def _import_orders(context: Context, table: Frame) -> None:
    st.caption("Columns: barcode (or slide) and priority: usual, urgent, at once, or 0 to 9.")
    file = st.file_uploader("Table from the LIS", type="csv", key="worklist_orders")
    if file is None:
        return
    slide_of = dict(zip(table["slide_id"], table["slide_id"], strict=True))
    slide_of |= {code: one for code, one in zip(table["barcode"], table["slide_id"], strict=True) if code}
    try:
        orders = lis.read_orders(text_of(file.getvalue()), slide_of)
    except QCError as error:
        st.error(str(error))
        return
    st.write(f"{len(orders.priorities)} slides found, {len(orders.unknown)} not in this run.")
    if orders.unknown:
        st.caption("Not found: " + ", ".join(orders.unknown[:20]))
    if orders.priorities and st.button("Set these priorities", type="primary"):
        for slide_id, priority in orders.priorities.items():
            context.store.prioritise(context.actor, context.run_id, slide_id, priority)
        st.rerun()
