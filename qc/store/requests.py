"""Requests for review: slides of which a filter would leave almost nothing, so that a person has to look.

A request is about the very file that was filtered. It is open until the same filter withdraws it or a person decides;
when the decision is withdrawn, it is open again. Asked and withdrawn are rows of the audit.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, select
from sqlalchemy.orm import Session

from qc.config.base import Settings
from qc.errors import RefusedError
from qc.store.change import Change
from qc.store.decision import SlideKey
from qc.store.schema import ReviewRequestRow, Slide


class FilterStamp(Settings):
    """One filter: settings, and the profile whose verdicts it goes by. Filters of another stamp ask for themselves."""

    profile: str = Field(description="Name of the profile; a new version of it asks no second time.")
    filter_fingerprint: str = Field(description="SHA-256 over the filter's settings.")


class ReviewRequest(Settings):
    """What a filter asks about one slide."""

    id: int = Field(description="Number of its row in the audit.")
    key: SlideKey = Field(description="The slide, and which file was filtered.")
    stamp: FilterStamp = Field(description="Which filter asks.")
    why: str = Field(description="Why a person has to look, one sentence.")
    name: str = Field(description="Who ran the filter.")
    at: datetime = Field(description="Since when, UTC.")


@dataclass(frozen=True)
class Look:
    """A slide that a filter looked at: which file, and why a person has to look, too; empty when nobody has to."""

    key: SlideKey
    why: str = ""


@dataclass(frozen=True)
class Asked:
    """What one filter changed: ids of slides newly asked about, and of those no longer asked about."""

    asked: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def last_ids(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Query of the last request on each slide (`run_id`, `slide_id`, `id`) that is about the file of its result.

    Args:
        conditions: What requests to look at, on columns of `ReviewRequestRow`.
    """
    row = ReviewRequestRow
    query = select(row.run_id, row.slide_id, func.max(row.id).label("id")).join(Slide, _same_file())
    return query.where(*conditions).group_by(row.run_id, row.slide_id)


def standing_on(session: Session, run_id: str, slide_id: str) -> list[ReviewRequest]:
    """Requests on the file that a slide's result is of, oldest first, answered by a decision or not."""
    row = ReviewRequestRow
    query = select(row).join(Slide, _same_file()).where(row.run_id == run_id, row.slide_id == slide_id)
    return [_request(found) for found in session.scalars(query.order_by(row.id))]


def due(session: Session, stamp: FilterStamp, looks: Sequence[Look], decided: Set[str]) -> Asked:
    """What a filter would change; nothing when it was run before and no person has decided since.

    Args:
        session: A session.
        stamp: Which filter.
        looks: All slides of one run that it looked at.
        decided: Slides with a decision in force: the person has looked, so they are left alone.
    """
    known = _known(session, stamp, looks)
    asked, withdrawn = [], []
    for look in looks:
        slide_id, row = look.key.slide_id, known.get(look.key.slide_id)
        if slide_id in decided:
            continue
        if look.why and (row is None or (row.slide_fingerprint, row.why) != (look.key.slide_fingerprint, look.why)):
            asked.append(slide_id)
        if not look.why and row is not None:
            withdrawn.append(slide_id)
    return Asked(tuple(asked), tuple(withdrawn))


def ask(change: Change, stamp: FilterStamp, looks: Sequence[Look], decided: Set[str]) -> Asked:
    """Note what is `due`.

    Raises:
        RefusedError: If the store does not hold the result of a slide that is asked about, or that of another file.
    """
    found = due(change.session, stamp, looks, decided)
    asked = [look for look in looks if look.key.slide_id in found.asked]
    _require_same_files(change.session, [look.key for look in asked])
    for slide_id, row in _known(change.session, stamp, looks).items():
        if slide_id in (*found.asked, *found.withdrawn):
            _remove(change, row)
    for look in asked:
        _add(change, stamp, look)
    return found


def _known(session: Session, stamp: FilterStamp, looks: Sequence[Look]) -> dict[str, ReviewRequestRow]:
    row = ReviewRequestRow
    query = select(row).where(
        row.run_id.in_({look.key.run_id for look in looks}),
        row.profile == stamp.profile,
        row.filter_fingerprint == stamp.filter_fingerprint,
    )
    return {found.slide_id: found for found in session.scalars(query)}


def _add(change: Change, stamp: FilterStamp, look: Look) -> None:
    key = look.key
    detail = {"why": look.why, **stamp.model_dump(), "slide_fingerprint": key.slide_fingerprint}
    seq = change.note("ask_review", detail, key.run_id, key.slide_id)
    by = {"subject": change.actor.subject, "name": change.actor.name, "at": change.now}
    values = {"id": seq, **key.model_dump(), **stamp.model_dump(), "why": look.why, **by}
    change.session.execute(insert(ReviewRequestRow).values(values))


def _remove(change: Change, row: ReviewRequestRow) -> None:
    detail = {"withdraws": row.id, "profile": row.profile, "filter_fingerprint": row.filter_fingerprint}
    change.note("withdraw_review", detail, row.run_id, row.slide_id)
    change.session.execute(delete(ReviewRequestRow).where(ReviewRequestRow.id == row.id))


def _require_same_files(session: Session, keys: list[SlideKey]) -> None:
    query = select(Slide.run_id, Slide.slide_id, Slide.slide_fingerprint)
    query = query.where(Slide.run_id.in_({key.run_id for key in keys}))
    held = {(row.run_id, row.slide_id): row.slide_fingerprint for row in session.execute(query)}
    for key in keys:
        if held.get((key.run_id, key.slide_id)) != key.slide_fingerprint:
            raise RefusedError(
                f"the store does not hold this result of slide {key.slide_id}, so nobody can be asked to review it",
                "pass --store as when it was assessed, or assess the slide again",
            )


def _same_file() -> ColumnElement[bool]:
    return and_(
        Slide.run_id == ReviewRequestRow.run_id,
        Slide.slide_id == ReviewRequestRow.slide_id,
        Slide.slide_fingerprint == ReviewRequestRow.slide_fingerprint,
    )


def _request(row: ReviewRequestRow) -> ReviewRequest:
    return ReviewRequest(
        id=row.id,
        key=SlideKey(run_id=row.run_id, slide_id=row.slide_id, slide_fingerprint=row.slide_fingerprint),
        stamp=FilterStamp(profile=row.profile, filter_fingerprint=row.filter_fingerprint),
        why=row.why,
        name=row.name,
        at=row.at,
    )
