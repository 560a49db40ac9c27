"""Assessing several files at once, each in a worker process; or one after the other in this one."""

import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from multiprocessing.queues import Queue
from typing import Any

import cv2

from qc.errors import RunError
from qc.pipeline.child import end_with_parent, signals_held_back
from qc.pipeline.file import Outcome, Task, TileWatcher, assess_file

Tiles = tuple[str, int, int]
"""Slide id, tiles done, tiles in all."""


def outcomes(tasks: Sequence[Task], jobs: int, watcher: TileWatcher) -> Iterator[Outcome]:
    """Outcomes as they come.

    Raises:
        RunError: If a worker process died.
    """
    if jobs == 1:
        yield from _one_by_one(tasks, watcher)
        return
    context = get_context("spawn")
    queue: Queue[Tiles | None] = context.Queue()
    pool = ProcessPoolExecutor(jobs, context, initializer=_start_worker, initargs=(queue,))
    listener = threading.Thread(target=_listen, args=(queue, watcher), daemon=True)
    listener.start()
    others = set(active_children())
    try:
        with signals_held_back(signal.SIGINT):  # worker processes start here
            futures: list[Future[Outcome]] = [pool.submit(_assess_in_worker, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise RunError("a worker process died, perhaps for want of memory", "run again with fewer --jobs") from error
    except BaseException:
        for worker in set(active_children()) - others:
            worker.kill()  # what it was writing is not finished and will be done again
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        queue.put(None)
        queue.cancel_join_thread()  # a killed worker may have held the queue


def _one_by_one(tasks: Sequence[Task], watcher: TileWatcher) -> Iterator[Outcome]:
    """In this process; tiles are the unit of parallel work, so OpenCV's own threads rest meanwhile."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for task in tasks:
            yield assess_file(task, watcher)
    finally:
        cv2.setNumThreads(threads)


@dataclass(frozen=True)
class _QueueWatcher:
    """Passes what a worker is told on to the process that shows it."""

    queue: "Queue[Tiles | None]"

    def tiles(self, slide_id: str, done: int, total: int) -> None:
        """See `TileWatcher`."""
        self.queue.put((slide_id, done, total))


_worker: dict[str, Any] = {}
"""What a worker process was started with."""


def _assess_in_worker(task: Task) -> Outcome:
    return assess_file(task, _QueueWatcher(_worker["queue"]))


def _listen(queue: "Queue[Tiles | None]", watcher: TileWatcher) -> None:
    while (tiles := queue.get()) is not None:
        watcher.tiles(*tiles)


def _start_worker(queue: "Queue[Tiles | None]") -> None:
    """Ctrl-C ends a worker at once; what it was writing is not finished and will be done again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    cv2.setNumThreads(1)
    _worker["queue"] = queue
    end_with_parent()
