"""The audit of a store: read it, and find whatever was changed behind its back."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from qc.store.chain import Entry, Head, check
from qc.store.change import HEAD_ID
from qc.store.schema import AuditHead, AuditRow, DecisionRow, SettingRow

_ROWS_AT_ONCE = 1000
_FIELDS = tuple(Entry.__dataclass_fields__)
_DECISION = ("action", "reason", "note", "could_be_used", "slide_fingerprint")


@dataclass(frozen=True)
class AuditCheck:
    """What a check of the audit found.

    Attributes:
        head: Last row and its hash: to be noted outside, where whoever can change the store cannot.
        problems: One sentence each; empty when nothing was changed.
    """

    head: Head
    problems: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def entries(session: Session, run_id: str = "", slide_id: str = "", last: int = 0) -> Iterator[Entry]:
    """Rows of the audit, oldest first; of one run, one slide, or the last ones only."""
    query = select(AuditRow)
    if run_id:
        query = query.where(AuditRow.run_id == run_id)
    if slide_id:
        query = query.where(AuditRow.slide_id == slide_id)
    if not last:
        yield from _stream(session, query.order_by(AuditRow.seq))
        return
    newest = list(_stream(session, query.order_by(AuditRow.seq.desc()).limit(last)))
    yield from reversed(newest)


def verify(session: Session, noted_head: str = "") -> AuditCheck:
    """Check every row of the audit, and the decisions and settings against it.

    Args:
        session: A session that sees one state of the store.
        noted_head: A hash that was noted outside earlier; finds rows removed at the end.
    """
    row = session.get(AuditHead, HEAD_ID)
    head = Head() if row is None else Head(row.seq, row.hash)
    problems = [] if row else ["the store does not say where its audit ends"]
    problems += check(entries(session), head, noted_head)
    problems += _check_decisions(session)
    problems += _check_settings(session)
    return AuditCheck(head, tuple(problems))


def _stream(session: Session, query: Select[AuditRow]) -> Iterator[Entry]:
    columns = query.with_only_columns(*(getattr(AuditRow, field) for field in _FIELDS))
    for row in session.execute(columns.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield Entry(*row)


def _check_decisions(session: Session) -> Iterator[str]:
    """Decisions that say something else than the row of the audit they were made with."""
    fields = ("id", "run_id", "slide_id", *_DECISION, "withdraws", "subject", "role")
    query = select(*(getattr(DecisionRow, field) for field in fields))
    rows = {row.id: row for row in session.execute(query)}
    told = select(AuditRow).where(AuditRow.action.in_(("decide", "undo"))).order_by(AuditRow.seq)
    for entry in _stream(session, told):
        row = rows.pop(entry.seq, None)
        if row is None:
            yield f"the decision of row {entry.seq} is missing"
        elif (row.run_id, row.slide_id, row.subject, row.role, *_of_row(row, entry.action)) != (
            entry.run_id,
            entry.slide_id,
            entry.subject,
            entry.role,
            *_of_entry(entry),
        ):
            yield f"the decision of row {entry.seq} was changed"
    yield from (f"decision {number} is not in the audit" for number in rows)


def _of_row(row: object, action: str) -> tuple[object, ...]:
    names = ("withdraws", "note") if action == "undo" else (*_DECISION, "withdraws")
    return tuple(getattr(row, name) for name in names)


def _of_entry(entry: Entry) -> tuple[object, ...]:
    detail = _detail(entry)
    names = ("withdraws", "note") if entry.action == "undo" else (*_DECISION, "withdraws")
    return tuple(detail.get(name) for name in names)


def _check_settings(session: Session) -> Iterator[str]:
    """Settings whose content is not the one that was saved."""
    query = select(SettingRow.id, SettingRow.name, SettingRow.version, SettingRow.content)
    rows = {row.id: row for row in session.execute(query)}
    for entry in _stream(session, select(AuditRow).where(AuditRow.action == "setting").order_by(AuditRow.seq)):
        row, detail = rows.pop(entry.seq, None), _detail(entry)
        if row is None:
            yield f"the setting of row {entry.seq} is missing"
        elif (row.name, row.version, hashlib.sha256(row.content.encode("utf-8")).hexdigest()) != (
            detail.get("name"),
            detail.get("version"),
            detail.get("fingerprint"),
        ):
            yield f"the setting of row {entry.seq} was changed"
    yield from (f"setting {number} is not in the audit" for number in rows)


def _detail(entry: Entry) -> dict[str, object]:
    """The detail of a row; empty when somebody made it something else than a JSON object."""
    try:
        detail = json.loads(entry.detail)
    except ValueError:
        return {}
    return detail if isinstance(detail, dict) else {}
