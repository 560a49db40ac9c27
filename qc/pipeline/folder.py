"""The run folder: one place that knows what lies where, and what a finished slide looks like.

RUN/run.json                  settings, profile, fingerprint
RUN/slides.csv .parquet       one row per slide
RUN/store.sqlite              the same in a database
RUN/slides/<slide id>/        record.json, overview.jpg, overlay.jpg, artefacts.png, tissue.png, artefacts.geojson
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
from qc.files import PARTIAL_PREFIX, cannot_write, write_text
from qc.record import Assessed, Failed, Stamp, from_json, to_json
from qc.slide.files import RUN_NOTE
from qc.store.database import Store, sqlite_url

_HEAT = "heat-"


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

    def slide(self, slide_id: str) -> "SlideFolder":
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


@dataclass(frozen=True)
class SlideFolder:
    """Paths of one slide's results."""

    root: Path

    @property
    def record_json(self) -> Path:
        """The record; written last, so its presence means that all files are complete."""
        return self.root / "record.json"

    @property
    def overview(self) -> Path:
        """The slide as scanned."""
        return self.root / "overview.jpg"

    @property
    def overlay(self) -> Path:
        """The slide with artefacts, legend and scale bar."""
        return self.root / "overlay.jpg"

    @property
    def artefacts(self) -> Path:
        """The artefact map."""
        return self.root / "artefacts.png"

    @property
    def tissue(self) -> Path:
        """The tissue mask; runs of early versions have none."""
        return self.root / "tissue.png"

    @property
    def geojson(self) -> Path:
        """The artefact map as annotations for QuPath."""
        return self.root / "artefacts.geojson"

    def heat(self, name: str) -> Path:
        """A classifier's heat map: a transparent picture that the dashboard stretches over the whole slide."""
        return self.root / f"{_HEAT}{name}.png"

    def heats(self) -> dict[str, Path]:
        """Heat maps that lie here, by name."""
        return {path.stem.removeprefix(_HEAT): path for path in sorted(self.root.glob(f"{_HEAT}*.png"))}

    def record(self) -> Assessed | Failed | None:
        """The record, or None when there is none that can be read."""
        try:
            return from_json(self.record_json.read_bytes())
        except (OSError, ValueError):
            return None

    def finished(self, stamp: Stamp) -> Assessed | None:
        """The record of an assessment of this very content with these very settings, if complete."""
        record = self.record()
        is_whole = isinstance(record, Assessed) and record.stamp == stamp and record.tiles_unread == 0
        return record if isinstance(record, Assessed) and is_whole else None

    def write_record(self, record: Assessed | Failed) -> None:
        """Write the record."""
        write_text(self.record_json, to_json(record))

    def clear(self) -> None:
        """Remove what an earlier or killed attempt left behind, the record first.

        Raises:
            RunError: If it cannot be removed.
        """
        try:
            self.record_json.unlink(missing_ok=True)
            for path in self.root.glob("*"):
                if path.is_file():
                    path.unlink()
        except OSError as error:
            raise cannot_write(self.root, error) from error


def open_run(path: Path) -> RunFolder:
    """The run folder at `path`, which must hold a run.

    Raises:
        RunError: If it holds none.
    """
    run = RunFolder(path)
    run.read_note()
    return run
