"""What a watcher need not look into a slide again. In and out: a small file in the run folder.

It only spares time: an entry counts while the slide's files look as they did and its record is there. A slide that
failed is due again after a while, a few times, for shares go away and come back; each wait is twice the one before.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qc.files import write_text
from qc.pipeline.folder import RunFolder
from qc.pipeline.settled import State
from qc.record import Failed

DONE_NOTE = ".watched.json"


@dataclass(frozen=True)
class Entry:
    """One slide that is done.

    Attributes:
        state: Of its files.
        record_id: Whose record holds its result.
        failures: How often it was tried and failed in this state; 0 when it did not fail.
        failed_at: When it failed last, seconds since 1970 UTC.
    """

    state: State
    record_id: str
    failures: int = 0
    failed_at: float = 0.0


class Done:
    """Slides that need nothing more, by path.

    Args:
        run: The run.
        version: Version of the software; results of another one are made again.
        retries: How often a slide that failed is tried again.
        retry_s: Wait before the first time, seconds.
        now: Tells the time, seconds since 1970 UTC.
    """

    def __init__(
        self, run: RunFolder, version: str, retries: int = 3, retry_s: float = 900, now: Callable[[], float] = time.time
    ) -> None:
        self._run, self._version = run, version
        self._retries, self._retry_s, self._now = retries, retry_s, now
        self._path = run.root / DONE_NOTE
        self._entries: dict[str, Entry] = self._read()
        self._is_changed = False

    def has(self, path: Path, state: State) -> bool:
        """True when the slide at `path` looks as it did, its record is still there, and no further try is due."""
        known = self._entries.get(str(path))
        is_same = known is not None and known.state == state and self._run.slide(known.record_id).record_json.is_file()
        return is_same and not self.is_due(path, state)

    def is_due(self, path: Path, state: State) -> bool:
        """True when the slide failed in this very state, and it is time to try again."""
        known = self._entries.get(str(path))
        if known is None or known.state != state or not 0 < known.failures <= self._retries:
            return False
        return self._now() >= known.failed_at + self._retry_s * 2 ** (known.failures - 1)

    def add(self, path: Path, state: State, record_id: str, has_failed: bool = False) -> None:
        """Note a slide and the id of the record that holds its result."""
        known = self._entries.get(str(path))
        before = known.failures if known is not None and known.state == state else 0
        failed = (before + 1, self._now()) if has_failed else (0, 0.0)
        self._entries[str(path)] = Entry(state, record_id, *failed)
        self._is_changed = True

    def retry_failed(self) -> None:
        """Make every slide due now whose record is a failure, however often it was tried."""
        for path, entry in self._entries.items():
            if isinstance(self._run.slide(entry.record_id).record(), Failed):
                self._entries[path] = Entry(entry.state, entry.record_id, 1, 0.0)
                self._is_changed = True

    def write(self) -> None:
        """Keep it for the next start."""
        if self._is_changed:
            slides = {path: tuple(vars(entry).values()) for path, entry in self._entries.items()}
            write_text(self._path, json.dumps({"version": self._version, "slides": slides}))
            self._is_changed = False

    def _read(self) -> dict[str, Entry]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if kept["version"] != self._version:
                return {}
            return {str(path): _entry(*values) for path, values in kept["slides"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # without it every slide is read once more, and found done


def _entry(state: str, record_id: str, failures: int = 0, failed_at: float = 0.0) -> Entry:
    return Entry(str(state), str(record_id), int(failures), float(failed_at))
