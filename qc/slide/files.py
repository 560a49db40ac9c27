"""Slide files: finding them, opening them, and telling them apart.

In: paths as a person types them. Out: one `SlideFile` per slide, in a stable order.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qc.errors import QCError
from qc.geometry import Mpp
from qc.slide import flat, reader
from qc.slide.protocol import Slide

SLIDE_SUFFIXES = (
    frozenset({".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".dcm", ".czi"}) | flat.SUFFIXES
)
RUN_NOTE = "run.json"
"""File that marks a run folder."""
_SAMPLE_BYTES = 1 << 20
_SAMPLES = 16


@dataclass(frozen=True)
class SlideFile:
    """A file that should be a slide.

    Attributes:
        path: Absolute path.
        mpp: The caller's mpp, which wins over the header; None means "as the header says".
    """

    path: Path
    mpp: Mpp | None = None

    @property
    def slide_id(self) -> str:
        """Name for folders and tables: the file's stem and eight hexadecimal digits of its whole path.

        Two files with one name in two folders get two ids.
        """
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", self.path.stem).lstrip("-.")[:80] or "slide"
        return f"{stem}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]}"


def find_slides(
    paths: Iterable[Path], mpp: Mpp | None = None, mpp_table: dict[str, Mpp] | None = None
) -> list[SlideFile]:
    """Slides under `paths`, each once: files as given, folders searched for known suffixes.

    Of a DICOM series spread over several files only the first is kept; OpenSlide finds the others.

    Args:
        paths: Files and folders.
        mpp: Micrometres per level-0 pixel for every slide.
        mpp_table: The same for single slides, by path, file name or stem; wins over `mpp`.

    Raises:
        QCError: If a path does not exist, nothing is found, or `mpp_table` names a slide that is not there.
    """
    table = mpp_table or {}
    found: list[SlideFile] = []
    unused = set(table)
    for path in dict.fromkeys(_files(paths)):
        key = next((key for key in (str(path), path.name, path.stem) if key in table), None)
        found.append(SlideFile(path, table[key] if key else mpp))
        unused.discard(key or "")
    if not found:
        raise QCError("no slide files found", f"supported suffixes are {' '.join(sorted(SLIDE_SUFFIXES))}")
    if unused:
        raise QCError(f"the mpp table names {sorted(unused)[0]}, which is none of the slides", "correct or remove it")
    return list(_one_per_series(found))


def open_slide(file: SlideFile, cache: reader.DecodedCache | None = None) -> Slide:
    """Open a slide through OpenSlide, or as a plain image when OpenSlide does not know the file.

    Args:
        file: The file, and the caller's mpp.
        cache: Of decoded tiles, shared with other slides; by default the slide has its own.

    Raises:
        SlideError: The subclass says what is wrong with the file.
    """
    is_image = file.path.suffix.lower() in flat.SUFFIXES
    if is_image and reader.detect_format(file.path) is None:
        return flat.open_image(file.path, file.mpp)
    return reader.OpenSlideSlide(file.path, file.mpp, cache)


def fingerprint(path: Path) -> str:
    """SHA-256 over the file's length and sixteen samples of 1 MiB spread evenly over it, first and last included.

    Files up to 16 MiB are hashed whole; larger ones are told apart in milliseconds instead of minutes, so a change
    between the samples of a larger file goes unseen. Of the other files of a MIRAX or DICOM slide name, length and
    time of change are hashed.
    """
    length = path.stat().st_size
    digest = hashlib.sha256(length.to_bytes(8, "big"))
    for companion in companions(path):
        status = companion.stat()
        digest.update(f"{companion.name} {status.st_size} {status.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    if length <= _SAMPLES * _SAMPLE_BYTES:
        digest.update(path.read_bytes())
        return digest.hexdigest()
    with path.open("rb") as file:
        for i in range(_SAMPLES):
            file.seek(i * (length - _SAMPLE_BYTES) // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def companions(path: Path) -> list[Path]:
    """Files beside a slide file that hold its pixels."""
    if path.suffix.lower() == ".mrxs":
        return sorted(file for file in path.with_suffix("").glob("*") if file.is_file())
    if path.suffix.lower() == ".dcm":
        return sorted(file for file in path.parent.glob("*.dcm") if file != path)
    return []


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(slide_paths(path))
        elif path.exists():
            yield path.resolve()
        else:
            raise QCError(f"{path} does not exist", "check the path")


def slide_paths(folder: Path) -> Iterator[Path]:
    """Files in a folder and below that should be slides; the pictures in run folders are ours and none."""
    for parent, folders, names in os.walk(folder):
        if RUN_NOTE in names:
            folders.clear()
            continue
        yield from (child.resolve() for name in names if _looks_like_slide(child := Path(parent, name)))


def _looks_like_slide(path: Path) -> bool:
    return path.suffix.lower() in SLIDE_SUFFIXES and not path.name.startswith(".")


def _one_per_series(files: list[SlideFile]) -> Iterator[SlideFile]:
    seen: set[str] = set()
    for file in files:
        series = reader.series_of(file.path) if file.path.suffix.lower() == ".dcm" else ""
        if series and series in seen:
            continue
        seen.add(series)
        yield file
