"""Review: one slide at full zoom with what was found on it, a decision by one key, and the next worst slide."""

import pandas as pd
import streamlit as st

from qc.dashboard import decision_panel, words
from qc.dashboard.context import Context
from qc.dashboard.deciding import BLIND_KEY
from qc.dashboard.desk import RENEW_SECONDS, Desk, go, may_decide
from qc.dashboard.plain_text import plain
from qc.dashboard.triage import next_slide
from qc.dashboard.viewer.component import slide_viewer
from qc.errors import RefusedError
from qc.labels import Verdict
from qc.record import Assessed, Failed, unnamed
from qc.store import queries

_QUEUE_ROWS = 500
_BADGES = {Verdict.USABLE: "green", Verdict.REVIEW: "orange", Verdict.REJECT: "red", Verdict.UNASSESSED: "gray"}
_VIEWER_ROOM_PX = 158
_DENSE = """<style>
[data-testid="stMainBlockContainer"] { padding: 2.6rem 1.4rem 1rem; max-width: none; }
[data-testid="stMainBlockContainer"] h1 { font-size: 1.3rem; line-height: 1.5; padding: 0; margin: 0; }
[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"] { gap: 0.45rem; }
</style>"""
"""Room for the slide: this page is one screen, not a text to scroll."""


def page(context: Context) -> None:
    """Draw the page."""
    st.html(_DENSE)
    _desk(context)


@st.fragment(run_every=RENEW_SECONDS)
def _desk(context: Context) -> None:
    """Everything in one fragment: a decision redraws this alone, and the viewer keeps its place."""
    undecided = queries.worklist(context.store.engine, context.run_id, is_decided=False, limit=_QUEUE_ROWS)
    slide_id = context.slide_id or next_slide(undecided, context.actor.subject) or _any_slide(context)
    record = context.store.record(context.run_id, slide_id) if slide_id else None
    if record is None:
        st.title("Review")
        st.info("This run has no such slide." if slide_id else "This run has no slides yet.")
        return
    if slide_id != context.slide_id:
        go(context, slide_id)
    desk = Desk.of_session()
    desk.lay(context, slide_id)
    held_by = _hold(context, desk)
    decision = context.store.decisions(context.run_id).get(slide_id)
    is_shown = not st.session_state.get(BLIND_KEY, False) or _has_decided(context, slide_id)
    _head(context, undecided, slide_id, record if is_shown else None)
    left, right = st.columns([4, 1], gap="small")
    with left:
        _viewer(context, desk, undecided, record, is_shown)
    with right:
        decision_panel.draw(context, desk, record, decision, is_shown=is_shown, held_by=held_by)


def _has_decided(context: Context, slide_id: str) -> bool:
    """True when this person has; what others decided is not to be seen before."""
    return any(one.by.subject == context.actor.subject for one in context.store.history(context.run_id, slide_id))


def _hold(context: Context, desk: Desk) -> str:
    """Lock the slide; why that is refused, or empty."""
    if not may_decide(context):
        return ""
    try:
        desk.hold(context)
    except RefusedError as error:
        return error.message
    return ""


def _head(context: Context, undecided: pd.DataFrame, slide_id: str, record: Assessed | Failed | None) -> None:
    """The slide, its verdict in words, how many are left, and the way to the next."""
    name, verdict, back, skip = st.columns([2.2, 4, 0.8, 0.8], vertical_alignment="center")
    count = f"{len(undecided)}{'+' if len(undecided) == _QUEUE_ROWS else ''} to decide, worst first"
    name.title(slide_id, anchor=False)
    if record is None:
        verdict.caption(count)
    else:
        badge = f":{_BADGES[record.verdict]}-badge[{words.verdict(record.verdict)}]"
        reason = plain(record.reason) if isinstance(record, Assessed) else ""
        verdict.markdown(f"{badge} {reason} :small[· {count}]")
    desk = Desk.of_session()
    back.button(
        "Back", shortcut="K", width="stretch", disabled=not desk.visited, on_click=_back, args=(context,), key="back"
    )
    skip.button("Next", shortcut="J", width="stretch", on_click=_skip, args=(context, undecided), key="skip")


def _viewer(context: Context, desk: Desk, undecided: pd.DataFrame, record: Assessed | Failed, is_shown: bool) -> None:
    if isinstance(record, Failed):
        st.error(f"This slide was not assessed: {plain(unnamed(record.reason, record))}", icon="⚠️")
        st.info(f"Way out: {plain(record.remedy)}")
        return
    following = next_slide(undecided, context.actor.subject, record.stamp.slide_id)
    coming = context.store.record(context.run_id, following) if following else None
    upcoming = desk.look(context, coming) if isinstance(coming, Assessed) else None
    is_stale = slide_viewer(
        desk.look(context, record),
        upcoming,
        url_base=context.url_base,
        shows_findings=is_shown,
        room_px=_VIEWER_ROOM_PX,
        key="viewer",
    )
    if is_stale:
        desk.tokens.clear()
        st.rerun(scope="fragment")


def _back(context: Context) -> None:
    context.touch()
    desk = Desk.of_session()
    slide_id = desk.visited.pop()
    go(context, slide_id)
    desk.visited.pop()  # the one that was just left is ahead, not behind


def _skip(context: Context, undecided: pd.DataFrame) -> None:
    context.touch()
    desk = Desk.of_session()
    following = next_slide(undecided, context.actor.subject, desk.slide_id)
    if following:
        go(context, following)


def _any_slide(context: Context) -> str:
    worst = queries.worklist(context.store.engine, context.run_id, limit=1)
    return "" if worst.empty else str(worst["slide_id"].iloc[0])
