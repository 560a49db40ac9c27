"""Watching a folder: what has arrived, what has not, and a worker that lives longer than its slides."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.config.stage import StageSettings
from qc.errors import RunError
from qc.pipeline.done import Done
from qc.pipeline.folder import RunFolder
from qc.pipeline.settled import Settling, states
from qc.pipeline.watch import watch
from qc.pipeline.watch_job import Job, WatchSettings
from qc.record import Assessed, Failed, Stamp
from qc.slide.files import find_slides
from qc.store.database import Store, sqlite_url

_QC = Path(sys.executable).with_name("qc")
_PATIENCE_S = 240
RULES = AssessSettings(artefact=StageSettings(stage="rules"))
QUICK = WatchSettings(poll_s=0.1, settle_s=0.3, patience_s=1.0)


class Log:
    """Listens, and waits for what it has not heard yet."""

    def __init__(self):
        self.records, self.copies = [], []

    def finished(self, outcome):
        self.records.append(outcome.record)

    def same(self, path, slide_id):
        self.copies.append((path.name, slide_id))

    def missing(self, folder):
        pass


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


@contextmanager
def watching(folder, run, settings=QUICK):
    """A watcher in a thread of its own, told to stop at the end; its worker is a process."""
    log, stop, failures = Log(), threading.Event(), []

    def work():
        try:
            watch(Job(folder, run, RULES, load_profile("default"), settings), log, stop.is_set)
        except BaseException as error:  # noqa: BLE001  shown by the test
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield log
    finally:
        stop.set()
        thread.join(_PATIENCE_S)
    assert failures == []
    assert not thread.is_alive()


def watch_once(folder, run, settings=QUICK):
    log = Log()
    failed = watch(Job(folder, run, RULES, load_profile("default"), settings), log, lambda: False, once=True)
    return log, failed


def wait_until(condition):
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ids(folder):
    return {file.path.name: file.slide_id for file in find_slides([folder])}


def test_a_slide_has_arrived_when_it_has_not_changed_for_long_enough(folder):
    path, settling = folder / "a.svs", Settling(settle_s=10)

    looks = []
    for now, content in ((0, b"x"), (8, b"xy"), (17, b"xy"), (18, b"xy")):
        path.write_bytes(content)
        os.utime(path, (1, 1))  # some copies keep the time of the original
        looks.append(settling.look(states([path]), now))

    assert looks == [[], [], [], [path]]


def test_a_slide_that_went_away_is_forgotten(folder):
    settling = Settling(settle_s=10)
    settling.look({folder / "a.svs": "1"}, 0)
    settling.look({}, 5)

    assert settling.look({folder / "a.svs": "1"}, 11) == []


@pytest.mark.parametrize(("slide", "companion"), [("a.mrxs", "a/Data0001.dat"), ("1.dcm", "2.dcm")])
def test_a_slide_of_many_files_changes_when_one_of_them_does(folder, slide, companion):
    (folder / slide).write_bytes(b"x")
    (folder / companion).parent.mkdir(exist_ok=True)
    (folder / companion).write_bytes(b"x")
    before = states([folder / slide])

    (folder / companion).write_bytes(b"xx")

    assert states([folder / slide]) != before


def test_what_failed_is_due_again_after_waits_that_double_and_not_for_ever(run, tmp_path):
    path, failed = (
        tmp_path / "a.svs",
        Failed(
            stamp=Stamp.unkept("a", str(tmp_path / "a.svs"), "1"), reason_code="x", reason="r", remedy="m", seconds=0
        ),
    )
    run.slide("a").write_record(failed)
    time_now = [0.0]
    done = Done(run, "1", retries=2, retry_s=100, now=lambda: time_now[0])

    told = []
    for seconds, fails in ((0, True), (99, None), (101, True), (300, None), (302, True), (9999, None)):
        time_now[0] = seconds
        told.append(done.has(path, "state"))
        if fails:
            done.add(path, "state", "a", has_failed=True)
    done.write()
    again = Done(run, "1", retries=2, retry_s=100, now=lambda: time_now[0])

    assert told == [False, True, False, True, False, True]
    assert again.has(path, "state")
    again.retry_failed()
    assert not again.has(path, "state")
    assert not done.has(path, "another state")


def test_failed_slides_are_tried_again_when_asked_to(folder, run):
    (folder / "junk.svs").write_bytes(b"no slide")
    patient = QUICK.model_copy(update={"patience_s": 0.0})

    first, _ = watch_once(folder, run, patient)
    second, _ = watch_once(folder, run, patient)
    third, failed = watch_once(folder, run, patient.model_copy(update={"retry_failed": True}))

    assert [len(log.records) for log in (first, second, third)] == [1, 0, 1]
    assert failed == 1


def test_slides_are_taken_whole_and_once_and_what_never_opens_becomes_a_row(folder, run, small_tiff):
    content = small_tiff.read_bytes()
    below = folder / "2026" / "rack 7"
    below.mkdir(parents=True)
    with watching(folder, run) as log:
        (below / "growing.tiff").write_bytes(content[: len(content) // 2])  # its directory lies at the end
        time.sleep(0.6)
        with (below / "growing.tiff").open("ab") as file:
            file.write(content[len(content) // 2 :])
        wait_until(lambda: log.records)
        (folder / "copy.tiff").write_bytes(content)
        (folder / "junk.svs").write_bytes(b"no slide")
        wait_until(lambda: len(log.records) == 2 and log.copies)

    by_name = {Path(record.stamp.path).name: record for record in log.records}
    assert isinstance(by_name["growing.tiff"], Assessed)
    assert isinstance(by_name["junk.svs"], Failed)
    assert log.copies == [("copy.tiff", ids(folder)["growing.tiff"])]
    assert len(run.csv.read_text().splitlines()) == 3  # the tables are made at the end
    store = Store(sqlite_url(run.store))
    assert [record.stamp for record in store.records(run.read_note().run_id)] == [one.stamp for one in run.records()]
    store.close()


def test_looking_once_again_assesses_nothing_again_but_what_was_thrown_away(folder, run, small_tiff):
    shutil.copy(small_tiff, folder / "a.tiff")
    (folder / "junk.svs").write_bytes(b"no slide")
    os.utime(folder / "junk.svs", (1, 1))
    first, failed = watch_once(folder, run)
    (record,) = first.records
    again, failed_again = watch_once(folder, run)
    (run.root / ".watched.json").unlink()
    without_notes, _ = watch_once(folder, run)
    run.slide(record.stamp.slide_id).record_json.unlink()
    thrown_away, _ = watch_once(folder, run)

    assert (failed, failed_again) == (0, 0)  # junk may still be on its way
    assert [len(log.records) for log in (first, again, without_notes, thrown_away)] == [1, 0, 0, 1]


def test_a_slide_over_which_the_worker_dies_is_a_row_and_the_next_is_assessed(folder, run, small_tiff):
    me = psutil.Process()
    with watching(folder, run) as log:
        shutil.copy(small_tiff, folder / "deadly.tiff")
        wait_until(lambda: (run.slide(ids(folder)["deadly.tiff"]).root).parent.parent.exists() and workers_of(me))
        for worker in workers_of(me):
            worker.kill()
        wait_until(lambda: log.records)
        (folder / "next.tiff").write_bytes(small_tiff.read_bytes() + b" ")
        wait_until(lambda: len(log.records) == 2)

    assert [record.kind for record in log.records] == ["failed", "assessed"]
    assert "died" in log.records[0].reason


def test_a_folder_that_is_not_there_is_one_sentence(run, tmp_path):
    with pytest.raises(RunError, match="is no folder"):
        watch(Job(tmp_path / "none", run, RULES, load_profile("default")), Log(), lambda: False)


@pytest.fixture
def started(folder, tmp_path):
    """Starts `qc watch` in a process group of its own; ends what is left of it."""
    (tmp_path / "rules.toml").write_text('[artefact]\nstage = "rules"\n')
    processes = []

    def start(*options):
        command = [_QC, "watch", folder, "--out", tmp_path / "run", "--settings", tmp_path / "rules.toml", *options]
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_sigterm_to_the_whole_group_lets_the_slide_in_hand_be_finished(folder, run, started, small_tiff):
    for i in range(3):
        (folder / f"{i}.tiff").write_bytes(small_tiff.read_bytes() + b" " * i)
    process = started("--every", "0.1", "--settle", "0.2")
    wait_until(lambda: workers_of(psutil.Process(process.pid)))

    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=_PATIENCE_S)

    assert process.returncode == 0, err.decode()
    assert err == b""
    records = run.records()
    assert [record.kind for record in records] == ["assessed"]
    assert records[0].stamp.slide_id in out.decode()
    assert run.csv.exists()
    assert not list(run.root.rglob(".partial-*"))


def workers_of(process):
    return [child for child in process.children() if "spawn_main" in " ".join(child.cmdline())]
