"""How long a large worklist takes in a real browser. In: a number of slides. Out: seconds for each thing people do.

The dashboard runs in a process of its own; times run in the browser from the click, or the address, until the table on
the screen says what was asked for.
"""

import multiprocessing
import os
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qc.bench.many_slides import fill
from qc.errors import QCError
from qc.store.database import Store, sqlite_url

_HOST = "127.0.0.1"
_START_SECONDS = 180.0
_WAIT_MS = 120_000


@dataclass(frozen=True)
class Timed:
    """Something people do, and how long it took each time, seconds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        ordered = sorted(self.seconds)
        return ordered[len(ordered) // 2]


def time_worklist(slides: int, repeats: int) -> list[Timed]:
    """Open a worklist of so many slides, filter it and search it.

    Raises:
        QCError: If there is no browser, or the dashboard does not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder) / "store.sqlite")
        with closing(Store(url)) as store:
            fill(store, slides)
        with _served(url, Path(folder)) as address, _page() as page:
            return list(_timed(page, address, slides, repeats))


def _timed(page: Any, address: str, slides: int, repeats: int) -> Iterator[Timed]:
    counted = page.get_by_text("slides, urgent ones first")

    def until(action: Callable[[], object], is_done: Callable[[str], bool]) -> float:
        before = time.perf_counter()
        action()
        counted.wait_for()
        while not is_done(counted.inner_text()):
            page.wait_for_timeout(5)
        return time.perf_counter() - before

    whole = f"{slides:,} slides"
    first = until(lambda: page.goto(address), lambda text: text.startswith(whole))
    yield Timed("first visit after the start", (first,))
    page.wait_for_load_state("networkidle")
    again = tuple(until(lambda: page.goto(address), lambda text: text.startswith(whole)) for _ in range(repeats))
    yield Timed("open the address again", again)
    page.wait_for_load_state("networkidle")
    on, off = [], []
    for _ in range(repeats):
        pill = page.get_by_role("button", name="reject", exact=False).first
        on.append(until(pill.click, lambda text: not text.startswith(whole)))
        off.append(until(pill.click, lambda text: text.startswith(whole)))
    yield Timed("filter by a verdict", tuple(on))
    yield Timed("take the filter away", tuple(off))
    box = page.get_by_placeholder("part of either")
    found, cleared = [], []
    for _ in range(repeats):
        box.fill(f"slide-{slides // 2:06d}")
        found.append(until(lambda: box.press("Enter"), lambda text: text.startswith("1 slides")))
        box.fill("")
        cleared.append(until(lambda: box.press("Enter"), lambda text: text.startswith(whole)))
    yield Timed("search one slide", tuple(found))
    yield Timed("clear the search", tuple(cleared))


@contextmanager
def _page() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise QCError("the browser cannot be driven: playwright is not installed", "uv sync") from error
    if chromium is None:
        raise QCError("there is no Chromium on this machine", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(_WAIT_MS)
        yield page
        browser.close()


@contextmanager
def _served(store_url: str, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(store_url, folder, port), daemon=True)
    process.start()
    address = f"http://{_HOST}:{port}"
    try:
        _wait(f"{address}/_stcore/health")
        yield address
    finally:
        process.terminate()
        process.join()


def _serve(store_url: str, folder: Path, port: int) -> None:
    """What the process does: the very server of `qc dashboard`."""
    from qc.dashboard.serve import serve
    from qc.dashboard.sources import RUN_VARIABLE, STORE_VARIABLE

    os.environ |= {RUN_VARIABLE: str(folder), STORE_VARIABLE: store_url}
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        serve(_HOST, port)


def _wait(url: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise QCError("the dashboard did not start", "try `qc dashboard`, which shows why")
