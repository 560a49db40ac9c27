import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from qc.errors import RunError
from qc.labels import Verdict
from qc.record import ClassCoverage
from qc.store.database import Store, sqlite_url
from qc.store.schema import CoverageRow, Slide


def begin(store, run_id="run"):
    store.begin_run(run_id, "s" * 64, "0.1.0", "default", "{}")


def test_records_come_back_as_they_were_nan_included(store, assessed, failed):
    begin(store)
    nothing = ClassCoverage(share=math.nan, area_mm2=0)
    untold = assessed("c", coverage=dict.fromkeys(assessed().coverage, nothing))
    records = [assessed("a"), failed("b"), untold]

    for record in reversed(records):
        store.save("run", record)

    assert repr(store.records("run")) == repr(records)


def test_a_second_result_takes_the_place_of_the_first_and_of_its_coverages(store, assessed, failed):
    begin(store)

    for record in (assessed("a"), assessed("a", tissue_mm2=9.0), failed("a"), assessed("a", tissue_mm2=5.0)):
        store.save("run", record)

    with Session(store.engine) as session:
        assert session.scalar(select(func.count()).select_from(Slide)) == 1
        assert session.scalar(select(func.count()).select_from(CoverageRow)) == 7
        assert session.scalar(select(Slide.tissue_mm2)) == 5.0


def test_a_database_with_other_tables_of_our_names_is_refused_in_one_sentence(tmp_path):
    url = sqlite_url(tmp_path / "other.sqlite")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE slides (id INTEGER PRIMARY KEY, title TEXT)"))
    engine.dispose()

    with pytest.raises(RunError, match="no table of a store"):
        Store(url)


def test_what_could_not_be_computed_is_null_and_never_zero(store, assessed, failed):
    begin(store)

    store.save("run", assessed("a"))
    store.save("run", failed("b"))

    with Session(store.engine) as session:
        assert session.scalars(select(Slide.focus_score)).all() == [None, None]
        assert session.scalars(select(Slide.tissue_mm2).order_by(Slide.slide_id)).all() == [3.0, None]


def test_runs_are_kept_apart_and_a_known_run_is_not_begun_twice(store, assessed, failed):
    begin(store, "one")
    begin(store, "two")
    begin(store, "one")

    store.save("one", assessed("a"))
    store.save("two", failed("a"))

    assert store.runs() == ["one", "two"]
    assert store.records("one")[0].verdict is Verdict.USABLE
    assert store.records("two")[0].verdict is Verdict.UNASSESSED
    assert store.records("three") == []


def test_a_result_of_an_unknown_run_is_refused_whole(store, assessed):
    with pytest.raises(RunError):
        store.save("never begun", assessed())

    with Session(store.engine) as session:
        assert session.scalar(select(func.count()).select_from(CoverageRow)) == 0


def test_threads_may_write_at_the_same_time(store, assessed):
    begin(store)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: store.save("run", assessed(f"slide-{i % 6}")), range(24)))

    assert [record.stamp.slide_id for record in store.records("run")] == [f"slide-{i}" for i in range(6)]


def test_a_longest_possible_slide_id_and_profile_name_fit(store, assessed):
    store.begin_run("r" * 32, "s" * 64, "0.1.0", "p" * 80, "{}")
    store.save("r" * 32, assessed("x" * 89))

    assert store.records("r" * 32)[0].stamp.slide_id == "x" * 89


def test_a_store_opened_again_holds_what_was_saved(tmp_path, failed):
    url = sqlite_url(tmp_path / "store.sqlite")
    first = Store(url)
    begin(first)
    first.save("run", failed())
    first.close()

    second = Store(url)

    assert second.records("run") == [failed()]
    second.close()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "oracle9://x",
        "sqlite:////no/such/folder/a.sqlite",
        "postgresql+psycopg2://me:secret@localhost/none",
        "postgresql+psycopg://me:secret@127.0.0.1:1/none?password=secret",
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence_without_a_password(url):
    with pytest.raises(RunError) as caught:
        Store(url)

    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "a.sqlite").write_text("no database at all, but long enough to be looked at")

    with pytest.raises(RunError, match=r"a\.sqlite"):
        Store(sqlite_url(tmp_path / "a.sqlite"))
