"""The store that a command is told of: a run folder, a SQLite file or a database URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qc.errors import RunError
from qc.store.database import Store, sqlite_url


@contextmanager
def opened(name: str) -> Iterator[Store]:
    """The store, closed when the block ends.

    Raises:
        RunError: If there is none.
    """
    store = Store(name if "://" in name else sqlite_url(_existing(Path(name))))
    try:
        yield store
    finally:
        store.close()


def _existing(path: Path) -> Path:
    """The SQLite file; a wrong path shall not make an empty store."""
    path = path / "store.sqlite" if path.is_dir() else path
    if not path.is_file():
        raise RunError(f"{path} is no store", "name a run folder, a SQLite file or a database URL")
    return path
