"""The store: records in, records out. One slide's result is one transaction."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DDL, Engine, create_engine, delete, event, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from qc.errors import RunError
from qc.record import Assessed, Failed, from_json, to_json
from qc.store.schema import Base, CoverageRow, Run, Slide


class Store:
    """Runs and their slides in one database.

    Args:
        url: SQLAlchemy URL, such as `sqlite:///run/store.sqlite` or `postgresql+psycopg://user@host/db`.

    Raises:
        RunError: If the database cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with _as_run_error(url):
            self._engine = create_engine(url)
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _configure_sqlite)
            Base.metadata.create_all(self._engine)
            _add_missing_columns(self._engine)

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for queries of screens and reports."""
        return self._engine

    def begin_run(self, run_id: str, fingerprint: str, version: str, profile: str, settings_json: str) -> None:
        """Note a run; a known one keeps its first note."""
        run = Run(
            id=run_id,
            created=datetime.now(UTC),
            settings_fingerprint=fingerprint,
            software_version=version,
            profile=profile,
            settings_json=settings_json,
        )
        with _as_run_error(self._url), Session(self._engine) as session, session.begin():
            if session.get(Run, run_id) is None:
                session.add(run)

    def save(self, run_id: str, record: Assessed | Failed) -> None:
        """Put one slide's result in the place of any earlier one of the same run."""
        with _as_run_error(self._url), Session(self._engine) as session, session.begin():
            session.get(Run, run_id, with_for_update=True)  # two writers of one slide wait for each other
            session.execute(delete(Slide).where(Slide.run_id == run_id, Slide.slide_id == record.stamp.slide_id))
            session.add(_row(run_id, record))

    def records(self, run_id: str) -> list[Assessed | Failed]:
        """All results of a run, by slide id."""
        query = select(Slide.record_json).where(Slide.run_id == run_id).order_by(Slide.slide_id)
        with _as_run_error(self._url), Session(self._engine) as session:
            return [from_json(text) for text in session.scalars(query)]

    def runs(self) -> list[str]:
        """Ids of all runs, oldest first."""
        with _as_run_error(self._url), Session(self._engine) as session:
            return list(session.scalars(select(Run.id).order_by(Run.created)))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """URL of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def _row(run_id: str, record: Assessed | Failed) -> Slide:
    row = Slide(
        run_id=run_id,
        slide_id=record.stamp.slide_id,
        recorded=datetime.now(UTC),
        verdict=str(record.verdict),
        reason=record.reason,
        record_json=to_json(record),
    )
    if isinstance(record, Assessed):
        row.focus_score, row.stain_score = _nullable(record.focus_score), _nullable(record.stain_score)
        row.domain_distance = _nullable(record.domain_distance)
        row.tissue_mm2, row.usable_mm2 = record.tissue_mm2, record.usable_mm2
        row.coverages = [
            CoverageRow(artefact_class=name, share=_nullable(amount.share), area_mm2=amount.area_mm2)
            for name, amount in record.coverage.items()
        ]
    return row


def _add_missing_columns(engine: Engine) -> None:
    """Bring a store of an earlier version up to date: columns that came later are added, and NULL in its rows.

    Raises:
        RunError: If a column is missing that no row may lack: the tables are not those of a store.
    """
    known = inspect(engine)
    for table in Base.metadata.sorted_tables:
        present = {column["name"] for column in known.get_columns(table.name)}
        for column in table.columns:
            if column.name in present:
                continue
            if not column.nullable:
                raise RunError(f"the store's table {table.name} has no column {column.name}", "name another database")
            kind = column.type.compile(engine.dialect)
            with engine.begin() as connection:
                connection.execute(DDL(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"))


def _nullable(value: float) -> float | None:
    return None if math.isnan(value) else value


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Write-ahead log, so that readers never wait; cascades, which SQLite leaves off by default."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _as_run_error(url: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise RunError(f"the driver {error.name} of the store is not installed", "uv sync --extra postgres") from error
    except SQLAlchemyError as error:
        where = url.rsplit("@", 1)[-1].split("?")[0]  # never the password
        reason = str(getattr(error, "orig", "") or error.__class__.__name__).splitlines()[0]
        raise RunError(f"the store {where} cannot be used ({reason})", "check its URL and its disk") from error
