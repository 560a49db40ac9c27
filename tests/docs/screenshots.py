"""Pictures of the dashboard for docs/: pages of a made-up month, and Review on a run folder.

`screenshots.py RUN` writes docs/images/dashboard-*.png; RUN is a run with maps, such as demo/run.
`--all FOLDER` writes every page at 1280 and 1920 px, light and dark, for people who want to look.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PAGES = ("", "queues", "performance", "cohort", "trends", "audit", "settings")
OF_RUN = ("review", "reports")
SHOWN = ("", "performance", "cohort", "trends")
WAIT_MS = 120_000
_SETTLED = """() => !document.querySelector('[data-testid=stSkeleton]') && !document.querySelector('[data-stale=true]')
  && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'running'"""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="run folder for Review")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write every page here instead, in four looks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store_url = _month(Path(folder))
        with _served(Path(folder), QC_STORE=store_url) as month, _served(ROOT, QC_RUN=str(given.run.resolve())) as run:
            if given.all:
                looks = [(width, scheme) for width in (1280, 1920) for scheme in ("light", "dark")]
                for width, scheme in looks:
                    _shoot(month, PAGES, width, scheme, given.all, f"{width}-{scheme}-")
                    _shoot(run, OF_RUN, width, scheme, given.all, f"{width}-{scheme}-")
            else:
                _shoot(month, SHOWN, 1280, "light", IMAGES, "dashboard-")
                _shoot(run, ("review",), 1280, "light", IMAGES, "dashboard-")


def _month(folder: Path) -> str:
    """A store with a made-up month; its URL."""
    sys.path.insert(0, str(ROOT / "tests" / "dashboard"))
    month = import_module("month")

    from qc.dashboard.attributes import setting_name
    from qc.store.database import Store, sqlite_url
    from qc.store.people import Actor, Role

    url = sqlite_url(folder / "store.sqlite")
    store, made = Store(url), month.made_up(900)
    month.fill(store, made)
    boss = Actor(subject="boss", name="L. Brandt", role=Role.QC_MANAGER)
    store.save_setting(boss, setting_name(month.RUN), month.cohort_csv(made), note="from the LIS")
    month.decide(store, [one for i, one in enumerate(made[:820]) if i % 3])
    month.decide(store, made[1:60])  # a second look by another person
    store.close()
    return url


@contextmanager
def _served(cwd: Path, **environment: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = f"from qc.dashboard.serve import serve; serve('127.0.0.1', {port})"
    process = subprocess.Popen([sys.executable, "-c", program], cwd=cwd, env={**os.environ, **environment})
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _shoot(address: str, pages: tuple[str, ...], width: int, scheme: str, folder: Path, prefix: str) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width < 1500 else 1080},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        for name in pages:
            page.goto(f"{address}/{name}")
            page.wait_for_selector("[data-testid=stMainBlockContainer] [data-testid=stElementContainer]")
            page.wait_for_timeout(2500)
            page.wait_for_function(_SETTLED)
            page.wait_for_timeout(1500)
            page.screenshot(path=folder / f"{prefix}{name or 'worklist'}.png")
        browser.close()


if __name__ == "__main__":
    main()
