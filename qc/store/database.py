"""The store: records in, records out; people's decisions beside them. Each change is one transaction."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from qc.errors import RunError
from qc.record import Assessed, Failed, artefact_share, from_json, to_json
from qc.store import audit, decisions, work
from qc.store.audit import AuditCheck
from qc.store.chain import Entry
from qc.store.change import Change
from qc.store.decision import Choice, Decision, SlideKey
from qc.store.engine import as_run_error, make_engine, writing
from qc.store.engine import sqlite_url as sqlite_url
from qc.store.people import Actor, Role, User
from qc.store.schema import CoverageRow, Run, Slide
from qc.store.upgrade import bring_up_to_date
from qc.store.work import Lock, Rescan, SettingVersion


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Runs, their slides and what people decided, in one database; one of an older version is brought up to date.

    Args:
        url: SQLAlchemy URL, such as `sqlite:///run/store.sqlite` or `postgresql+psycopg://user@host/db`.
        now: Tells the time, UTC.

    Raises:
        RunError: If the database cannot be reached, or was made by a newer version of the software.
    """

    def __init__(self, url: str, now: Callable[[], datetime] = _utc_now) -> None:
        self._url, self._now = url, now
        self._engine = make_engine(url)
        self._writer = writing(self._engine)
        try:
            with as_run_error(url):
                bring_up_to_date(self._engine)
        except RunError:
            self._engine.dispose()
            raise

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for queries of screens and reports."""
        return self._engine

    def begin_run(self, run_id: str, fingerprint: str, version: str, profile: str, settings_json: str) -> None:
        """Note a run; a known one keeps its first note."""
        run = Run(
            id=run_id,
            created=self._now(),
            settings_fingerprint=fingerprint,
            software_version=version,
            profile=profile,
            settings_json=settings_json,
        )
        with self._write() as session:
            if session.get(Run, run_id) is None:
                session.add(run)

    def save(self, run_id: str, record: Assessed | Failed) -> None:
        """Put one slide's result in the place of any earlier one of the same run."""
        with self._write() as session:
            session.get(Run, run_id, with_for_update=True)  # two writers of one slide wait for each other
            session.execute(delete(Slide).where(Slide.run_id == run_id, Slide.slide_id == record.stamp.slide_id))
            session.add(_row(run_id, record, self._now()))

    def records(self, run_id: str) -> list[Assessed | Failed]:
        """All results of a run, by slide id."""
        query = select(Slide.record_json).where(Slide.run_id == run_id).order_by(Slide.slide_id)
        with self._read() as session:
            return [from_json(text) for text in session.scalars(query)]

    def record(self, run_id: str, slide_id: str) -> Assessed | Failed | None:
        """The result of one slide of a run; None when there is none."""
        query = select(Slide.record_json).where(Slide.run_id == run_id, Slide.slide_id == slide_id)
        with self._read() as session:
            text = session.scalar(query)
        return None if text is None else from_json(text)

    def runs(self) -> list[str]:
        """Ids of all runs, oldest first."""
        with self._read() as session:
            return list(session.scalars(select(Run.id).order_by(Run.created)))

    def decide(self, actor: Actor, key: SlideKey, choice: Choice, nonce: str = "") -> Decision:
        """Note what a person decided about a slide; it replaces any earlier decision on it.

        Args:
            actor: Who decides; at least a technician.
            key: The slide, and which file the person saw.
            choice: What was decided, and why.
            nonce: Any text that is new for each click, so that sending twice notes once.

        Raises:
            RefusedError: If the role is too low, the slide is not there or is another file by now, or somebody else
                has locked it.
        """
        with self._change(actor, Role.TECHNICIAN, "decide about slides") as change:
            return decisions.decide(change, key, choice, nonce)

    def undo(self, actor: Actor, decision_id: int, note: str = "") -> Decision | None:
        """Withdraw a decision, which has to be the one in force; the one before it counts again, and is returned.

        Raises:
            RefusedError: If the role is too low, the decision is not in force, or somebody else has locked the slide.
        """
        with self._change(actor, Role.TECHNICIAN, "withdraw decisions") as change:
            return decisions.undo(change, decision_id, note)

    def decisions(self, run_id: str) -> dict[str, Decision]:
        """The decision in force on each slide of a run, by slide id; those on an earlier file do not count."""
        with self._read() as session:
            return decisions.in_force(session, run_id)

    def history(self, run_id: str, slide_id: str) -> list[Decision]:
        """All decisions on a slide, oldest first: withdrawn ones and those on an earlier file, too."""
        with self._read() as session:
            return decisions.history(session, run_id, slide_id)

    def put_user(self, actor: Actor, user: User) -> None:
        """Note a person's name and role; admins only.

        Raises:
            RefusedError: If the role is too low.
        """
        with self._change(actor, Role.ADMIN, "change users") as change:
            work.put_user(change, user)

    def users(self) -> list[User]:
        """All people that the store knows, by name."""
        with self._read() as session:
            return work.users(session)

    def user(self, subject: str) -> User | None:
        """The person with this id, if the store knows one."""
        with self._read() as session:
            return work.user(session, subject)

    def lock(self, actor: Actor, run_id: str, slide_id: str, minutes: float = 10, take_over: bool = False) -> Lock:
        """Keep others from deciding about a slide while `actor` looks at it; a decision ends it.

        Raises:
            RefusedError: If the role is too low, or somebody else has it and `take_over` is not said.
        """
        with self._change(actor, Role.TECHNICIAN, "lock slides") as change:
            return work.lock(change, run_id, slide_id, minutes, take_over)

    def unlock(self, actor: Actor, run_id: str, slide_id: str) -> None:
        """Give a slide back; somebody else's lock stays."""
        with self._change(actor, Role.VIEWER, "unlock slides") as change:
            work.unlock(change, run_id, slide_id)

    def locks(self, run_id: str) -> dict[str, Lock]:
        """Locks that hold now, by slide id."""
        with self._read() as session:
            return work.locks(session, run_id, self._now())

    def prioritise(self, actor: Actor, run_id: str, slide_id: str, priority: int) -> None:
        """Say how urgent a slide is: 0 is usual, higher goes first.

        Raises:
            RefusedError: If the role is too low.
        """
        with self._change(actor, Role.TECHNICIAN, "change priorities") as change:
            work.prioritise(change, run_id, slide_id, priority)

    def save_setting(self, actor: Actor, name: str, content: str, note: str = "") -> SettingVersion:
        """Save a setting or profile; every save is a new version.

        Raises:
            RefusedError: If the role is too low.
        """
        with self._change(actor, Role.QC_MANAGER, "change settings") as change:
            return work.save_setting(change, name, content, note)

    def setting_versions(self, name: str) -> list[SettingVersion]:
        """All versions of a setting, oldest first."""
        with self._read() as session:
            return work.setting_versions(session, name)

    def link_rescan(self, actor: Actor, link: Rescan) -> None:
        """Note that a slide came in the place of another.

        Raises:
            RefusedError: If the role is too low, or a slide is not there.
        """
        with self._change(actor, Role.TECHNICIAN, "link re-scans") as change:
            work.link_rescan(change, link)

    def rescans(self, run_id: str) -> dict[str, Rescan]:
        """For slides of a run, what came in their place."""
        with self._read() as session:
            return work.rescans(session, run_id)

    def audit(self, run_id: str = "", slide_id: str = "", last: int = 0) -> list[Entry]:
        """Rows of the audit, oldest first; of one run, one slide, or the `last` ones only."""
        with self._read() as session:
            return list(audit.entries(session, run_id, slide_id, last))

    def verify(self, noted_head: str = "") -> AuditCheck:
        """Check the whole audit, and decisions and settings against it.

        Args:
            noted_head: A hash that an earlier check gave and that was noted elsewhere.
        """
        with self._read() as session:
            return audit.verify(session, noted_head)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with as_run_error(self._url), Session(self._engine) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with as_run_error(self._url), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def _change(self, actor: Actor, least: Role, what: str) -> Iterator[Change]:
        with self._write() as session:
            yield Change.begin(session, actor, least, what, self._now())


def _row(run_id: str, record: Assessed | Failed, now: datetime) -> Slide:
    row = Slide(
        run_id=run_id,
        slide_id=record.stamp.slide_id,
        slide_fingerprint=record.stamp.slide_fingerprint,
        recorded=now,
        verdict=str(record.verdict),
        reason=record.reason,
        record_json=to_json(record),
    )
    if isinstance(record, Assessed):
        row.focus_score, row.stain_score = _nullable(record.focus_score), _nullable(record.stain_score)
        row.domain_distance = _nullable(record.domain_distance)
        row.tissue_mm2, row.usable_mm2 = record.tissue_mm2, record.usable_mm2
        row.artefact_share = _nullable(artefact_share(record))
        row.coverages = [
            CoverageRow(artefact_class=name, share=_nullable(amount.share), area_mm2=amount.area_mm2)
            for name, amount in record.coverage.items()
        ]
    return row


def _nullable(value: float) -> float | None:
    return None if math.isnan(value) else value
