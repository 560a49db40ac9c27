"""What surrounds decisions: users, who looks at which slide, what is urgent, settings by version, re-scans."""

import hashlib
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from qc.config.base import Settings
from qc.errors import RefusedError
from qc.store.change import Change
from qc.store.people import Role, User
from qc.store.schema import LockRow, PriorityRow, RescanRow, SettingRow, Slide, UserRow


class Lock(Settings):
    """A slide that somebody looks at."""

    run_id: str = Field(description="Id of the run.")
    slide_id: str = Field(description="Id of the slide.")
    subject: str = Field(description="Who looks at it.")
    name: str = Field(description="The same, for people.")
    until: datetime = Field(description="When the lock ends by itself, UTC.")


class SettingVersion(Settings):
    """One version of a named setting."""

    name: str = Field(description="Name, such as `profile/lymphoma`.")
    version: int = Field(description="1 for the first, one more for each save.")
    content: str = Field(description="The setting as it was saved, such as TOML.")
    fingerprint: str = Field(description="SHA-256 of the content.")
    note: str = Field(description="Why it was saved.")
    subject: str = Field(description="Who saved it.")
    at: datetime = Field(description="When, UTC.")


class Rescan(Settings):
    """One slide that came in the place of another."""

    old_run_id: str = Field(description="Run of the slide that was bad.")
    old_slide_id: str = Field(description="The slide that was bad.")
    new_run_id: str = Field(description="Run of the slide that came for it.")
    new_slide_id: str = Field(description="The slide that came for it.")


def put_user(change: Change, user: User) -> None:
    """Note a person's name and role; nothing is noted when nothing changes."""
    row = change.session.get(UserRow, user.subject)
    before = None if row is None else _user(row)
    if before == user:
        return
    change.note("user", {"before": before and before.model_dump(mode="json"), "after": user.model_dump(mode="json")})
    change.session.merge(UserRow(**user.model_dump(mode="json")))


def users(session: Session) -> list[User]:
    """All people that the store knows, by name."""
    return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.name, UserRow.subject))]


def user(session: Session, subject: str) -> User | None:
    """One person."""
    row = session.get(UserRow, subject)
    return None if row is None else _user(row)


def lock(change: Change, run_id: str, slide_id: str, minutes: float, take_over: bool) -> Lock:
    """Take a slide, or keep it for longer.

    Raises:
        RefusedError: If somebody else has it and `take_over` is not said, or the slide is not there.
    """
    _require_slide(change.session, run_id, slide_id)
    held = change.session.get(LockRow, (run_id, slide_id))
    if held is not None and held.subject != change.actor.subject and held.until > change.now:
        if not take_over:
            message = f"slide {slide_id} is locked by {held.name} until {held.until:%H:%M} UTC"
            raise RefusedError(message, "wait or take it over")
        change.note("lock_taken_over", {"from": held.subject, "until": held.until.isoformat()}, run_id, slide_id)
    taken = Lock(
        run_id=run_id,
        slide_id=slide_id,
        subject=change.actor.subject,
        name=change.actor.name,
        until=change.now + timedelta(minutes=minutes),
    )
    change.session.merge(LockRow(**taken.model_dump()))
    return taken


def unlock(change: Change, run_id: str, slide_id: str) -> None:
    """Give a slide back; somebody else's lock stays."""
    mine = (LockRow.run_id == run_id, LockRow.slide_id == slide_id, LockRow.subject == change.actor.subject)
    change.session.execute(delete(LockRow).where(*mine))


def locks(session: Session, run_id: str, now: datetime) -> dict[str, Lock]:
    """Locks that hold now, by slide id."""
    rows = session.scalars(select(LockRow).where(LockRow.run_id == run_id, LockRow.until > now))
    return {
        row.slide_id: Lock(
            run_id=row.run_id, slide_id=row.slide_id, subject=row.subject, name=row.name, until=row.until
        )
        for row in rows
    }


def prioritise(change: Change, run_id: str, slide_id: str, priority: int) -> None:
    """Say how urgent a slide is: 0 is usual, higher goes first."""
    _require_slide(change.session, run_id, slide_id)
    known = change.session.get(PriorityRow, (run_id, slide_id))
    before = 0 if known is None else known.priority
    if before == priority:
        return
    change.note("priority", {"before": before, "after": priority}, run_id, slide_id)
    change.session.merge(PriorityRow(run_id=run_id, slide_id=slide_id, priority=priority))


def save_setting(change: Change, name: str, content: str, note: str) -> SettingVersion:
    """A new version of a setting."""
    newest = change.session.scalar(select(func.max(SettingRow.version)).where(SettingRow.name == name)) or 0
    saved = SettingVersion(
        name=name,
        version=newest + 1,
        content=content,
        fingerprint=hashlib.sha256(content.encode("utf-8")).hexdigest(),
        note=note,
        subject=change.actor.subject,
        at=change.now,
    )
    told = saved.model_dump(mode="json", include={"name", "version", "fingerprint", "note"})
    change.session.execute(insert(SettingRow).values({**saved.model_dump(), "id": change.note("setting", told)}))
    return saved


def setting_versions(session: Session, name: str) -> list[SettingVersion]:
    """All versions of a setting, oldest first."""
    rows = session.scalars(select(SettingRow).where(SettingRow.name == name).order_by(SettingRow.version))
    return [SettingVersion(**{field: getattr(row, field) for field in SettingVersion.model_fields}) for row in rows]


def link_rescan(change: Change, link: Rescan) -> None:
    """Note that a slide came in the place of another.

    Raises:
        RefusedError: If one of them is not there, or both are the same.
    """
    old, new = (link.old_run_id, link.old_slide_id), (link.new_run_id, link.new_slide_id)
    if old == new:
        raise RefusedError(f"slide {link.old_slide_id} cannot be its own re-scan", "name the new slide")
    _require_slide(change.session, *old)
    _require_slide(change.session, *new)
    seq = change.note("rescan", {"new_run_id": link.new_run_id, "new_slide_id": link.new_slide_id}, *old)
    change.session.execute(insert(RescanRow).values({**link.model_dump(), "id": seq}))


def rescans(session: Session, run_id: str) -> dict[str, Rescan]:
    """For slides of a run, what came in their place; the last link counts."""
    rows = session.scalars(select(RescanRow).where(RescanRow.old_run_id == run_id).order_by(RescanRow.id))
    return {row.old_slide_id: Rescan(**{field: getattr(row, field) for field in Rescan.model_fields}) for row in rows}


def _require_slide(session: Session, run_id: str, slide_id: str) -> None:
    if session.scalar(select(Slide.id).where(Slide.run_id == run_id, Slide.slide_id == slide_id)) is None:
        raise RefusedError(f"run {run_id} has no slide {slide_id} in the store", "check both ids")


def _user(row: UserRow) -> User:
    return User(subject=row.subject, name=row.name, role=Role(row.role), is_active=row.is_active)
