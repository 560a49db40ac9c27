"""The side of Review where a person decides: what was found, the questions, five actions, and the way back."""

import streamlit as st
from pydantic import ValidationError

from qc.dashboard import words
from qc.dashboard.context import Context
from qc.dashboard.desk import Desk, go, may_decide
from qc.dashboard.plain_text import plain
from qc.dashboard.triage import next_slide, usual_reason
from qc.errors import QCError
from qc.record import Assessed, Failed
from qc.store import queries
from qc.store.decision import Action, Choice, Decision, Reason, SlideKey

BLIND_KEY = "review_blind"
ADVANCE_KEY = "review_advance"
_KEYS = {Action.ACCEPT: "A", Action.RE_SCAN: "S", Action.RE_CUT: "T", Action.CLEAN: "L", Action.EXCLUDE: "X"}
_QUESTION = "Could this result reasonably be used in a pipeline?"


def draw(
    context: Context,
    desk: Desk,
    record: Assessed | Failed,
    decision: Decision | None,
    *,
    is_shown: bool,
    held_by: str,
) -> None:
    """Draw the panel.

    Args:
        context: Who looks.
        desk: What is under review.
        record: What the software found.
        decision: The decision in force.
        is_shown: False hides what the software found until the person has decided.
        held_by: Why the slide cannot be locked, such as that somebody else has it; or empty.
    """
    if is_shown:
        _found(record)
    if desk.refusal:
        st.error(plain(desk.refusal))
    if decision is not None:
        _in_force(decision)
    if held_by:
        st.warning(plain(held_by), icon="🔒")
        st.button("Take it over", key="take-over", on_click=_take_over, args=(context,), width="stretch")
    if not may_decide(context):
        st.info(f"In the role {context.actor.role.label} you may look, not decide.")
    else:
        _ask(context, desk, record, is_free=not held_by)
    if desk.told:
        st.caption(plain(desk.told))
    desk.refusal = desk.told = ""
    _options()
    _history(context, desk, decision)


def _found(record: Assessed | Failed) -> None:
    if isinstance(record, Failed):
        return
    remedy = f" · **{plain(record.remedy)}**" if record.remedy else ""
    st.markdown(
        f"{words.number(record.usable_mm2)} of {words.number(record.tissue_mm2, 'mm²')} tissue usable{remedy}  \n"
        f"Focus {words.number(record.focus_score)} · stain {words.number(record.stain_score)} of 10"
    )


def _in_force(decision: Decision) -> None:
    choice = decision.choice
    note = f" · {plain(choice.note)}" if choice.note else ""
    st.info(
        f"**{words.action(choice.action)}** · {choice.reason.label}{note}  \n"
        f"{plain(decision.by.name)}, {decision.at:%Y-%m-%d %H:%M} UTC"
    )


def _ask(context: Context, desk: Desk, record: Assessed | Failed, is_free: bool) -> None:
    _question(context, desk)
    slide_id = record.stamp.slide_id
    st.selectbox(
        "Reason",
        list(Reason),
        index=None,
        format_func=lambda reason: reason.label,
        placeholder="the usual one",
        key=f"reason-{slide_id}",
    )
    st.text_input("Note", max_chars=2000, key=f"note-{slide_id}", placeholder="in free words")
    for action in Action:
        can = is_free and not (action is Action.ACCEPT and isinstance(record, Failed))
        usual = usual_reason(record, action)
        st.button(
            words.action(action),
            key=f"act-{action.value}",
            shortcut=_KEYS[action],
            help=f"Usual reason: {usual.label}" if usual else "Needs a reason",
            width="stretch",
            disabled=not can,
            on_click=_decide,
            args=(context, record, action),
        )
    st.button(
        "Take back my last",
        key="undo",
        shortcut="U",
        width="stretch",
        type="tertiary",
        disabled=desk.last_decision is None,
        on_click=_undo,
        args=(context,),
    )


def _question(context: Context, desk: Desk) -> None:
    st.markdown(_QUESTION)
    yes, no = st.columns(2, gap="small")
    for place, word, key, answer in ((yes, "Yes", "Y", True), (no, "No", "N", False)):
        place.button(
            f"✓ **{word}**" if desk.could_be_used is answer else word,
            key=f"could-{word}",
            shortcut=key,
            width="stretch",
            on_click=_answer,
            args=(context, answer),
        )


def _options() -> None:
    with st.expander("How I work"):
        st.toggle("Go on to the next worst slide", value=True, key=ADVANCE_KEY)
        st.toggle("Hide what the software says until I decide", key=BLIND_KEY)
        st.caption(
            "Keys in the viewer: f and F places to look at · 1-6 classes · v overlay · o outlines · "
            "m glass · 0 whole slide · + and - zoom."
        )


def _history(context: Context, desk: Desk, decision: Decision | None) -> None:
    past = context.store.history(context.run_id, desk.slide_id)
    if past:
        with st.expander(f"Decisions so far ({len(past)})"):
            for one in reversed(past):
                force = " · in force" if decision is not None and one.id == decision.id else ""
                st.caption(
                    f"{one.at:%Y-%m-%d %H:%M} · {plain(one.by.name)} · {words.action(one.choice.action)} · "
                    f"{one.choice.reason.label}{force}"
                )


def _answer(context: Context, answer: bool) -> None:
    context.touch()
    desk = Desk.of_session()
    desk.could_be_used = None if desk.could_be_used is answer else answer


def _take_over(context: Context) -> None:
    context.touch()
    desk = Desk.of_session()
    try:
        desk.hold(context, take_over=True)
    except QCError as error:
        desk.refusal = str(error)


def _decide(context: Context, record: Assessed | Failed, action: Action) -> None:
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


def _undo(context: Context) -> None:
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
