from pathlib import PurePath

import pandas as pd
import pytest

from qc.labels import Verdict
from qc.store import queries
from qc.store.decision import Action, Choice, Reason
from qc.store.shares import scans


@pytest.fixture
def worked(filled, key, ann, bob, assessed):
    """A run with verdicts, decisions, a lock and a priority, and a later run of two of its slides."""
    filled.save("run", assessed("b", verdict=Verdict.REJECT))
    filled.decide(ann, key("a"), Choice(action=Action.EXCLUDE, reason=Reason.MISSED_FAULT, could_be_used=False))
    undone = filled.decide(ann, key("c"), Choice(action=Action.CLEAN, reason=Reason.PEN))
    filled.undo(ann, undone.id)
    filled.decide(bob, key("b"), Choice(action=Action.ACCEPT, reason=Reason.FALSE_ALARM, could_be_used=True))
    filled.lock(bob, "run", "c")
    filled.prioritise(ann, "run", "c", 1)
    filled.begin_run("later", "s" * 64, "0.1.0", "default", "{}")
    for slide_id in ("a", "e"):
        filled.save("later", assessed(slide_id, verdict=Verdict.REVIEW))
    return filled


def test_the_worklist_has_the_urgent_first_then_the_worst_with_decision_and_lock(worked):
    table = queries.worklist(worked.engine, "run").set_index("slide_id")

    assert list(table.index) == ["c", "d", "b", "a"]
    assert list(table["priority"]) == [1, 0, 0, 0]
    assert table["decision_action"].dropna().to_dict() == {"b": "accept", "a": "exclude"}
    assert table["decision_could_be_used"].dropna().to_dict() == {"b": True, "a": False}
    assert table["locked_by_name"].dropna().to_dict() == {"c": "Bob"}
    assert pd.isna(table.loc["d", "artefact_share"])
    assert str(table["recorded"].dt.tz) == str(table["decision_at"].dt.tz) == "UTC"


def test_a_worklist_can_be_cut_to_a_queue_and_to_pages(worked):
    def ids(**chosen):
        return list(queries.worklist(worked.engine, "run", **chosen)["slide_id"])

    assert ids(is_decided=False) == ["c", "d"]
    assert ids(is_decided=True) == ["b", "a"]
    assert ids(actions=(Action.EXCLUDE,)) == ["a"]
    assert ids(verdicts=(Verdict.USABLE, Verdict.REJECT)) == ["c", "b", "a"]
    assert ids(limit=2, offset=1) == ["d", "b"]


def test_without_a_run_each_slide_is_there_once_with_its_latest_result(worked):
    table = queries.worklist(worked.engine).set_index("slide_id")

    assert sorted(table.index) == ["a", "b", "c", "d", "e"]
    assert table.loc["a", "run_id"] == "later"
    assert pd.isna(table.loc["a", "decision_id"])


def test_scanner_and_time_come_from_the_record_and_are_empty_where_it_does_not_tell(filled, assessed):
    filled.save("run", assessed("a", scanner="Aperio AT2 SS1302", scanned_at="2026-03-02 09:59"))

    table = scans(filled.engine, "run")

    assert table.loc["a"].tolist() == ["Aperio AT2 SS1302", "2026-03-02 09:59"]
    assert table.loc[["b", "d"]].to_numpy().tolist() == [["", ""], ["", ""]]


def test_reasons_for_screens_and_exports_name_slides_by_id_and_never_by_file(filled, failed):
    record = failed("d")
    named = record.model_copy(update={"reason": f"{PurePath(record.stamp.path).name} ends in its middle"})

    filled.save("run", named)

    assert "d ends in its middle" in set(queries.worklist(filled.engine, "run")["reason"])
    assert filled.record("run", "d") == named


def test_an_empty_store_gives_empty_tables(store):
    assert queries.worklist(store.engine).empty
    assert queries.runs(store.engine).empty
