"""Which slide files have arrived whole. In: what a folder holds at each look. Out: slides that stopped changing.

A file that is still being copied grows, or its time of change moves, or a companion of it does. Times are seconds of
any clock that only goes forward.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from qc.slide.files import companions

State = str
"""Names, lengths and times of change of a slide's files, hashed."""


def states(paths: Iterable[Path]) -> dict[Path, State]:
    """State of each slide's files; slides that vanish meanwhile are left out.

    All files of a DICOM folder belong together, so the folder is looked at once.
    """
    of_folder: dict[Path, State] = {}
    found: dict[Path, State] = {}
    for path in paths:
        try:
            if path.suffix.lower() == ".dcm":
                if path.parent not in of_folder:
                    of_folder[path.parent] = _state([path, *companions(path)])
                found[path] = of_folder[path.parent]
            else:
                found[path] = _state([path, *companions(path)])
        except OSError:
            continue
    return found


class Settling:
    """Remembers since when each slide has looked as it does now.

    Args:
        settle_s: A slide that has not changed for so long has arrived.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen: dict[Path, tuple[State, float]] = {}

    def look(self, current: Mapping[Path, State], now: float) -> list[Path]:
        """Slides that have arrived, in the order in which they settled; those that are gone are forgotten.

        Args:
            current: State of each slide that is there and not done yet.
            now: Time of the look.
        """
        self._seen = {
            path: known if (known := self._seen.get(path)) and known[0] == state else (state, now)
            for path, state in current.items()
        }
        arrived = [path for path, (_, since) in self._seen.items() if now - since >= self._settle_s]
        return sorted(arrived, key=lambda path: (self._seen[path][1], path))

    def still_for(self, path: Path, now: float) -> float:
        """How long a slide has not changed, seconds; 0 when it is not known."""
        return now - self._seen[path][1] if path in self._seen else 0.0

    @property
    def paths(self) -> tuple[Path, ...]:
        """Slides that are not done yet."""
        return tuple(self._seen)


def _state(paths: Iterable[Path]) -> State:
    digest = hashlib.sha256()
    for path in sorted(paths):
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]
