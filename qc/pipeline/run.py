"""Many slide files in, a run folder out. One slide's failure is a row; a killed run goes on where it stopped."""

import os
from collections.abc import Sequence
from typing import Protocol

from qc.config.assess import AssessSettings
from qc.config.profile import Profile
from qc.pipeline.file import Outcome, Task, TileWatcher
from qc.pipeline.folder import RunFolder
from qc.pipeline.interrupts import uninterrupted
from qc.pipeline.outputs import write_summary
from qc.pipeline.workers import outcomes
from qc.record import Assessed, Failed
from qc.slide.files import SlideFile
from qc.version import __version__


class Silent:
    """A watcher that says nothing."""

    def tiles(self, slide_id: str, done: int, total: int) -> None:
        """See `TileWatcher`."""

    def finished(self, outcome: Outcome) -> None:
        """See `Watcher`."""


class Watcher(TileWatcher, Protocol):
    """Told what happens during a run; progress bars are one."""

    def finished(self, outcome: Outcome) -> None:
        """A slide is done."""
        ...


def assess_many(
    files: Sequence[SlideFile],
    run: RunFolder,
    settings: AssessSettings,
    profile: Profile,
    watcher: Watcher | None = None,
    jobs: int = 1,
    store_url: str | None = None,
) -> list[Assessed | Failed]:
    """Assess slides into a run folder; finished ones are not done again.

    Args:
        files: The slides.
        run: Where results go.
        settings: How to assess.
        profile: Limits of the verdict.
        watcher: Told about progress, if anyone is to be.
        jobs: Slides assessed at once, each in its own process when more than one.
        store_url: Database for the records; a SQLite file in the run folder by default.

    Returns:
        The records of `files`, in their order.

    Raises:
        RunError: If the run folder or the store cannot be used, or a worker process died.
    """
    watcher = watcher or Silent()
    with run.locked():
        note = run.begin(settings, profile, __version__)
        store = run.open_store(store_url)
        store.begin_run(note.run_id, note.settings_fingerprint, __version__, profile.name, settings.model_dump_json())
        threads = max(1, (os.cpu_count() or 1) // jobs)
        tasks = [Task(file, run.slide(file.slide_id), settings, profile, threads) for file in files]
        records: dict[str, Assessed | Failed] = {}
        try:
            for outcome in outcomes(tasks, jobs, watcher):
                records[outcome.record.stamp.slide_id] = outcome.record
                with uninterrupted():
                    store.save(note.run_id, outcome.record)
                watcher.finished(outcome)
        finally:
            with uninterrupted():
                write_summary(run)
                store.close()
    return [records[file.slide_id] for file in files]
