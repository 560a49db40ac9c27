"""What a watcher of a folder is told: where slides come from, how they are assessed, who hears of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import Field

from qc.config.assess import AssessSettings
from qc.config.base import Settings
from qc.config.profile import Profile
from qc.geometry import Mpp
from qc.pipeline.file import Outcome
from qc.pipeline.folder import RunFolder


class WatchSettings(Settings):
    """How a folder is watched."""

    poll_s: float = Field(default=10.0, gt=0, le=3600, description="Time between two looks, seconds.")
    settle_s: float = Field(
        default=30.0, ge=0, le=86400, description="A slide that has not changed for so long has arrived, seconds."
    )
    patience_s: float = Field(
        default=600.0, ge=0, le=604800, description="A slide that does not open becomes a row after so long, seconds."
    )
    retries: int = Field(default=3, ge=0, le=100, description="How often a slide that failed is tried again.")
    retry_s: float = Field(
        default=900.0, ge=0, le=604800, description="Wait before the first further try, seconds; doubled each time."
    )
    retry_failed: bool = Field(default=False, description="Try all slides again that have failed, once, at the start.")


class Listener(Protocol):
    """Told what a watcher does."""

    def finished(self, outcome: Outcome) -> None:
        """A slide is done."""
        ...

    def same(self, path: Path, slide_id: str) -> None:
        """A file holds what a slide of the run holds already; nothing is done."""
        ...

    def missing(self, folder: Path) -> None:
        """The folder is not there just now."""
        ...


@dataclass(frozen=True)
class Job:
    """What a watcher does with a slide.

    Attributes:
        folder: Folder that slides are dropped into, with all below it.
        run: Where results go.
        settings: How to assess.
        profile: Limits of the verdict.
        watch: How to watch.
        mpp: The caller's micrometres per pixel for every slide.
        store_url: Database for the records; a SQLite file in the run folder by default.
    """

    folder: Path
    run: RunFolder
    settings: AssessSettings
    profile: Profile
    watch: WatchSettings = field(default_factory=WatchSettings)
    mpp: Mpp | None = None
    store_url: str | None = None
