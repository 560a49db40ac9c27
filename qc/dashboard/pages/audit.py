"""Audit: who changed what and when, and whether anybody changed the record of it."""

import json

import pandas as pd
import streamlit as st

from qc.dashboard.context import Context
from qc.dashboard.downloads import csv_button
from qc.store.chain import Entry
from qc.store.decision import Action, Reason

_LAST = (100, 1000, 0)
_WHAT = {
    "decide": "decided",
    "undo": "withdrew a decision",
    "priority": "changed the priority",
    "lock_taken_over": "took over a slide",
    "user": "changed a user",
    "setting": "saved a setting",
    "rescan": "linked a re-scan",
    "ask_review": "asked for a review",
    "withdraw_review": "withdrew the request for a review",
}


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Audit")
    st.caption(
        "Every change by a person is a row that nobody can edit; each row's hash covers the row before it. "
        "Rows cut off at the end show only against a hash kept elsewhere: note the head below from time to time."
    )
    _check(context)
    left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
    slide_id = left.text_input("Slide", placeholder="all slides; or a whole slide id").strip()
    only_run = middle.toggle("Only this run", value=False)
    last = right.selectbox("Rows", _LAST, format_func=lambda n: f"last {n:,}" if n else "all")
    entries = context.store.audit(context.run_id if only_run else "", slide_id, last)
    if not entries:
        st.info("Nobody has changed anything yet.")
        return
    table = audit_columns(entries)
    st.dataframe(
        table,
        hide_index=True,
        height=min(520, 38 + 35 * len(table)),
        column_config={"Detail": st.column_config.TextColumn(width=420)},
        alt="Audit; the same as CSV below.",
    )
    with st.container(horizontal=True):
        csv_button("These rows", lambda: table, "audit")
        st.download_button(
            "These rows with hashes (JSON)",
            lambda: json.dumps([vars(entry) for entry in entries], indent=1),
            file_name="slidegate-audit.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )


def audit_columns(entries: list[Entry]) -> pd.DataFrame:
    """Rows of the audit in the words of the screen, newest first."""
    rows = [
        {
            "Row": entry.seq,
            "When (UTC)": entry.at[:19].replace("T", " "),
            "Who": entry.name,
            "Role": entry.role.replace("_", " "),
            "What": _WHAT.get(entry.action, entry.action),
            "Slide": entry.slide_id,
            "Detail": _detail(entry),
        }
        for entry in reversed(entries)
    ]
    return pd.DataFrame(rows)


def _detail(entry: Entry) -> str:
    """What was changed, in one line."""
    told = json.loads(entry.detail)
    if entry.action == "decide":
        note = f": {told['note']}" if told.get("note") else ""
        said = told.get("before", {}).get("verdict", "")
        return f"{Action(told['action']).label}, {Reason(told['reason']).label}{note} (software: {said})"
    if entry.action == "ask_review":
        return f"{told['why']} (profile {told['profile']}, settings {told['filter_fingerprint'][:8]})"
    parts = [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in told.items() if value not in (None, "")]
    return " · ".join(parts)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return str(value)


def _check(context: Context) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        noted = left.text_input("Head noted earlier", placeholder="64 letters and digits; optional").strip()
        if not right.button("Check the audit", type="primary", icon=":material/verified:", width="stretch"):
            return
        found = context.store.verify(noted)
        if found.is_whole:
            st.success(f"The audit is whole: {found.head.seq:,} rows.", icon=":material/verified:")
        for problem in found.problems:
            st.error(problem)
        st.write("Head, to be noted where nobody who can change the store can change it:")
        st.code(found.head.hash, language=None)
