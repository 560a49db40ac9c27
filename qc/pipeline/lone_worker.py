"""One worker process that assesses slide after slide. What kills it costs one slide, not the watcher."""

import multiprocessing
import signal
import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

import cv2

from qc.pipeline.child import end_with_parent, signals_held_back
from qc.pipeline.file import Outcome, Task, assess_file, given_up

_SLIDES_PER_PROCESS = 100
_NAP_S = 0.2


class LoneWorker:
    """Assesses one slide at a time in a process of its own, which is replaced now and then, and when it dies.

    The process ignores SIGINT and SIGTERM, which a terminal or service manager sends to whole groups, and ends with
    the one that started it.
    """

    def __init__(self) -> None:
        self._pool = _pool()
        self._slides = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in list((self._pool._processes or {}).values()):  # no public way to end a hung worker
            if kind is not None:
                process.kill()
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def assess(self, task: Task) -> Outcome:
        """Assess one slide; when the process dies over it, that is the slide's failure.

        Raises:
            RunError: If the run folder cannot be written.
        """
        if self._slides >= _SLIDES_PER_PROCESS:  # what leaks in libraries below us stays bounded
            self._replace()
        self._slides += 1
        started = time.perf_counter()
        try:
            with signals_held_back(signal.SIGINT, signal.SIGTERM):  # the process starts here
                future: Future[Outcome] = self._pool.submit(assess_file, task)
            while not wait([future], timeout=_NAP_S).done:
                pass  # short naps let signal handlers run
            return future.result()
        except BrokenProcessPool:
            self._replace()
            return given_up(task, time.perf_counter() - started)

    def _replace(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._slides = _pool(), 0


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_start)


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(1)
    end_with_parent()
