"""Queues: what people decided should be done, one list for each action; a new scan is linked to the old one."""

from typing import Any

import pandas as pd
import streamlit as st

from qc.dashboard import words
from qc.dashboard.attributes import attributes
from qc.dashboard.context import Context
from qc.dashboard.downloads import csv_button
from qc.dashboard.frames import Column, Frame
from qc.dashboard.reads import everything, worklist
from qc.store.decision import Action, Reason
from qc.store.people import Role
from qc.store.work import Rescan

_QUEUES = (Action.RE_SCAN, Action.RE_CUT, Action.CLEAN, Action.EXCLUDE, Action.ACCEPT)
_BRINGS_NEW = frozenset({Action.RE_SCAN, Action.RE_CUT, Action.CLEAN})
_CANDIDATES = 200


def page(context: Context) -> None:
    """Draw the page."""
    table = worklist(context, is_decided=True)
    barcodes = attributes(context)["barcode"].to_dict()
    came = context.store.rescans(context.run_id)
    st.title("Queues")
    counts = table["decision_action"].value_counts()
    names = {
        action: f"{words.ACTION_ICONS[action]} {action.label} ({int(counts.get(action, 0))})" for action in _QUEUES
    }
    action = st.segmented_control(
        "Queue", _QUEUES, default=_QUEUES[0], format_func=names.__getitem__, key="queue", label_visibility="collapsed"
    )
    action = action or _QUEUES[0]
    if action.remedy:
        st.caption(f"To do: {action.remedy}.")
    queue = table[table["decision_action"] == action].sort_values("decision_at", ignore_index=True)
    if queue.empty:
        st.success("This queue is empty.", icon=":material/done_all:")
        return
    shown = queue_columns(queue, barcodes, came if action in _BRINGS_NEW else None)
    row = _choose(shown)
    csv_button("This queue", lambda: shown, f"{action.label}")
    if row is not None and row < len(queue):
        _act(context, queue.iloc[row], action, came, barcodes)


def queue_columns(queue: Frame, barcodes: dict[str, str], came: dict[str, Rescan] | None) -> Frame:
    """A queue in the words of the screen.

    Args:
        queue: Rows of the worklist.
        barcodes: Barcode by slide id.
        came: What came in the place of a slide; None for a queue that brings no new scans.
    """
    out = pd.DataFrame(index=queue.index)
    out["Slide"] = queue["slide_id"]
    out["Barcode"] = queue["slide_id"].map(barcodes).fillna("")
    out["Reason"] = queue["decision_reason"].map(lambda value: Reason(value).label)
    out["Note"] = queue["decision_note"]
    out["Decided by"] = queue["decision_name"]
    out["Since (UTC)"] = queue["decision_at"].dt.strftime("%Y-%m-%d %H:%M")
    if came is not None:
        out["New scan"] = [came[one].new_slide_id if one in came else "" for one in queue["slide_id"]]
        out["State"] = ["✓ came" if one else "… waiting" for one in out["New scan"]]
    return out


def candidates(slides: Frame, old: Column, barcodes: dict[str, str]) -> list[tuple[str, str]]:
    """Slides that may have come for an old one, likeliest first: (run id, slide id).

    The same barcode goes first, then names that begin alike; slides recorded before the decision are left out.
    """
    later = slides[slides["recorded"] > old["decision_at"]]
    is_other = (later["slide_id"] != old["slide_id"]) | (later["run_id"] != old["run_id"])
    later = later[is_other]
    code, stem = barcodes.get(old["slide_id"], ""), str(old["slide_id"]).rsplit("-", 1)[0]
    is_same = later["slide_id"].map(lambda one: bool(code) and barcodes.get(one, "") == code)
    is_alike = later["slide_id"].str.startswith(stem)
    ordered = later.assign(rank=is_same * 2 + is_alike * 1).sort_values(["rank", "recorded"], ascending=False)
    return list(zip(ordered["run_id"].head(_CANDIDATES), ordered["slide_id"].head(_CANDIDATES), strict=True))


def _choose(shown: Frame) -> int | None:
    event: Any = st.dataframe(
        shown,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=min(520, 38 + 35 * len(shown)),
        key="queue_table",
        alt="Queue of slides; the same rows are in the CSV below.",
    )
    return event.selection.rows[0] if event.selection.rows else None


def _act(context: Context, slide: Column, action: Action, came: dict[str, Rescan], barcodes: dict[str, str]) -> None:
    slide_id = slide["slide_id"]
    with st.container(horizontal=True):
        if st.button(f"Open {slide_id}", icon=":material/biotech:", key="queue_open"):
            context.review(slide_id)
        link = came.get(slide_id)
        if (
            link
            and link.new_run_id == context.run_id
            and st.button(f"Open the new scan {link.new_slide_id}", icon=":material/compare:", key="queue_open_new")
        ):
            context.review(link.new_slide_id)
    if action in _BRINGS_NEW and context.may(Role.TECHNICIAN):
        _link(context, slide, barcodes)


def _link(context: Context, slide: Column, barcodes: dict[str, str]) -> None:
    found = candidates(everything(context), slide, barcodes)
    if not found:
        st.caption("No slide was assessed since this decision; the new scan appears here once it was.")
        return
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    names = {pair: f"{pair[1]}{'' if pair[0] == context.run_id else f' (run {pair[0][:8]})'}" for pair in found}
    new = left.selectbox("New scan of this slide", found, format_func=names.__getitem__)
    if right.button("Link", type="primary", icon=":material/link:", width="stretch") and new:
        link = Rescan(old_run_id=context.run_id, old_slide_id=slide["slide_id"], new_run_id=new[0], new_slide_id=new[1])
        context.store.link_rescan(context.actor, link)
        st.rerun()
