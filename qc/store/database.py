"""The store: records in, records out; people's decisions beside them. Each change is one transaction."""

from collections.abc import Sequence

from qc.store import audit, decisions, judged, requests, work
from qc.store.audit import AuditCheck
from qc.store.chain import Entry
from qc.store.decision import Choice, Decision, SlideKey
from qc.store.engine import sqlite_url as sqlite_url
from qc.store.people import Actor, Role, User
from qc.store.requests import Asked, FilterStamp, Look, ReviewRequest
from qc.store.results import Results
from qc.store.work import Lock, Rescan, SettingVersion


class Store(Results):
    """Runs, their slides and what people decided, in one database; one of an older version is brought up to date.

    Args:
        url: SQLAlchemy URL, such as `sqlite:///run/store.sqlite` or `postgresql+psycopg://user@host/db`.
        now: Tells the time, UTC.

    Raises:
        RunError: If the database cannot be reached, or was made by a newer version of the software.
    """

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

    def ask_reviews(self, actor: Actor, stamp: FilterStamp, run_id: str, looks: Sequence[Look]) -> Asked:
        """Note which slides of a run a filter asks people to look at, and withdraw what it asks no more.

        Slides with a decision in force are left alone. Nothing is written when nothing changes.

        Args:
            actor: Who runs the filter; at least a technician.
            stamp: Which filter; the requests of others stay.
            run_id: The run.
            looks: All slides of the run that the filter looked at; requests on others stay.

        Raises:
            RefusedError: If the role is too low, or the store does not hold the result of a slide that is asked about.
        """
        with self._read() as session:
            if requests.due(session, stamp, looks, decisions.in_force(session, run_id).keys()) == Asked():
                return Asked()
        with self._change(actor, Role.TECHNICIAN, "ask for reviews") as change:
            return requests.ask(change, stamp, looks, decisions.in_force(change.session, run_id).keys())

    def review_requests(self, run_id: str, slide_id: str) -> list[ReviewRequest]:
        """What filters ask about a slide, oldest first; nothing while a decision on it is in force."""
        with self._read() as session:
            if decisions.in_force_on(session, run_id, slide_id) is not None:
                return []
            return requests.standing_on(session, run_id, slide_id)

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

    def judge_run(self, actor: Actor, run_id: str, content: str, note: str = "") -> int:
        """Judge the results of a run by another profile; the number of verdicts that changed.

        Args:
            actor: At least a QC manager.
            run_id: The run.
            content: The profile as TOML; empty to let the verdicts of the assessment hold again.
            note: Why.

        Raises:
            RefusedError: If the role is too low.
            SettingsError: If `content` is no profile.
        """
        with self._change(actor, Role.QC_MANAGER, "judge runs") as change:
            return judged.judge_run(change, run_id, content, note)

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
