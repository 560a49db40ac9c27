"""The run folder: one place that knows what lies where.

RUN/run.json                  settings, profile, fingerprint
RUN/slides.csv .parquet       one row per slide
RUN/store.sqlite              the same in a database
RUN/contact-sheet.jpg         the worst slides
RUN/slides/<slide id>/        see `qc.pipeline.slide_folder`
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
from pydantic import Field, ValidationError

from qc.artefact.choose import networks_in_force
from qc.config.assess import AssessSettings, settings_fingerprint
from qc.config.base import Settings
from qc.config.profile import Profile
from qc.errors import RunError
from qc.files import PARTIAL_PREFIX, write_text
from qc.pipeline.slide_folder import SlideFolder
from qc.record import Assessed, Failed
from qc.slide.files import RUN_NOTE
from qc.store.database import Store, sqlite_url


class RunNote(Settings):
    """Contents of run.json."""

    run_id: str = Field(description="Random id of the run, the same in every store.")
    settings_fingerprint: str = Field(description="SHA-256 over settings and profile.")
    software_version: str = Field(description="Version that began the run.")
    settings: AssessSettings = Field(description="All settings in force.")
    profile: Profile = Field(description="The verdict profile in force.")


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run; `root` need not exist yet."""

    root: Path

    @property
    def note(self) -> Path:
        """Settings and profile of the run."""
        return self.root / RUN_NOTE

    @property
    def store(self) -> Path:
        """SQLite database."""
        return self.root / "store.sqlite"

    @property
    def csv(self) -> Path:
        """Table for people and spreadsheets."""
        return self.root / "slides.csv"

    @property
    def parquet(self) -> Path:
        """Table for programs."""
        return self.root / "slides.parquet"

    @property
    def contact_sheet(self) -> Path:
        """The worst slides on one sheet."""
        return self.root / "contact-sheet.jpg"

    def open_store(self, store_url: str | None = None) -> Store:
        """The database of the run: the one at `store_url`, or the SQLite file in the folder.

        Raises:
            RunError: If it cannot be used.
        """
        return Store(store_url or sqlite_url(self.store))

    def slide(self, slide_id: str) -> SlideFolder:
        """Folder of one slide."""
        return SlideFolder(self.root / "slides" / slide_id)

    def records(self) -> list[Assessed | Failed]:
        """All records in the folder, by slide id; an unreadable one is left out and made again by the next run."""
        found = (SlideFolder(path).record() for path in sorted(self.root.glob("slides/*")))
        return [record for record in found if record is not None]

    def begin(self, settings: AssessSettings, profile: Profile, version: str) -> RunNote:
        """Start the run, or go on with it when settings and profile are the same.

        Raises:
            RunError: If the folder holds a run made with others, or something that is no run.
        """
        for path in self.root.glob(f"{PARTIAL_PREFIX}*"):  # of a killed process: whoever holds the lock is alone
            path.unlink()
        fingerprint = settings_fingerprint(settings, profile, networks=networks_in_force(settings))
        if self.note.exists():
            known = self.read_note()
            if known.settings_fingerprint != fingerprint:
                raise RunError(f"{self.root} holds a run with other settings or profile", "choose another --out")
            return known
        if any(not path.name.startswith(".") for path in self.root.iterdir()):
            raise RunError(f"{self.root} is not empty and holds no run", "choose another --out")
        note = RunNote(
            run_id=uuid.uuid4().hex,
            settings_fingerprint=fingerprint,
            software_version=version,
            settings=settings,
            profile=profile,
        )
        write_text(self.note, note.model_dump_json(indent=2))
        return note

    def read_note(self) -> RunNote:
        """Settings and profile of the run.

        Raises:
            RunError: If the folder holds no readable run.json.
        """
        try:
            return RunNote.model_validate(json.loads(self.note.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            raise RunError(f"{self.root} holds no run that this version can read", "check the path") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing the same run.

        Raises:
            RunError: If another process is writing it, or the folder cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.root} cannot be made ({error.strerror})", "choose another --out") from error
        try:
            with filelock.FileLock(self.root / ".lock", timeout=0):
                yield
        except filelock.Timeout as error:
            raise RunError(f"another process is writing {self.root}", "wait for it or choose another --out") from error


def open_run(path: Path) -> RunFolder:
    """The run folder at `path`, which must hold a run.

    Raises:
        RunError: If it holds none.
    """
    run = RunFolder(path)
    run.read_note()
    return run
