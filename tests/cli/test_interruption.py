"""Runs as a shell starts them, killed and interrupted in the middle."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.pipeline.folder import RunFolder
from qc.pipeline.run import assess_many
from qc.slide.files import find_slides

_QC = Path(sys.executable).with_name("qc")
_PATIENCE_S = 60
_SLIDES = 4


class Silent:
    """Watches a run and says nothing."""

    def tiles(self, slide_id, done, total):
        pass

    def finished(self, outcome):
        pass


@pytest.fixture
def slides(small_tiff, tmp_path):
    folder = tmp_path / "slides"
    folder.mkdir()
    for i in range(_SLIDES):
        shutil.copy(small_tiff, folder / f"{i}.tiff")
    return folder


@pytest.fixture
def started(slides, tmp_path):
    """Starts `qc assess` in a process group of its own; ends what is left of it."""
    processes = []

    def start(*options):
        command = [_QC, "assess", slides, "--out", tmp_path / "run", *options]
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until(condition):
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def go_on(slides, run):
    """The run as the command would go on with it, in this process."""
    return assess_many(find_slides([slides]), run, AssessSettings(), load_profile("default"), Silent())


def done(run):
    return {path: path.stat().st_mtime_ns for path in run.root.glob("slides/*/record.json")}


def test_a_killed_run_goes_on_where_it_stopped(slides, started, tmp_path):
    run = RunFolder(tmp_path / "run")
    process = started()
    wait_until(lambda: done(run))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = done(run)

    records = go_on(slides, run)

    assert 1 <= len(before) < _SLIDES
    assert [record.kind for record in records] == ["assessed"] * _SLIDES
    after = done(run)
    assert len(after) == _SLIDES
    assert {path: after[path] for path in before} == before
    assert not list(run.root.rglob(".partial-*"))


def test_a_killed_run_leaves_no_worker_behind(started, tmp_path):
    run = RunFolder(tmp_path / "run")
    process = started("--jobs", "2")
    wait_until(lambda: len(workers_of(process.pid)) == 2 and run.note.exists())
    workers = workers_of(process.pid)

    process.kill()

    _, alive = psutil.wait_procs(workers, timeout=_PATIENCE_S)
    assert alive == []


def workers_of(pid):
    return [child for child in psutil.Process(pid).children() if "spawn_main" in " ".join(child.cmdline())]


def test_ctrl_c_while_workers_still_start_ends_with_130_and_few_words(started, tmp_path):
    process = started("--jobs", "2")
    wait_until(lambda: len(workers_of(process.pid)) == 2)

    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=_PATIENCE_S)

    assert process.returncode == 130, err.decode()
    assert f"0 of {_SLIDES} slides are done" in err.decode()
    assert "Traceback" not in err.decode(), err.decode()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_with_130_says_how_far_it_came_and_can_be_gone_on_with(slides, started, tmp_path, jobs):
    run = RunFolder(tmp_path / "run")
    process = started("--jobs", jobs)
    wait_until(lambda: done(run))

    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=_PATIENCE_S)

    finished = len(done(run))
    assert process.returncode == 130, err.decode()
    assert f"{finished} of {_SLIDES} slides are done" in err.decode()
    assert "Traceback" not in err.decode(), err.decode()
    assert run.csv.exists()
    assert [record.kind for record in go_on(slides, run)] == ["assessed"] * _SLIDES


def test_a_second_process_may_not_write_the_same_run(started, tmp_path):
    with RunFolder(tmp_path / "run").locked():
        second = started()
        _, err = second.communicate()

    assert second.returncode == 2
    assert "another process is writing" in err.decode()
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
