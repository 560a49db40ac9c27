"""Writing files so that a killed process leaves either the old file or the new one, never half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qc.errors import RunError

PARTIAL_PREFIX = ".partial-"
"""Begins the names of files being written; one that stays behind was left by a killed process."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The temporary name keeps the suffix, because writers choose their format by it.

    Raises:
        RunError: If the file cannot be written.
    """
    partial: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=PARTIAL_PREFIX, suffix=path.suffix)
        os.close(handle)
        partial = Path(name)
        yield partial
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> RunError:
    """The error to raise when the operating system refuses to write `path`."""
    reason = error.strerror or error
    return RunError(f"{path} cannot be written ({reason})", "check space and permissions, then run again")


def write_text(path: Path, text: str) -> None:
    """Write text atomically, UTF-8."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
