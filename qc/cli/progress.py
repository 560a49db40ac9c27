"""Progress bars on standard error: one for the run, one for each slide being read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from qc.pipeline.file import Outcome


class RunProgress:
    """Watches a run; see `qc.pipeline.run.Watcher`.

    Args:
        slides: Slides in the run.
    """

    def __init__(self, slides: int) -> None:
        self._progress = _bars()
        self._run = self._progress.add_task("slides", total=slides)
        self._slides: dict[str, TaskID] = {}
        self._finished: set[str] = set()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tiles(self, slide_id: str, done: int, total: int) -> None:
        """Some tiles of a slide are done."""
        if slide_id in self._finished:
            return  # tiles come by another way than slides and may be late
        if slide_id not in self._slides:
            self._slides[slide_id] = self._progress.add_task(f"  {slide_id[:48]}", total=total)
        self._progress.update(self._slides[slide_id], completed=done)

    def finished(self, outcome: Outcome) -> None:
        """A slide is done."""
        self._finished.add(outcome.record.stamp.slide_id)
        task = self._slides.pop(outcome.record.stamp.slide_id, None)
        if task is not None:
            self._progress.remove_task(task)
        self._progress.advance(self._run)


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[], None]]:
    """One bar for `total` things; yields what to call after each."""
    with _bars() as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


@contextmanager
def portion(what: str) -> Iterator[Callable[[int, int], None]]:
    """One bar whose length is known only as it goes; yields what to call with things done and things in all."""
    with _bars() as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
