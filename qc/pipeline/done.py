"""What a watcher has done, so that a restart reads no slide again. In and out: a small file in the run folder.

It only spares time: an entry counts while the slide's files look as they did and its record is there.
"""

import json
from pathlib import Path

from qc.files import write_text
from qc.pipeline.folder import RunFolder
from qc.pipeline.settled import State

DONE_NOTE = ".watched.json"


class Done:
    """Slides that need nothing more, by path: their state, and whose record holds their result.

    Args:
        run: The run.
        version: Version of the software; results of another one are made again.
    """

    def __init__(self, run: RunFolder, version: str) -> None:
        self._run, self._version = run, version
        self._path = run.root / DONE_NOTE
        self._entries: dict[str, tuple[State, str]] = self._read()
        self._is_changed = False

    def has(self, path: Path, state: State) -> bool:
        """True when the slide at `path` looks as it did when it was done, and its record is still there."""
        known = self._entries.get(str(path))
        return known is not None and known[0] == state and self._run.slide(known[1]).record_json.is_file()

    def add(self, path: Path, state: State, record_id: str) -> None:
        """Note a slide and the id of the record that holds its result."""
        self._entries[str(path)] = (state, record_id)
        self._is_changed = True

    def write(self) -> None:
        """Keep it for the next start."""
        if self._is_changed:
            write_text(self._path, json.dumps({"version": self._version, "slides": self._entries}))
            self._is_changed = False

    def _read(self) -> dict[str, tuple[State, str]]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if kept["version"] != self._version:
                return {}
            return {str(path): (str(state), str(record_id)) for path, (state, record_id) in kept["slides"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # without it every slide is read once more, and found done
