"""Stores of earlier versions. The statements below are what the first version ran, word for word."""

import json
import math
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from qc.errors import RunError
from qc.record import Assessed
from qc.store.database import Store, sqlite_url
from qc.store.decision import Action, Choice, Reason
from qc.store.schema import VERSION, Base
from qc.store.upgrade import VERSION_TABLE, migrate

FIRST_VERSION = """
CREATE TABLE runs (id VARCHAR(64) NOT NULL, created {time} NOT NULL, settings_fingerprint VARCHAR(64) NOT NULL,
  software_version VARCHAR(32) NOT NULL, profile VARCHAR(80) NOT NULL, settings_json TEXT NOT NULL, PRIMARY KEY (id));
CREATE TABLE slides (id {serial} NOT NULL, run_id VARCHAR(64) NOT NULL, slide_id VARCHAR(96) NOT NULL,
  recorded {time} NOT NULL, verdict VARCHAR(16) NOT NULL, reason TEXT NOT NULL, focus_score FLOAT, stain_score FLOAT,
  tissue_mm2 FLOAT, usable_mm2 FLOAT, record_json TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (run_id, slide_id),
  FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE);
CREATE INDEX ix_slides_run_id ON slides (run_id);
CREATE INDEX ix_slides_slide_id ON slides (slide_id);
CREATE INDEX ix_slides_verdict ON slides (verdict);
CREATE TABLE coverages (slide_row INTEGER NOT NULL, artefact_class VARCHAR(16) NOT NULL, share FLOAT,
  area_mm2 FLOAT NOT NULL, PRIMARY KEY (slide_row, artefact_class),
  FOREIGN KEY(slide_row) REFERENCES slides (id) ON DELETE CASCADE);
INSERT INTO runs VALUES ('run', '2026-01-02 03:04:05.000006', 's', '0.1.0', 'default', '{{}}')
"""


@pytest.fixture
def old_url(url, assessed, failed):
    """A store of the first version: before there was a domain distance, with two slides."""
    engine = create_engine(url)
    words = {"sqlite": ("DATETIME", "INTEGER"), "postgresql": ("TIMESTAMP WITH TIME ZONE", "SERIAL")}
    time, serial = words[engine.dialect.name]
    insert = text(
        "INSERT INTO slides (run_id, slide_id, recorded, verdict, reason, record_json)"
        " VALUES ('run', :slide_id, '2026-01-02 03:04:05.000006', :verdict, 'not d.svs', :record)"
    )
    with engine.begin() as connection:
        for statement in FIRST_VERSION.format(time=time, serial=serial).split(";"):
            connection.exec_driver_sql(statement)
        for record in (assessed("a"), failed("d")):
            values = {"slide_id": record.stamp.slide_id, "verdict": record.verdict}
            values["record"] = record.model_dump_json(exclude={"domain_distance", "scanner", "scanned_at"})
            connection.execute(insert, values)
    engine.dispose()
    return url


def differences(store):
    """What autogeneration would change, and the triggers that are there."""
    with store.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
        sqlite, server = (
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
            ("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"),
        )
        query = sqlite if connection.dialect.name == "sqlite" else server
        return found, list(connection.execute(text(query)).scalars())


def test_a_store_of_the_first_version_keeps_its_rows_and_takes_decisions(old_url, key, ann, assessed):
    store = Store(old_url)

    store.save("run", assessed("b"))
    decision = store.decide(ann, key("a"), Choice(action=Action.RE_CUT, reason=Reason.FOLD))
    store.decide(ann, key("d", ""), Choice(action=Action.RE_SCAN, reason=Reason.UNREADABLE))

    assert [math.isnan(r.domain_distance) for r in store.records("run") if isinstance(r, Assessed)] == [True, False]
    assert store.decisions("run")["a"] == decision
    with store.engine.connect() as connection:
        shares = connection.execute(text("SELECT artefact_share FROM slides ORDER BY slide_id")).scalars().all()
        reasons = connection.execute(text("SELECT reason FROM slides WHERE slide_id = 'd'")).scalars().all()
    assert reasons == ["not d"]  # the name of the file is gone
    assert shares == [pytest.approx(5 / 7), pytest.approx(5 / 7), None]
    assert store.verify().is_whole
    store.close()


def test_upgraded_tables_and_new_ones_are_what_the_models_say(old_url, request):
    upgraded = Store(old_url)
    found, triggers = differences(upgraded)
    columns = _columns(upgraded)
    upgraded.close()
    if old_url.startswith("postgresql"):
        _empty(old_url)
    else:
        old_url = sqlite_url(request.getfixturevalue("tmp_path") / "new.sqlite")

    new = Store(old_url)

    assert found == []
    assert differences(new) == ([], triggers)
    assert len(triggers) >= 5
    assert _columns(new) == columns
    new.close()


def _empty(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


FOREIGN_KEY = ("constrained_columns", "referred_table", "options")


def _columns(store):
    """Names, nullability and keys of all tables, in no order of columns."""
    known = inspect(store.engine)
    return {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in known.get_columns(table)),
            known.get_pk_constraint(table)["constrained_columns"],
            sorted(
                str((k["constrained_columns"], k["referred_table"], k["options"]))
                for k in known.get_foreign_keys(table)
            ),
            sorted(str(k["column_names"]) for k in known.get_unique_constraints(table)),
            sorted(str((i["name"], i["column_names"])) for i in known.get_indexes(table)),
        )
        for table in Base.metadata.tables
    }


def test_the_software_knows_the_last_step_without_loading_alembic():
    config = Config()
    config.set_main_option("script_location", "qc.store:migrations")

    script = ScriptDirectory.from_config(config)

    assert script.get_heads() == [VERSION]
    assert all(
        step.revision == f"{number:04}" for number, step in enumerate(reversed(list(script.walk_revisions())), 1)
    )


def test_steps_from_nothing_give_the_same_tables(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()

    store = Store(url)

    assert differences(store)[0] == []
    assert store.verify().is_whole
    store.close()


def test_a_store_of_a_newer_version_is_refused_in_one_sentence_and_left_alone(url):
    Store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0099'"))

    with pytest.raises(RunError, match=r"version 0099, this software knows 0004; update the software"):
        Store(url)

    with engine.begin() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all() == ["0099"]
    engine.dispose()


def test_a_step_that_fails_leaves_the_store_as_it_was(old_url):
    engine = create_engine(old_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE audit (id INTEGER)"))

    with pytest.raises(RunError, match="cannot be used"):
        Store(old_url)

    assert {c["name"] for c in inspect(engine).get_columns("slides")}.isdisjoint(
        {"slide_fingerprint", "artefact_share", "scanner"}
    )
    engine.dispose()


def test_tables_of_our_names_with_other_columns_are_refused(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE runs (id INTEGER PRIMARY KEY, title TEXT)"))
    engine.dispose()

    with pytest.raises(RunError, match="no column created; name another database"):
        Store(url)


def test_processes_that_open_an_old_store_at_once_upgrade_it_once(old_url):
    code = (
        "import sys; from qc.store.database import Store; sys.stdin.readline();"
        " store = Store(sys.argv[1]); print(store.runs()); store.close()"
    )
    commands = [[sys.executable, "-c", code, old_url]] * 3
    openers = [
        subprocess.Popen(c, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for c in commands
    ]

    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    said = [opener.communicate(timeout=300) for opener in openers]

    assert said == [("['run']\n", "")] * 3


def test_opening_a_store_that_is_up_to_date_does_not_load_alembic(tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    code = (
        "import sys, json; from qc.store.database import Store;"
        f" Store({url!r}).close(); Store({url!r}).close(); print(json.dumps(list(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "alembic" not in json.loads(loaded)
