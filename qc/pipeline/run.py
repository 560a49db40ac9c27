"""Many slide files in, a run folder out. One slide's failure is a row; a killed run goes on where it stopped."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Protocol

import cv2

from qc import __version__
from qc.artefact.classical.stage import ClassicalStage
from qc.config.assess import AssessSettings, settings_fingerprint
from qc.config.profile import Profile
from qc.errors import RunError, SlideError
from qc.pipeline.assess import assess_slide
from qc.pipeline.folder import RunFolder, SlideFolder
from qc.pipeline.outputs import write_outputs, write_summary
from qc.record import Assessed, Failed, Stamp
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.store.database import Store, sqlite_url

_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Told what happens during a run; progress bars are one."""

    def tiles(self, slide_id: str, done: int, total: int) -> None:
        """Some tiles of a slide are done."""
        ...

    def finished(self, outcome: "Outcome") -> None:
        """A slide is done."""
        ...


@dataclass(frozen=True)
class Outcome:
    """A slide's record, and whether it was there already."""

    record: Assessed | Failed
    was_there: bool


@dataclass(frozen=True)
class Task:
    """All that a worker needs to assess one file."""

    file: SlideFile
    folder: SlideFolder
    settings: AssessSettings
    profile: Profile
    threads: int


def assess_many(
    files: Sequence[SlideFile],
    run: RunFolder,
    settings: AssessSettings,
    profile: Profile,
    watcher: Watcher,
    jobs: int = 1,
    store_url: str | None = None,
) -> list[Assessed | Failed]:
    """Assess slides into a run folder; finished ones are not done again.

    Args:
        files: The slides.
        run: Where results go.
        settings: How to assess.
        profile: Limits of the verdict.
        watcher: Told about progress.
        jobs: Slides assessed at once, each in its own process when more than one.
        store_url: Database for the records; a SQLite file in the run folder by default.

    Returns:
        The records of `files`, in their order.

    Raises:
        RunError: If the run folder or the store cannot be used, or a worker process died.
    """
    with run.locked():
        note = run.begin(settings, profile, __version__)
        store = Store(store_url or sqlite_url(run.store))
        store.begin_run(note.run_id, note.settings_fingerprint, __version__, profile.name, settings.model_dump_json())
        threads = max(1, (os.cpu_count() or 1) // jobs)
        tasks = [Task(file, run.slide(file.slide_id), settings, profile, threads) for file in files]
        records: dict[str, Assessed | Failed] = {}
        try:
            for outcome in _outcomes(tasks, jobs, watcher):
                records[outcome.record.stamp.slide_id] = outcome.record
                store.save(note.run_id, outcome.record)
                watcher.finished(outcome)
        finally:
            write_summary(run)
            store.close()
    return [records[file.slide_id] for file in files]


def assess_file(task: Task, watcher: Watcher | None = None) -> Outcome:
    """Assess one file into its folder, or find that this was done already; a failure becomes a record."""
    started = time.perf_counter()
    stamp = _stamp(task, "")
    try:
        stamp = _stamp(task, fingerprint(task.file.path))
        done = task.folder.finished(stamp)
        return Outcome(done, was_there=True) if done else Outcome(_assess(task, stamp, watcher), was_there=False)
    except SlideError as error:
        failed = _failed(stamp, error.reason, error.message, error.hint, started)
    except OSError as error:
        failed = _failed(stamp, "unreadable", f"{task.file.path.name}: {error.strerror or error}", "check it", started)
    except Exception as error:  # noqa: BLE001  the boundary where one slide's defect must not stop the others
        _log.exception("defect while assessing %s", stamp.slide_id)
        message = f"{task.file.path.name} met a defect of the software ({error.__class__.__name__}: {error})"
        failed = _failed(stamp, "internal_error", message, "report it with the log", started)
    task.folder.clear()
    task.folder.write_record(failed)
    return Outcome(failed, was_there=False)


def _assess(task: Task, stamp: Stamp, watcher: Watcher | None) -> Assessed:
    slide = open_slide(task.file)
    try:
        assessment = assess_slide(
            slide,
            stamp,
            task.settings,
            task.profile,
            ClassicalStage(task.settings.classical),
            task.threads,
            lambda done, total: watcher.tiles(stamp.slide_id, done, total) if watcher else None,
        )
    finally:
        slide.close()
    write_outputs(assessment, task.folder)
    return assessment.record


def _stamp(task: Task, slide_fingerprint: str) -> Stamp:
    return Stamp(
        slide_id=task.file.slide_id,
        path=os.fsencode(task.file.path).decode("utf-8", "replace"),  # JSON and databases hold nothing but UTF-8
        slide_fingerprint=slide_fingerprint,
        settings_fingerprint=settings_fingerprint(task.settings, task.profile, task.file.mpp),
        software_version=__version__,
    )


def _failed(stamp: Stamp, code: str, message: str, hint: str, started: float) -> Failed:
    seconds = time.perf_counter() - started
    return Failed(stamp=stamp, reason_code=code, reason=message, remedy=hint, seconds=seconds)


def _outcomes(tasks: Sequence[Task], jobs: int, watcher: Watcher) -> Iterator[Outcome]:
    """Outcomes as they come."""
    if jobs == 1:
        cv2.setNumThreads(1)  # tiles are the unit of parallel work
        for task in tasks:
            yield assess_file(task, watcher)
        return
    context = get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_start_worker)
    try:
        with _interrupts_held_back():  # worker processes start here
            futures: list[Future[Outcome]] = [pool.submit(assess_file, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise RunError("a worker process died, perhaps for want of memory", "run again with fewer --jobs") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Child processes inherit that SIGINT waits, so that one in the middle of its imports does not die talking."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    """Ctrl-C ends a worker at once; what it was writing is not finished and will be done again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed run must leave no worker that goes on writing beside the next one."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def run_folder(path: Path) -> RunFolder:
    """The run folder at `path`, which must hold a run.

    Raises:
        RunError: If it holds none.
    """
    run = RunFolder(path)
    run.read_note()
    return run
