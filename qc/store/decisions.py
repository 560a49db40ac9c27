"""Decisions in the store: made, withdrawn, and the one in force for each slide.

In force is a slide's last decision that was not withdrawn and was made on the very file that the store's result is of.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from qc.errors import RefusedError
from qc.store.change import Change
from qc.store.decision import Action, Choice, Decision, Reason, SlideKey
from qc.store.judged import profile_in_force
from qc.store.people import Actor, Role
from qc.store.requests import standing_on
from qc.store.schema import DecisionRow, LockRow, Run, Slide


def in_force_ids(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Query of decisions in force (`run_id`, `slide_id`, `id`), one for each slide at most.

    Args:
        conditions: What decisions to look at, on columns of `DecisionRow`.
    """
    return _last_ids((DecisionRow.run_id, DecisionRow.slide_id), conditions)


def opinion_ids(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Query of each person's last decision on each slide (`run_id`, `slide_id`, `subject`, `id`), in force or not.

    Args:
        conditions: What decisions to look at, on columns of `DecisionRow`.
    """
    return _last_ids((DecisionRow.run_id, DecisionRow.slide_id, DecisionRow.subject), conditions)


def _last_ids(
    of_each: tuple[InstrumentedAttribute[str], ...], conditions: tuple[ColumnElement[bool], ...]
) -> Select[*tuple[Any, ...]]:
    """The last decision of each group that was not withdrawn and is about the file that the result is of."""
    undone = aliased(DecisionRow)
    same_file = and_(
        Slide.run_id == DecisionRow.run_id,
        Slide.slide_id == DecisionRow.slide_id,
        Slide.slide_fingerprint == DecisionRow.slide_fingerprint,
    )
    return (
        select(*of_each, func.max(DecisionRow.id).label("id"))
        .join(Slide, same_file)
        .outerjoin(undone, undone.withdraws == DecisionRow.id)
        .where(DecisionRow.withdraws.is_(None), undone.id.is_(None), *conditions)
        .group_by(*of_each)
    )


def in_force(session: Session, run_id: str) -> dict[str, Decision]:
    """Decisions in force in a run, by slide id."""
    ids = in_force_ids(DecisionRow.run_id == run_id).subquery()
    query = select(DecisionRow).join(ids, ids.c.id == DecisionRow.id)
    return {row.slide_id: _decision(row) for row in session.scalars(query)}


def in_force_on(session: Session, run_id: str, slide_id: str) -> Decision | None:
    """The decision in force on one slide."""
    ids = in_force_ids(DecisionRow.run_id == run_id, DecisionRow.slide_id == slide_id).subquery()
    row = session.scalars(select(DecisionRow).join(ids, ids.c.id == DecisionRow.id)).one_or_none()
    return None if row is None else _decision(row)


def decide(change: Change, key: SlideKey, choice: Choice, nonce: str = "") -> Decision:
    """Note a choice; the same nonce of the same person on the same slide notes it once.

    Raises:
        RefusedError: If the slide is not there, is another file by now, or somebody else has locked it.
    """
    repeated = _repeated(change, key, choice, nonce)
    if repeated is not None:
        return repeated
    verdict = _verdict_on(change.session, key)
    if choice.action is Action.ACCEPT and not key.slide_fingerprint:
        raise RefusedError(f"slide {key.slide_id} could not be read and cannot be accepted", "choose another action")
    _refuse_if_locked(change, key.run_id, key.slide_id)
    detail = {**choice.model_dump(mode="json"), "slide_fingerprint": key.slide_fingerprint, "nonce": nonce}
    seq = change.note("decide", {**detail, "before": _before(change, key, verdict)}, key.run_id, key.slide_id)
    row = _row(change, key, id=seq, nonce=nonce or None, withdraws=None, **choice.model_dump(mode="json"))
    change.session.execute(
        delete(LockRow).where(LockRow.run_id == key.run_id, LockRow.slide_id == key.slide_id)
    )  # the person is done with it
    return _decision(row)


def undo(change: Change, decision_id: int, note: str = "") -> Decision | None:
    """Withdraw the decision in force; the one before it counts again, and is returned.

    Raises:
        RefusedError: If that decision is not in force.
    """
    session = change.session
    known = session.get(DecisionRow, decision_id)
    current = None if known is None else in_force_on(session, known.run_id, known.slide_id)
    if known is None or current is None or current.id != decision_id:
        raise RefusedError(f"decision {decision_id} is not in force", "look at the slide again")
    _refuse_if_locked(change, known.run_id, known.slide_id)
    key = current.key
    seq = change.note("undo", {"withdraws": decision_id, "note": note}, key.run_id, key.slide_id)
    _row(change, key, id=seq, withdraws=decision_id, note=note)
    return in_force_on(session, key.run_id, key.slide_id)


def history(session: Session, run_id: str, slide_id: str) -> list[Decision]:
    """All decisions on a slide, oldest first: withdrawn ones and those on an earlier file, too."""
    query = select(DecisionRow).where(
        DecisionRow.run_id == run_id, DecisionRow.slide_id == slide_id, DecisionRow.withdraws.is_(None)
    )
    return [_decision(row) for row in session.scalars(query.order_by(DecisionRow.id))]


def _repeated(change: Change, key: SlideKey, choice: Choice, nonce: str) -> Decision | None:
    if not nonce:
        return None
    query = select(DecisionRow).where(
        DecisionRow.run_id == key.run_id,
        DecisionRow.slide_id == key.slide_id,
        DecisionRow.subject == change.actor.subject,
        DecisionRow.nonce == nonce,
    )
    row = change.session.scalars(query).one_or_none()
    if row is None:
        return None
    decision = _decision(row)
    if (decision.key, decision.choice) != (key, choice):
        raise RefusedError(f"another decision on slide {key.slide_id} was sent with the same nonce", "send a new one")
    return decision


def _verdict_on(session: Session, key: SlideKey) -> str:
    query = select(Slide.verdict, Slide.slide_fingerprint)
    found = session.execute(query.where(Slide.run_id == key.run_id, Slide.slide_id == key.slide_id)).one_or_none()
    if found is None:
        raise RefusedError(f"run {key.run_id} has no slide {key.slide_id} in the store", "check both ids")
    if found.slide_fingerprint != key.slide_fingerprint:
        raise RefusedError(f"slide {key.slide_id} is another file since it was looked at", "look at it again")
    return found.verdict


def _before(change: Change, key: SlideKey, verdict: str) -> dict[str, object]:
    """What held until now: enough to tell later what the person disagreed with."""
    run = change.session.get_one(Run, key.run_id)
    profile = profile_in_force(change.session, key.run_id)
    earlier = in_force_on(change.session, key.run_id, key.slide_id)
    return {
        "verdict": verdict,
        "decision": earlier and earlier.id,
        "requests": [] if earlier else [one.id for one in standing_on(change.session, key.run_id, key.slide_id)],
        "profile": run.profile if profile is None else profile.title,
        "settings_fingerprint": run.settings_fingerprint,
        "software_version": run.software_version,
    }


def _refuse_if_locked(change: Change, run_id: str, slide_id: str) -> None:
    lock = change.session.get(LockRow, (run_id, slide_id))
    if lock is not None and lock.subject != change.actor.subject and lock.until > change.now:
        raise RefusedError(
            f"slide {slide_id} is locked by {lock.name} until {lock.until:%H:%M} UTC", "wait or take it over"
        )


def _row(change: Change, key: SlideKey, **columns: Any) -> DecisionRow:
    by, at = change.actor.model_dump(mode="json"), change.now
    values = {"note": "", **key.model_dump(), **columns, **by, "at": at}
    change.session.execute(insert(DecisionRow).values(values))
    return DecisionRow(**values)


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        id=row.id,
        key=SlideKey(run_id=row.run_id, slide_id=row.slide_id, slide_fingerprint=row.slide_fingerprint),
        choice=Choice(
            action=Action(row.action),
            reason=Reason(row.reason),
            note=row.note,
            could_be_used=row.could_be_used,
        ),
        by=Actor(subject=row.subject, name=row.name, role=Role(row.role)),
        at=row.at,
    )
