"""A database URL in, an engine out: SQLite with its safeguards, PostgreSQL in UTC; failures as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from qc.errors import RunError

WAIT_MS = 30_000
_WRITES = "qc_writes"


def make_engine(url: str) -> Engine:
    """An engine whose transactions begin when they are told to, not at the first write.

    Raises:
        RunError: If the URL or its driver is none.
    """
    with as_run_error(url):
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            event.listen(engine, "connect", _configure_server)
        return engine


def writing(engine: Engine) -> Engine:
    """The same engine, whose transactions wait for each other from their first statement on."""
    return engine.execution_options(**{_WRITES: True})


def sqlite_url(path: Path) -> str:
    """URL of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def place(url: str) -> str:
    """Where a store lies, for people; never its password."""
    return url.rsplit("@", 1)[-1].split("?")[0]


@contextmanager
def as_run_error(url: str) -> Iterator[None]:
    """Database errors inside the block become one sentence."""
    try:
        yield
    except ImportError as error:
        raise RunError(f"the driver {error.name} of the store is not installed", "uv sync --extra postgres") from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", "") or error.__class__.__name__).splitlines()[0]
        raise RunError(f"the store {place(url)} cannot be used ({reason})", "check its URL and its disk") from error


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Write-ahead log, so that readers never wait; cascades, which SQLite leaves off by default."""
    connection.isolation_level = None  # SQLite's driver would begin late, and commit before a change of tables
    for pragma in (f"busy_timeout={WAIT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that reads first and writes later cannot wait for another; one that writes takes the lock first."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _configure_server(connection: Any, _record: Any) -> None:
    """Days of reports are days in UTC, whatever the server's zone."""
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.commit()
