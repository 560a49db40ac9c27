"""A dashboard in a process of its own, to be measured. In: a run folder. Out: address, tokens, peak memory."""

import multiprocessing
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from qc.errors import RunError
from qc.pipeline.folder import RunFolder, open_run
from qc.record import Assessed
from qc.store.people import Actor, Role

_HOST = "127.0.0.1"
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Served:
    """A running dashboard.

    Attributes:
        port: Where it listens on this machine.
        tokens: Slides that may be looked at, and their tokens.
        pipe: To the process.
    """

    port: int
    tokens: dict[str, str]
    pipe: "Connection[str, float]"

    def connect(self) -> HTTPConnection:
        """A connection that stays open, like a browser's."""
        return HTTPConnection(_HOST, self.port, timeout=120)

    def peak_mib(self) -> float:
        """Most memory that the process has taken until now, MiB."""
        self.pipe.send("peak")
        return self.pipe.recv()


@contextmanager
def served(run: Path) -> Iterator[Served]:
    """The dashboard on a run, with every assessed slide admitted, while the block runs.

    Raises:
        RunError: If there is no run, it has no assessed slide, or the server does not start.
    """
    folder, port = open_run(run), _free_port()
    slides = [record for record in folder.records() if isinstance(record, Assessed)]
    if not slides:
        raise RunError(f"{run} holds no assessed slide", "choose another run")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder.root.resolve(), port, theirs), daemon=True)
    process.start()
    try:
        tokens = ours.recv() if ours.poll(_START_SECONDS) else {}
        one = Served(port, tokens, ours)
        _wait(one)
        yield one
    finally:
        process.terminate()
        process.join()
        ours.close()
        theirs.close()


def _serve(root: Path, port: int, pipe: "Connection[Any, str]") -> None:
    """What the process does: the very server of `qc dashboard`."""
    from qc.dashboard.serve import serve
    from qc.dashboard.sources import RUN_VARIABLE
    from qc.dashboard.tiles import Source, tile_server

    os.environ[RUN_VARIABLE] = str(root)
    folder, actor = RunFolder(root), Actor(subject="bench", name="bench", role=Role.TECHNICIAN)
    slides = [record for record in folder.records() if isinstance(record, Assessed)]
    sources = {record.stamp.slide_id: Source(record, folder.slide(record.stamp.slide_id)) for record in slides}
    server = tile_server()
    pipe.send({slide_id: server.admit("bench", source, actor) for slide_id, source in sources.items()})
    threading.Thread(target=_tell_memory, args=(pipe,), daemon=True).start()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        serve(_HOST, port)


def _tell_memory(pipe: "Connection[Any, str]") -> None:
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    while pipe.recv():
        pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def _wait(one: Served) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            with closing(one.connect()) as connection:
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RunError("the dashboard did not start", "try `qc dashboard`, which shows why")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return one.getsockname()[1]
