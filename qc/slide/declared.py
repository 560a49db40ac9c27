"""What a source declares, found in a folder. In: its globs and expressions. Out: files with their slides' names."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

from qc.errors import SettingsError


class Declared(Protocol):
    """A source in a TOML file."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def files(self) -> str:
        """Glob under a folder."""
        ...

    @property
    def slide(self) -> str:
        """Regular expression whose first group, searched in a file's path, names its slide."""
        ...

    @property
    def without(self) -> Collection[str]:
        """Slides to leave out."""
        ...

    @property
    def licence(self) -> str:
        """Of the pixels."""
        ...

    @property
    def use(self) -> str:
        """`evaluate` where nothing that is published may be made of it."""
        ...


def check_use(source: Declared, throw_away: bool) -> None:
    """Make sure that weights which are published learn from nothing that may only be measured on.

    Args:
        source: What is to be trained on.
        throw_away: True for weights that are never published.

    Raises:
        SettingsError: If the source may not be used.
    """
    if source.use == "evaluate" and not throw_away:
        raise SettingsError(
            f"source {source.name} ({source.licence}) may be measured on, but not trained on",
            "leave it out, or train weights to be thrown away",
        )


def declared_files(source: Declared, root: Path) -> list[Path]:
    """Files of a source, in order.

    Raises:
        SettingsError: If there are none.
    """
    files = sorted(path for path in root.glob(source.files) if path.is_file())
    if not files:
        raise SettingsError(f"source {source.name}: no files {source.files} in {root}", "check `files` and the folder")
    return files


def named_files(source: Declared, root: Path, only: Collection[str] = ()) -> Iterator[tuple[Path, str]]:
    """Files of a source with the names of their slides, without those that are left out.

    Args:
        source: What is declared.
        root: Folder that its glob starts from.
        only: Slides to take; empty takes all.

    Raises:
        SettingsError: If there are no files, or a path names no slide.
    """
    for path in declared_files(source, root):
        slide = name_in(path, source.slide, source, root)
        if (not only or slide in only) and slide not in source.without:
            yield path, slide


def name_in(path: Path, pattern: str, source: Declared, root: Path) -> str:
    """What the first group of an expression finds in a file's path under a folder.

    Raises:
        SettingsError: If it does not match.
    """
    found = re.search(pattern, path.relative_to(root).as_posix())
    if found is None:
        raise SettingsError(f"source {source.name}: {pattern} does not match {path}", "correct the expression")
    return found[1]
