import json
import os
import shutil
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.config.sanity import SanitySettings
from qc.errors import RunError
from qc.exchange.rasters import read_artefact_map
from qc.geometry import Mpp
from qc.labels import Verdict
from qc.pipeline.folder import RunFolder, open_run
from qc.pipeline.run import assess_many
from qc.record import Assessed, Failed
from qc.slide.files import SlideFile
from qc.store.database import Store, sqlite_url


@dataclass
class Notes:
    """Writes down what a run says about itself."""

    outcomes: list = field(default_factory=list)
    counts: list = field(default_factory=list)

    def tiles(self, slide_id, done, total):
        self.counts.append((slide_id, done, total))

    def finished(self, outcome):
        self.outcomes.append(outcome)

    @property
    def was_there(self):
        return {outcome.record.stamp.slide_id: outcome.was_there for outcome in self.outcomes}


@pytest.fixture
def files(small_tiff, tmp_path):
    """Two good slides of one name in two folders, and one that is none."""
    paths = [tmp_path / "in" / folder / "small.tiff" for folder in "ab"]
    for path in paths:
        path.parent.mkdir(parents=True)
        shutil.copy(small_tiff, path)
    paths.append(tmp_path / "in" / "broken.svs")
    paths[-1].write_text("no slide")
    return [SlideFile(path) for path in paths]


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "out" / "run")


def assess(files, run, settings=None, profile="default", **options) -> tuple[list[Any], Notes]:
    notes = Notes()
    records = assess_many(files, run, settings or AssessSettings(), load_profile(profile), notes, **options)
    return records, notes


def comparable(record):
    return repr(record.model_copy(update={"seconds": 0.0}))


def files_below(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_one_bad_slide_is_a_row_and_the_others_are_done(files, run):
    records, notes = assess(files, run)

    assert [type(record) for record in records] == [Assessed, Assessed, Failed]
    assert records[2].verdict is Verdict.UNASSESSED
    assert records[2].reason_code == "unopenable"
    assert "broken.svs" in records[2].reason
    assert records[2].remedy
    assert len(notes.outcomes) == 3
    assert {done for _, done, _ in notes.counts} == set(range(1, notes.counts[0][2] + 1))


def test_slides_of_one_name_in_two_folders_get_results_of_their_own(files, run):
    records, _ = assess(files[:2], run)

    assert len({record.stamp.slide_id for record in records}) == 2
    assert [record.stamp.path for record in records] == [str(file.path) for file in files[:2]]
    assert len(list(run.root.glob("slides/*/record.json"))) == 2


def test_folder_tables_and_store_tell_the_same(files, run):
    records, _ = assess(files, run)

    by_id = sorted(records, key=lambda record: record.stamp.slide_id)
    store = Store(sqlite_url(run.store))
    assert repr(store.records(run.read_note().run_id)) == repr(by_id) == repr(run.records())
    store.close()
    for table in (pd.read_csv(run.csv), pd.read_parquet(run.parquet)):
        assert table["verdict"].tolist() == [str(record.verdict) for record in by_id]
    slide = run.slide(records[0].stamp.slide_id)
    for path in (slide.overview, slide.overlay, slide.artefacts, slide.tissue, slide.geojson):
        assert path.stat().st_size > 100
    assert read_artefact_map(slide.artefacts).grid.cell_mpp == records[0].map_mpp


def test_nothing_partial_stays_behind(files, run):
    assess(files, run)

    assert [name for name in files_below(run.root) if ".partial-" in name] == []


def test_a_second_run_uses_what_is_done_and_tries_what_failed_again(files, run):
    first, _ = assess(files, run)
    before = files_below(run.root / "slides")

    second, notes = assess(files, run)

    assert list(notes.was_there.values()) == [True, True, False]
    after = files_below(run.root / "slides")
    failed = f"{second[2].stamp.slide_id}/record.json"
    assert {name for name in before if before[name] != after[name]} == {failed}
    assert [comparable(record) for record in second] == [comparable(record) for record in first]


def test_changed_content_is_assessed_again(files, run, draw, write_pyramid):
    first, _ = assess(files[:2], run)
    write_pyramid(files[0].path, draw(1000, 900, 5))

    second, notes = assess(files[:2], run)

    assert [notes.was_there[record.stamp.slide_id] for record in second] == [False, True]
    assert second[0].stamp.slide_fingerprint != first[0].stamp.slide_fingerprint


def test_another_mpp_for_a_slide_is_assessed_again(files, run):
    assess(files[:2], run)

    second, notes = assess([SlideFile(files[0].path, Mpp(0.9)), files[1]], run)

    assert [notes.was_there[record.stamp.slide_id] for record in second] == [False, True]
    assert (second[0].mpp, second[0].mpp_source) == (0.9, "caller")


def test_a_record_cut_in_half_is_made_again(files, run):
    first, _ = assess(files[:1], run)
    path = run.slide(first[0].stamp.slide_id).record_json
    path.write_bytes(path.read_bytes()[:200])

    second, notes = assess(files[:1], run)

    assert list(notes.was_there.values()) == [False]
    assert comparable(second[0]) == comparable(first[0])


def test_other_settings_or_another_profile_do_not_mix_with_a_run(files, run):
    assess(files[:1], run)

    with pytest.raises(RunError, match="other settings"):
        assess(files[:1], run, settings=AssessSettings(sanity=SanitySettings(mpp_max=4.0)))  # type: ignore[call-arg]
    with pytest.raises(RunError, match="other settings"):
        assess(files[:1], run, profile="smear")


def test_a_folder_with_other_things_in_it_is_left_alone(files, run):
    run.root.mkdir(parents=True)
    (run.root / "thesis.docx").write_text("important")

    with pytest.raises(RunError, match="not empty"):
        assess(files, run)

    assert set(files_below(run.root)) <= {"thesis.docx", ".lock"}


def test_an_out_that_is_a_file_is_one_sentence(files, tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(RunError, match="choose another --out"):
        assess(files, RunFolder(tmp_path / "file"))


def test_a_run_killed_before_its_note_was_written_is_gone_on_with(files, run):
    run.root.mkdir(parents=True)
    (run.root / ".lock").touch()
    (run.root / ".partial-abc.json").write_text('{"run_')

    assess(files[:1], run)

    assert not list(run.root.glob(".partial-*"))


def test_a_slide_killed_in_the_middle_leaves_nothing_stale(files, run):
    folder = run.slide(files[0].slide_id)
    assess(files[1:2], run)
    folder.root.mkdir(parents=True)
    for name in (".partial-x.png", "artefacts.png", "overview.jpg"):
        (folder.root / name).write_text("half")

    assess(files[:2], run)

    assert not list(run.root.rglob(".partial-*"))
    assert read_artefact_map(folder.artefacts).classes.any()


def test_a_slide_that_failed_at_last_keeps_no_pictures_of_its_better_days(files, run):
    first, _ = assess(files[:1], run)
    files[0].path.write_text("overwritten")

    second, _ = assess(files[:1], run)

    assert isinstance(second[0], Failed)
    folder = run.slide(first[0].stamp.slide_id)
    assert [path.name for path in folder.root.iterdir()] == ["record.json"]


def test_a_slide_that_vanished_is_a_row(files, run):
    files[0].path.unlink()

    records, _ = assess(files[:2], run)

    assert [type(record) for record in records] == [Failed, Assessed]
    assert records[0].remedy


def test_a_file_name_that_is_no_utf8_is_assessed_like_any_other(small_tiff, tmp_path, run):
    path = tmp_path / os.fsdecode(b"h\xe9patite.tiff")
    shutil.copy(small_tiff, path)

    records, _ = assess([SlideFile(path)], run)

    assert isinstance(records[0], Assessed)
    assert run.records() == records


def test_two_jobs_give_the_same_records_as_one(files, run, tmp_path):
    with_mpp = [SlideFile(files[0].path, Mpp(0.95)), *files[1:]]

    one, _ = assess(with_mpp, run)
    two, notes = assess(with_mpp, RunFolder(tmp_path / "two"), jobs=2)

    assert [comparable(record) for record in two] == [comparable(record) for record in one]
    assert len(notes.outcomes) == 3
    for record in one[:2]:
        maps = [
            read_artefact_map(each.slide(record.stamp.slide_id).artefacts).classes
            for each in (run, RunFolder(tmp_path / "two"))
        ]
        assert np.array_equal(maps[0], maps[1])


def test_a_store_that_cannot_be_reached_stops_before_any_work(files, run):
    with pytest.raises(RunError, match="cannot be used"):
        assess(files, run, store_url="sqlite:////no/such/folder/store.sqlite")

    assert not (run.root / "slides").exists()


@pytest.mark.parametrize("name", ["nothing", "."])
def test_a_folder_that_holds_no_run_is_not_shown_as_an_empty_one(tmp_path, name):
    with pytest.raises(RunError, match="holds no run"):
        open_run(tmp_path / name)


def test_a_run_folder_that_cannot_be_written_is_the_runs_failure_not_the_slides(tmp_path, small_tiff):
    run, file = RunFolder(tmp_path / "run"), SlideFile(small_tiff)
    with run.locked():
        run.begin(AssessSettings(), load_profile("default"), "0")
    (run.root / "slides").mkdir()
    (run.root / "slides" / file.slide_id).write_text("a file where the slide's folder should be")

    with pytest.raises(RunError, match="cannot be written"):
        assess_many([file], run, AssessSettings(), load_profile("default"))


def test_every_file_of_a_slide_says_where_it_comes_from(tmp_path, small_tiff):
    run, file = RunFolder(tmp_path / "run"), SlideFile(small_tiff)

    (record,) = assess_many([file], run, AssessSettings(), load_profile("default"))

    folder = run.slide(file.slide_id)
    stamp = record.stamp.model_dump(exclude={"path"})
    with Image.open(folder.artefacts) as artefacts, Image.open(folder.overlay) as overlay:
        assert json.loads(artefacts.info["slidegate"])["stamp"] == stamp
        assert json.loads(overlay.info["comment"]) == stamp
    assert json.loads(folder.geojson.read_text())["slidegate"] == stamp
