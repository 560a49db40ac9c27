"""What clicks on the panel of Review do: answer, take over, decide and go on, take back."""

import streamlit as st
from pydantic import ValidationError

from qc.dashboard.context import Context
from qc.dashboard.desk import Desk, go
from qc.dashboard.triage import next_slide, usual_reason
from qc.errors import QCError
from qc.record import Assessed, Failed
from qc.store import queries
from qc.store.decision import Action, Choice, SlideKey

BLIND_KEY = "review_blind"
ADVANCE_KEY = "review_advance"


def answer(context: Context, could_be_used: bool) -> None:
    """Note the answer to the question; the same answer again takes it back."""
    context.touch()
    desk = Desk.of_session()
    desk.could_be_used = None if desk.could_be_used is could_be_used else could_be_used


def take_over_slide(context: Context) -> None:
    """Take the slide from whoever has it."""
    context.touch()
    desk = Desk.of_session()
    try:
        desk.hold(context, take_over=True)
    except QCError as error:
        desk.refusal = str(error)


def decide(context: Context, record: Assessed | Failed, action: Action) -> None:
    """Note the decision, and go on to the next worst slide."""
    context.touch()
    desk, stamp = Desk.of_session(), record.stamp
    if desk.is_too_soon:
        desk.refusal = "the key came before the slide could be seen; nothing was decided"
        return
    reason = st.session_state.get(f"reason-{stamp.slide_id}") or usual_reason(record, action)
    if reason is None:
        desk.refusal = f"to {action.label}, choose a reason"
        return
    note = st.session_state.get(f"note-{stamp.slide_id}", "").strip()
    try:
        choice = Choice(action=action, reason=reason, note=note, could_be_used=desk.could_be_used)
        key = SlideKey(run_id=context.run_id, slide_id=stamp.slide_id, slide_fingerprint=stamp.slide_fingerprint)
        noted = context.store.decide(context.actor, key, choice, desk.nonce)
    except QCError as error:
        desk.refusal = str(error)
        return
    except ValidationError:
        desk.refusal = f"the reason {reason.label!r} needs a note in words that can be kept"
        return
    desk.done(noted)
    desk.told = f"{stamp.slide_id}: {action.label}, {reason.label}"
    _advance(context, desk)


def _advance(context: Context, desk: Desk) -> None:
    following = ""
    if st.session_state.get(ADVANCE_KEY, True):
        undecided = queries.worklist(context.store.engine, context.run_id, is_decided=False, limit=50)
        following = next_slide(undecided, context.actor.subject)
        desk.told += "" if following else ". Nothing is left to decide"
    if following:
        go(context, following)


def undo(context: Context) -> None:
    """Take back the person's last decision, and show its slide."""
    context.touch()
    desk = Desk.of_session()
    if desk.last_decision is None:
        return
    number, slide_id = desk.last_decision
    try:
        context.store.undo(context.actor, number)
    except QCError as error:
        desk.refusal = str(error)
        return
    desk.last_decision = None
    desk.told = f"{slide_id}: taken back"
    go(context, slide_id)
