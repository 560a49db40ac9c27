"""Processes that tests of the browser need: started, waited for, ended."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
WAIT_MS = 150_000


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def dashboard_command(port: int) -> list[str]:
    """What starts the dashboard."""
    return [sys.executable, "-c", f"from qc.dashboard.serve import serve; serve('127.0.0.1', {port})"]


@contextmanager
def dashboard(folder: Path, **environment: str) -> Iterator[str]:
    """The dashboard in a process of its own; its address."""
    port = free_port()
    with process(dashboard_command(port), f"http://127.0.0.1:{port}/_stcore/health", folder, **environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(arguments: list[str], ready_url: str, cwd: Path, **environment: str) -> Iterator[None]:
    """A process that answers at an address, ended with the block."""
    with (cwd / "log.txt").open("w") as log:
        started = subprocess.Popen(
            arguments, cwd=cwd, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(ready_url, timeout=5).close()
                break
            except OSError:
                assert started.poll() is None, (cwd / "log.txt").read_text()
                time.sleep(1)
        yield
    finally:
        started.terminate()
        started.wait(20)
