import hashlib
import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from qc.store.audit import verify
from qc.store.chain import START, Entry, Head, check
from qc.store.decision import Action, Choice, Reason
from qc.store.guards import APPEND_ONLY
from qc.store.work import Rescan

ACCEPT = Choice(action=Action.ACCEPT, reason=Reason.NOTHING_WRONG)


@pytest.fixture
def told(filled, key, ann, admin):
    """A store with seven rows in its audit."""
    for slide_id in ("a", "b", "c", "a", "b"):
        last = filled.decide(ann, key(slide_id), ACCEPT)
    filled.undo(ann, last.id)
    filled.save_setting(admin, "filter", "fold = 0.1")
    return filled


@contextmanager
def behind_its_back(store, *statements):
    """The store as it would be for somebody who may drop its triggers; it is as before when the block ends."""
    with Session(store.engine) as session:
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            begin = [f"DROP TRIGGER {name}" for name in triggers.scalars().all()]
        else:
            begin = ["SET LOCAL session_replication_role = replica"]
        for statement in [*begin, *statements]:
            connection.exec_driver_sql(statement)
        yield session
        session.rollback()


def test_a_store_that_nobody_touched_is_whole_and_says_its_head(told):
    found = told.verify()

    assert found.is_whole
    assert found.head == Head(7, told.audit(last=1)[0].hash)
    assert told.verify(noted_head=told.audit()[3].hash).is_whole


MANIPULATIONS = [
    (["UPDATE audit SET subject = 'x' WHERE seq = 3"], ["row 3 was changed", "the decision of row 3 was changed"]),
    (["UPDATE audit SET detail = 'x' WHERE seq = 6"], ["row 6 was changed", "the decision of row 6 was changed"]),
    (["DELETE FROM audit WHERE seq = 7"], ["row 7 is missing at the end: the store was at row 7"]),
    (["DELETE FROM audit WHERE seq IN (2, 3)"], ["rows 2 to 3 are missing"]),
    (
        [f"UPDATE audit SET seq = {seq} WHERE seq = {old}" for old, seq in ((2, 90), (3, 2), (90, 3))],
        ["row 2 does not follow the row before it", "row 2 was changed", "row 3 was changed"],
    ),
    (["UPDATE decisions SET action = 'exclude' WHERE id = 1"], ["the decision of row 1 was changed"]),
    (["DELETE FROM decisions WHERE id = 6"], ["the decision of row 6 is missing"]),
    (["UPDATE settings SET content = 'fold = 0.9'"], ["the setting of row 7 was changed"]),
    (["DELETE FROM audit_head"], ["the store does not say where its audit ends"]),
]


def test_whatever_was_changed_removed_or_reordered_is_named(told):
    for statements, sentences in MANIPULATIONS:
        with behind_its_back(told, *statements) as session:
            problems = verify(session).problems

        assert set(sentences) <= set(problems), statements
    assert told.verify().is_whole


def test_a_tail_cut_off_with_care_is_found_by_a_head_that_was_noted_outside(told):
    noted = told.verify().head.hash
    sixth = told.audit()[5].hash
    cut = (
        "DELETE FROM settings",
        "DELETE FROM audit WHERE seq = 7",
        f"UPDATE audit_head SET seq = 6, hash = '{sixth}'",
    )

    with behind_its_back(told, *cut) as session:
        assert verify(session).is_whole
        assert "noted hash" in verify(session, noted_head=noted).problems[0]


def test_the_database_itself_refuses_to_change_what_is_append_only(told, admin):
    told.link_rescan(admin, Rescan(old_run_id="run", old_slide_id="a", new_run_id="run", new_slide_id="b"))

    for table in APPEND_ONLY:
        column = "seq" if table == "audit" else "id"
        statements = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
        if told.engine.dialect.name == "postgresql":
            statements.append(f"TRUNCATE {table} CASCADE")
        for statement in statements:
            with pytest.raises(DBAPIError, match="append-only"), told.engine.begin() as connection:
                connection.execute(text(statement))
    assert told.verify().is_whole


def test_the_database_refuses_a_row_that_forks_or_replaces_the_chain(told):
    columns = ", ".join(Entry.__dataclass_fields__)
    copy = columns.replace("seq", "{}", 1).replace("previous,", "'{}',")
    insert = f"INSERT INTO audit ({columns}) SELECT {copy} FROM audit WHERE seq = 3"
    for seq, previous in ((3, told.audit()[1].hash), (8, "0" * 64), (9, told.audit()[6].hash)):
        statement = insert.format(seq, previous)
        if told.engine.dialect.name == "sqlite":
            statement = statement.replace("INSERT", "INSERT OR REPLACE", 1)
        with pytest.raises(DBAPIError, match="must follow"), told.engine.begin() as connection:
            connection.execute(text(statement))


def test_a_hash_can_be_checked_with_nothing_but_the_description():
    entry = Entry(1, "2026-01-02T03:04:05.000006+00:00", "s", "é", "admin", "user", "", "", "{}", START).sealed()
    by_hand = (
        '{"action":"user","at":"2026-01-02T03:04:05.000006+00:00","detail":"{}","name":"é","previous":"'
        + "0" * 64
        + '","role":"admin","run_id":"","seq":1,"slide_id":"","subject":"s"}'
    )

    assert entry.hash == hashlib.sha256(by_hand.encode()).hexdigest()


def test_any_changed_field_of_any_row_is_found():
    chain, last = [], Head()
    for seq in range(1, 5):
        entry = Entry(seq, "t", "s", "n", "admin", "user", "r", "x", "{}", last.hash).sealed()
        chain.append(entry)
        last = Head(seq, entry.hash)
    assert list(check(chain, last)) == []

    for row in range(4):
        for field in Entry.__dataclass_fields__:
            value = getattr(chain[row], field)
            changed = replace(chain[row], **{field: value + 10 if field == "seq" else value + "x"})
            problems = " ".join(check([*chain[:row], changed, *chain[row + 1 :]], last))
            assert re.search(rf"rows? {row + 1}\b", problems), (row, field)
