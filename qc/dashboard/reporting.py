"""Reports on request, made by `qc report` in a process of its own: drawing would slow down everybody's screen."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from qc.dashboard.sources import STORE_VARIABLE
from qc.errors import RunError
from qc.pipeline.folder import RunFolder

_TIMEOUT_S = 600
_PROGRAM = f"""
import os, sys
from qc.cli import main
sys.argv = ["qc", "report", *sys.argv[1:], "--store", os.environ["{STORE_VARIABLE}"]]
main()
"""  # the store's URL may hold a password, which arguments would show to everybody on the machine


@dataclass(frozen=True)
class Wanted:
    """What to report on; empty where it does not matter.

    Attributes:
        form: `html` or `pdf`.
        slide_id: One slide.
        batch: Slides of one batch.
        since: First day.
        until: Last day, included.
        with_glass: Whether the photograph of a slide's glass may be printed.
    """

    form: str
    slide_id: str = ""
    batch: str = ""
    since: date | None = None
    until: date | None = None
    with_glass: bool = True

    @property
    def file_name(self) -> str:
        """Name for the file."""
        parts = (self.slide_id, self.batch, self.since and self.since.isoformat(), self.until and f"{self.until}")
        return f"slidegate-{'-'.join(str(part) for part in parts if part) or 'run'}.{self.form}".replace("/", "_")

    @property
    def arguments(self) -> list[str]:
        """As `qc report` takes them."""
        told = (
            ("--slide", self.slide_id),
            ("--batch", self.batch),
            ("--from", self.since),
            ("--to", self.until),
        )
        given = [f"{option}={value}" for option, value in told if value]
        return given if self.with_glass else [*given, "--no-glass"]


def make_report(run: RunFolder, store_url: str, wanted: Wanted, about_csv: str) -> bytes:
    """Make a report.

    Args:
        run: The run folder.
        store_url: Database with decisions.
        wanted: What to report on.
        about_csv: Table of the laboratory; empty for none.

    Raises:
        RunError: If it cannot be made.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, about = Path(folder) / f"report.{wanted.form}", Path(folder) / "about.csv"
        arguments = [str(run.root.resolve()), "--out", str(out), *wanted.arguments]
        if about_csv:
            about.write_text(about_csv, encoding="utf-8")
            arguments += ["--about", str(about)]
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            env={**os.environ, STORE_VARIABLE: store_url},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0 or not out.is_file():
            said = done.stderr.strip().splitlines()
            raise RunError(said[-1] if said else "the report was not written", "try `qc report` on the command line")
        return out.read_bytes()
