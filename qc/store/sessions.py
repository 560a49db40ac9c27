"""Transactions of a store: those that read, those that write, and those in which a person changes something."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from qc.errors import RunError
from qc.store.change import Change
from qc.store.engine import as_run_error, make_engine, writing
from qc.store.people import Actor, Role
from qc.store.upgrade import bring_up_to_date


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sessions:
    """Connections to one database; one of an older version is brought up to date.

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
