"""A folder that slides are dropped into, watched. In: settings and folder. Out: each slide once in the run folder.

A slide is taken when its files have stopped changing and it opens; what never opens becomes a row, too. The same
content with the same settings is never assessed twice, under whatever name it comes.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from qc.errors import QCError, RunError, SlideError
from qc.pipeline.done import Done
from qc.pipeline.file import Task, stamp_of
from qc.pipeline.folder import RunNote
from qc.pipeline.lone_worker import LoneWorker
from qc.pipeline.outputs import write_summary
from qc.pipeline.settled import Settling, State, states
from qc.pipeline.watch_job import Job, Listener
from qc.record import Assessed, Failed, Stamp
from qc.slide.files import SlideFile, find_slides, open_slide, slide_paths
from qc.store.database import Store
from qc.version import __version__

_SUMMARY_EVERY_S = 60.0


def watch(job: Job, listener: Listener, is_stopped: Callable[[], bool], once: bool = False) -> int:
    """Assess slides as they arrive until told to stop; the slide in hand is finished first.

    Args:
        job: What to do.
        listener: Told about each slide.
        is_stopped: Asked before each slide and many times a second between looks.
        once: Take what is there and settled, then end.

    Returns:
        Slides that failed.

    Raises:
        RunError: If the folder is missing at the start, another process writes the run, or it cannot be written.
    """
    if not job.folder.is_dir():
        raise RunError(f"{job.folder} is no folder", "name the folder that slides are dropped into")
    with job.run.locked():
        note = job.run.begin(job.settings, job.profile, __version__)
        store = job.run.open_store(job.store_url)
        try:
            store.begin_run(
                note.run_id,
                note.settings_fingerprint,
                __version__,
                job.profile.name,
                job.settings.model_dump_json(),
            )
            with LoneWorker() as worker:
                return _Watcher(job, note, store, worker, listener, is_stopped).run(once)
        finally:
            store.close()


class _Watcher:
    """The loop and what it remembers: one small entry for each slide that is there."""

    def __init__(
        self,
        job: Job,
        note: RunNote,
        store: Store,
        worker: LoneWorker,
        listener: Listener,
        is_stopped: Callable[[], bool],
    ) -> None:
        self._job, self._note, self._store, self._worker = job, note, store, worker
        self._listener, self._is_stopped = listener, is_stopped
        self._done = Done(job.run, __version__, job.watch.retries, job.watch.retry_s)
        self._settling = Settling(job.watch.settle_s)
        self._by_content: dict[tuple[str, str], str] = {}
        self._contents: dict[str, tuple[str, str]] = {}
        self._failed = 0
        self._summary_due = False
        self._summary_at = -_SUMMARY_EVERY_S

    def run(self, once: bool) -> int:
        """Look, work, rest; returns the number of slides that failed."""
        self._catch_up()
        looks = 0
        try:
            while not self._is_stopped():
                has_worked = self._look()
                looks += 1
                if once and (looks == 2 or self._has_nothing_to_wait_for()):
                    break
                if once:
                    self._rest(self._job.watch.settle_s)
                elif not has_worked:
                    self._summarise(is_forced=False)
                    self._rest(self._job.watch.poll_s)
        finally:
            self._summarise(is_forced=True)
        return self._failed

    def _catch_up(self) -> None:
        """Give the store what a killed watcher wrote into the folder only, and learn which contents are known."""
        stored = {record.stamp.slide_id: record.stamp for record in self._store.records(self._note.run_id)}
        for record in self._job.run.records():
            if not (self._job.watch.retry_failed and isinstance(record, Failed)):
                self._learn(record)
            if stored.get(record.stamp.slide_id) != record.stamp:
                self._store.save(self._note.run_id, record)
                self._summary_due = True
        if self._job.watch.retry_failed:
            self._done.retry_failed()

    def _look(self) -> bool:
        """One look at the folder; True when a slide was done."""
        if not self._job.folder.is_dir():
            self._listener.missing(self._job.folder)  # a share that is away; what is done stays known
            return False
        current = states(slide_paths(self._job.folder))
        pending = {path: state for path, state in current.items() if not self._done.has(path, state)}
        has_worked = False
        for file, state in self._arrived(pending):
            if self._is_stopped():
                break
            has_worked |= self._handle(file, state)
        if has_worked:
            self._done.write()
        return has_worked

    def _arrived(self, pending: dict[Path, State]) -> Iterable[tuple[SlideFile, State]]:
        """Slides that have settled and open, or have been given long enough; one for each DICOM series."""
        now = time.monotonic()
        settled = self._settling.look(pending, now)
        if not settled:
            return
        try:
            files = find_slides(settled, self._job.mpp)
        except QCError:
            return  # one of them has just gone; the next look tells
        first = {file.path for file in files}
        for path in settled:
            if path not in first:  # another file of a series that is taken as a whole
                self._done.add(path, pending[path], _id_of_series(path, files))
        for file in files:
            is_given_up = self._settling.still_for(file.path, now) >= self._job.watch.patience_s
            if is_given_up or _opens(file):
                yield file, pending[file.path]

    def _handle(self, file: SlideFile, state: State) -> bool:
        """Assess one slide, or find that this was done; True when it was assessed."""
        task = Task(
            file, self._job.run.slide(file.slide_id), self._job.settings, self._job.profile, os.cpu_count() or 1
        )
        try:
            stamp = stamp_of(task)
        except OSError:
            return False  # gone or locked just now; the next look tells
        known = None if self._done.is_due(file.path, state) else self._by_content.get(_content(stamp))
        if known is not None and self._job.run.slide(known).record_json.is_file():
            self._done.add(file.path, state, known)
            if known != file.slide_id:
                self._listener.same(file.path, known)
            self._done.write()
            return False
        outcome = self._worker.assess(task)
        self._store.save(self._note.run_id, outcome.record)
        self._learn(outcome.record)
        self._done.add(file.path, state, file.slide_id, isinstance(outcome.record, Failed))
        self._failed += isinstance(outcome.record, Failed)
        self._summary_due = True
        self._listener.finished(outcome)
        return True

    def _learn(self, record: Assessed | Failed) -> None:
        """A result stands for its content, unless tiles of it could not be read or nothing of it could."""
        slide_id = record.stamp.slide_id
        self._by_content.pop(self._contents.pop(slide_id, ("", "")), None)  # another file lay there before
        is_whole = not isinstance(record, Assessed) or record.tiles_unread == 0
        if is_whole and record.stamp.slide_fingerprint and record.stamp.software_version == __version__:
            self._contents[slide_id] = _content(record.stamp)
            self._by_content[_content(record.stamp)] = slide_id

    def _has_nothing_to_wait_for(self) -> bool:
        """Nothing is pending, or all that is has settled: what does not open then is for the next call."""
        now = time.monotonic()
        settle_s = self._job.watch.settle_s
        return all(self._settling.still_for(path, now) >= settle_s for path in self._settling.paths)

    def _summarise(self, is_forced: bool) -> None:
        """Write tables and contact sheet, not after every slide of a rush."""
        now = time.monotonic()
        if self._summary_due and (is_forced or now - self._summary_at >= _SUMMARY_EVERY_S):
            write_summary(self._job.run)
            self._summary_due, self._summary_at = False, now
        self._done.write()

    def _rest(self, seconds: float) -> None:
        """Wait for the next look, and hear within a moment that it is time to stop."""
        end = time.monotonic() + seconds
        while not self._is_stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))


def _content(stamp: Stamp) -> tuple[str, str]:
    return stamp.slide_fingerprint, stamp.settings_fingerprint


def _opens(file: SlideFile) -> bool:
    try:
        open_slide(file).close()
    except (SlideError, OSError):
        return False
    return True


def _id_of_series(path: Path, files: Iterable[SlideFile]) -> str:
    """The slide that a further DICOM file belongs to: one of its folder."""
    return next((file.slide_id for file in files if file.path.parent == path.parent), SlideFile(path).slide_id)
