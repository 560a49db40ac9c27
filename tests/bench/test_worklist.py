"""The made-up store is what a worklist reads, and the report says when a goal is missed."""

import pytest

from qc.bench.many_slides import RUN_ID, fill
from qc.bench.worklist import Timed
from qc.bench.worklist_report import worklist_markdown
from qc.store import queries
from qc.store.database import Store, sqlite_url


def test_the_made_up_store_holds_a_worklist_and_records_that_can_be_read(tmp_path):
    store = Store(sqlite_url(tmp_path / "store.sqlite"))

    fill(store, 120)

    table = queries.worklist(store.engine, RUN_ID)
    assert len(set(table["slide_id"])) == 120
    assert {str(verdict) for verdict in table["verdict"]} == {"reject", "review", "usable"}
    record = store.record(RUN_ID, "slide-000007")
    assert record is not None
    assert record.stamp.slide_id == "slide-000007"
    assert store.verify().is_whole
    store.close()


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0.40 s at most, met"), (1.4, "1.40 s at most, missed")])
def test_the_report_holds_filters_and_searches_to_the_goal(seconds, said):
    timed = [Timed("first visit", (9.0,)), Timed("open again", (3.0, 1.0, 2.0)), Timed("filter", (seconds,) * 3)]

    text = worklist_markdown(timed, 10_000, 0.5, "qc bench worklist")

    assert said in text
    assert "included: 2.00 s" in text
    assert "10,000 made-up results" in text
