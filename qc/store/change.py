"""One transaction in which a person changes something: alone in the store, allowed by the role, noted in the audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from qc.errors import RefusedError
from qc.store.chain import Entry, canonical
from qc.store.people import Actor, Role
from qc.store.schema import AuditHead, AuditRow, UserRow

HEAD_ID = 1


@dataclass(frozen=True)
class Change:
    """What the functions that change the store are given; whoever holds one is the only writer.

    Attributes:
        session: The open transaction.
        actor: Who changes, in the role that counts.
        now: Time of the change, UTC.
    """

    session: Session
    actor: Actor
    now: datetime

    @classmethod
    def begin(cls, session: Session, actor: Actor, least: Role, what: str, now: datetime) -> Self:
        """Wait for other writers, then see whether `actor` may do `what`.

        Raises:
            RefusedError: If the role is too low, or the person has left.
        """
        session.execute(select(AuditHead.seq).where(AuditHead.id == HEAD_ID).with_for_update()).one()
        actor = _in_known_role(session, actor)
        if not actor.role.covers(least):
            hint = f"ask for the role {least.label}"
            raise RefusedError(f"{actor.name} may not {what} in the role {actor.role.label}", hint)
        return cls(session, actor, now.astimezone(UTC))

    def note(self, action: str, detail: Mapping[str, object], run_id: str = "", slide_id: str = "") -> int:
        """Add a row to the audit; the number it got."""
        head = self.session.execute(select(AuditHead).where(AuditHead.id == HEAD_ID)).scalar_one()
        entry = Entry(
            seq=head.seq + 1,
            at=self.now.isoformat(timespec="microseconds"),
            subject=self.actor.subject,
            name=self.actor.name,
            role=self.actor.role.value,
            action=action,
            run_id=run_id,
            slide_id=slide_id,
            detail=canonical(detail),
            previous=head.hash,
        ).sealed()
        self.session.execute(insert(AuditRow).values(vars(entry)))
        head.seq, head.hash = entry.seq, entry.hash
        self.session.flush()
        return entry.seq


def _in_known_role(session: Session, actor: Actor) -> Actor:
    """The role that the store notes for a person goes before the one the caller believes."""
    known = session.get(UserRow, actor.subject)
    if known is None:
        return actor
    if not known.is_active:
        raise RefusedError(f"{known.name} is no longer active in this store", "ask an admin")
    return actor.model_copy(update={"role": Role(known.role)})
