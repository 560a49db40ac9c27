"""Where the dashboard's results lie: the environment in, a run folder and an open store out."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qc.errors import RunError
from qc.pipeline.folder import RunFolder
from qc.store.database import Store, sqlite_url

RUN_VARIABLE = "QC_RUN"
STORE_VARIABLE = "QC_STORE"
DEFAULT_RUN = Path("demo") / "run"


@dataclass(frozen=True)
class Sources:
    """Results to show.

    Attributes:
        folder: Run folder with maps and pictures; need not exist when the store lies elsewhere.
        store_url: SQLAlchemy URL of the store.
    """

    folder: RunFolder
    store_url: str

    @classmethod
    def from_environment(cls) -> "Sources":
        """`QC_RUN`, a run folder, and `QC_STORE`, a database URL; by default the demonstration."""
        folder = RunFolder(Path(os.environ.get(RUN_VARIABLE) or DEFAULT_RUN))
        return cls(folder, os.environ.get(STORE_VARIABLE) or sqlite_url(folder.store))

    def open_store(self) -> Store:
        """The store, opened once for the whole process.

        Raises:
            RunError: If there is none, or it cannot be used.
        """
        if self.store_url == sqlite_url(self.folder.store) and not self.folder.store.is_file():
            raise RunError(f"{self.folder.root} holds no results", "make some with `qc demo` or `qc assess`")
        return _opened(self.store_url)

    def run_id(self) -> str:
        """Id of the folder's run; empty when the folder holds none."""
        return self.folder.read_note().run_id if self.folder.note.is_file() else ""


@cache
def _opened(store_url: str) -> Store:
    return Store(store_url)
