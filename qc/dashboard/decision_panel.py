"""The side of Review where a person decides: what was found, the questions, five actions, and the way back."""

import streamlit as st

from qc.dashboard import words
from qc.dashboard.context import Context
from qc.dashboard.deciding import ADVANCE_KEY, BLIND_KEY, answer, decide, take_over_slide, undo
from qc.dashboard.desk import Desk, may_decide
from qc.dashboard.plain_text import plain
from qc.dashboard.triage import usual_reason
from qc.record import Assessed, Failed
from qc.store.decision import Action, Decision, Reason
from qc.store.requests import ReviewRequest

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
        is_shown: False hides what the software found, and what others decided, until the person has decided.
        held_by: Why the slide cannot be locked, such as that somebody else has it; or empty.
    """
    if is_shown:
        _found(record)
    if desk.refusal:
        st.error(plain(desk.refusal))
    if is_shown:
        _asked(context.store.review_requests(context.run_id, desk.slide_id))
    if decision is not None and is_shown:
        _in_force(decision)
    if held_by:
        st.warning(plain(held_by), icon="🔒")
        st.button("Take it over", key="take-over", on_click=take_over_slide, args=(context,), width="stretch")
    if not may_decide(context):
        st.info(f"In the role {context.actor.role.label} you may look, not decide.")
    else:
        _ask(context, desk, record, is_free=not held_by)
    if desk.told:
        st.caption(plain(desk.told))
    desk.refusal = desk.told = ""
    _options()
    if is_shown:
        _history(context, desk, decision)


def _found(record: Assessed | Failed) -> None:
    if isinstance(record, Failed):
        return
    remedy = f" · **{plain(record.remedy)}**" if record.remedy else ""
    st.markdown(
        f"{words.number(record.usable_mm2)} of {words.number(record.tissue_mm2, 'mm²')} tissue usable{remedy}  \n"
        f"Focus {words.number(record.focus_score)} · stain {words.number(record.stain_score)} of 10"
    )


def _asked(requests: list[ReviewRequest]) -> None:
    """The newest request, and how many filters ask beside it."""
    if not requests:
        return
    newest = requests[-1]
    st.warning(f"**A filter asks**: {plain(newest.why)}")
    others = f" · asked by {len(requests)} filters" if len(requests) > 1 else ""
    st.caption(
        f"{plain(newest.stamp.profile)}, settings {newest.stamp.filter_fingerprint[:8]} · "
        f"{plain(newest.name)}, {newest.at:%Y-%m-%d %H:%M} UTC{others}"
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
            on_click=decide,
            args=(context, record, action),
        )
    st.button(
        "Take back my last",
        key="undo",
        shortcut="U",
        width="stretch",
        type="tertiary",
        disabled=desk.last_decision is None,
        on_click=undo,
        args=(context,),
    )


def _question(context: Context, desk: Desk) -> None:
    st.markdown(_QUESTION)
    yes, no = st.columns(2, gap="small")
    for place, word, key, said in ((yes, "Yes", "Y", True), (no, "No", "N", False)):
        place.button(
            f"✓ **{word}**" if desk.could_be_used is said else word,
            key=f"could-{word}",
            shortcut=key,
            width="stretch",
            on_click=answer,
            args=(context, said),
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
