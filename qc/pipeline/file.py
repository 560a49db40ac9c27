"""One slide file into its folder: found finished, assessed, or failed with a reason.

A bad slide never raises; a run folder that cannot be written does.
"""

import logging
import os
import time
from dataclasses import dataclass
from typing import Protocol

from qc.artefact.choose import artefact_stage, networks_in_force
from qc.config.assess import AssessSettings, settings_fingerprint
from qc.config.profile import Profile
from qc.errors import RunError, SlideError, WeightsError
from qc.pipeline.assess import assess_slide
from qc.pipeline.outputs import write_outputs
from qc.pipeline.slide_folder import SlideFolder
from qc.record import Assessed, Failed, Stamp
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.version import __version__

_log = logging.getLogger(__name__)


class TileWatcher(Protocol):
    """Told about tiles as they are done."""

    def tiles(self, slide_id: str, done: int, total: int) -> None:
        """Some tiles of a slide are done."""
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


def assess_file(task: Task, watcher: TileWatcher | None = None) -> Outcome:
    """Assess one file into its folder, or find that this was done already; a failure becomes a record."""
    started = time.perf_counter()
    stamp = _stamp(task, "")
    try:
        stamp = _stamp(task, fingerprint(task.file.path))
        done = task.folder.finished(stamp)
        return Outcome(done, was_there=True) if done else Outcome(_assess(task, stamp, watcher), was_there=False)
    except SlideError as error:
        failed = _failed(stamp, error.reason, error.message, error.hint, started)
    except (RunError, WeightsError):
        raise  # the run's disk, store or network, not this slide
    except OSError as error:
        failed = _failed(stamp, "unreadable", f"{task.file.path.name}: {error.strerror or error}", "check it", started)
    except Exception as error:  # noqa: BLE001  the boundary where one slide's defect must not stop the others
        _log.exception("defect while assessing %s", stamp.slide_id)
        message = f"{task.file.path.name} met a defect of the software ({error.__class__.__name__}: {error})"
        failed = _failed(stamp, "internal_error", message, "report it with the log", started)
    return _kept(task, failed)


def given_up(task: Task, seconds: float) -> Outcome:
    """The failure of a slide over which its process died, as a damaged file or want of memory make one."""
    message = f"the process that assessed {task.file.path.name} died"
    try:
        content = fingerprint(task.file.path)
    except OSError:
        content = ""
    stamp, remedy = _stamp(task, content), "check the file, and the machine's memory"
    failed = Failed(stamp=stamp, reason_code="internal_error", reason=message, remedy=remedy, seconds=seconds)
    return _kept(task, failed)


def stamp_of(task: Task) -> Stamp:
    """What a result of this file with these settings is stamped with.

    Raises:
        OSError: If the file cannot be read.
    """
    return _stamp(task, fingerprint(task.file.path))


def _assess(task: Task, stamp: Stamp, watcher: TileWatcher | None) -> Assessed:
    slide = open_slide(task.file)
    try:
        assessment = assess_slide(
            slide,
            stamp,
            task.settings,
            task.profile,
            artefact_stage(task.settings),
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
        settings_fingerprint=settings_fingerprint(
            task.settings, task.profile, task.file.mpp, networks_in_force(task.settings)
        ),
        software_version=__version__,
    )


def _kept(task: Task, failed: Failed) -> Outcome:
    """The failure instead of whatever lay in the slide's folder."""
    task.folder.clear()
    task.folder.write_record(failed)
    return Outcome(failed, was_there=False)


def _failed(stamp: Stamp, code: str, message: str, hint: str, started: float) -> Failed:
    seconds = time.perf_counter() - started
    return Failed(stamp=stamp, reason_code=code, reason=message, remedy=hint, seconds=seconds)
