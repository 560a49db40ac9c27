from datetime import UTC, datetime

import pandas as pd
import pytest

from qc.labels import Verdict
from qc.store import queries
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason


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


def test_usability_counts_where_people_and_software_disagree(worked):
    found = queries.usability(worked.engine, "run")

    assert found.by_verdict == {Verdict.USABLE: 2, Verdict.REVIEW: 0, Verdict.REJECT: 1, Verdict.UNASSESSED: 1}
    assert {action: count for action, count in found.by_action.items() if count} == {
        Action.ACCEPT: 1,
        Action.EXCLUDE: 1,
    }
    assert (found.slides, found.decided, found.rescued, found.rejected) == (4, 2, 1, 1)
    assert (found.could_be_used, found.could_not_be_used) == (1, 1)
    assert (found.tissue_mm2, found.usable_mm2) == (9.0, 3.0)
    assert queries.usability(worked.engine).slides == 5


def test_days_are_days_in_utc(worked, key, ann, assessed):
    late = Store(
        worked.engine.url.render_as_string(hide_password=False), now=lambda: datetime(2030, 5, 6, 23, 59, tzinfo=UTC)
    )
    late.save("run", assessed("c"))
    late.unlock(ann, "run", "c")

    table = queries.per_day(late.engine, "run")

    assert list(table.sum()[["slides", "usable", "reject", "unassessed", "decided", "accept", "exclude", "clean"]]) == [
        *(4, 2, 1, 1),
        *(2, 1, 1, 0),
    ]
    assert table.loc["2030-05-06", "slides"] == 1
    late.close()


def test_an_empty_store_gives_empty_tables(store):
    assert queries.worklist(store.engine).empty
    assert queries.per_day(store.engine).empty
    assert queries.runs(store.engine).empty
    assert queries.usability(store.engine).slides == 0
