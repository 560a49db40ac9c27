"""One slide as the viewer shows it: the file, the artefact map over it, the places to look at."""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from qc.errors import ExchangeError, RunError, SlideError
from qc.figures.class_floors import ClassFloors
from qc.figures.glass import GlassPhoto, glass_photo
from qc.figures.marked_regions import MarkedRegion, marked_regions
from qc.geometry import Mpp, Size
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap
from qc.pipeline.slide_folder import SlideFolder
from qc.pipeline.stored import stored_maps
from qc.record import Assessed
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.slide.memory import MemorySlide
from qc.slide.protocol import Slide
from qc.slide.reader import DecodedCache, OpenSlideSlide

SHOWN_CLASSES = (*ARTEFACTS, ArtefactClass.UNASSESSED)
_HANDLE_BYTES = 4 << 20


class NotShownError(Exception):
    """A slide that cannot be shown; the sentence is for the screen and names no file."""


@dataclass(frozen=True)
class Source:
    """Where a slide of a run and its map lie, as the store says.

    Attributes:
        record: The slide's result.
        folder: Its folder in the run; None when only the store is at hand.
    """

    record: Assessed
    folder: SlideFolder | None

    @property
    def file(self) -> SlideFile:
        """The slide file, with the mpp that was believed when it was assessed."""
        mpp = Mpp(self.record.mpp) if self.record.mpp_source == "caller" else None
        return SlideFile(Path(self.record.stamp.path), mpp)


@dataclass(frozen=True)
class Heat:
    """A classifier's heat map that lies in the run: a transparent picture to be stretched over the slide."""

    name: str
    path: Path
    size: Size


class ShownSlide:
    """An open slide with its overlay; parts are read when they are first asked for, by one thread each.

    Args:
        source: The slide.
        cache: Of decoded tiles, shared with other slides.

    Raises:
        NotShownError: If the file is gone, is another one by now, or cannot be opened.
    """

    def __init__(self, source: Source, cache: DecodedCache) -> None:
        self._source, self._lock = source, threading.Lock()
        self.slide = _opened(source, cache)

    @property
    def weight_bytes(self) -> int:
        """Memory that the slide takes, about."""
        pixels = self.slide.pixels.nbytes * 4 // 3 if isinstance(self.slide, MemorySlide) else 0
        floors, _ = vars(self).get("_overlay", (None, ()))  # looks whether it was read, and does not read it
        return _HANDLE_BYTES + pixels + (floors.weight_bytes if floors is not None else 0)

    def level_size(self, level: int) -> Size | None:
        """Size of a level of the file; None when it has no such level."""
        return self.slide.levels[level].size if 0 <= level < len(self.slide.levels) else None

    @property
    def floors(self) -> ClassFloors | None:
        """The artefact map for the screen; None when it is not at hand."""
        with self._lock:
            return self._overlay[0]

    @property
    def regions(self) -> list[MarkedRegion]:
        """Places to look at, largest first."""
        with self._lock:
            return self._overlay[1]

    @property
    def heats(self) -> tuple[Heat, ...]:
        """Heat maps of classifiers behind the gate, by name; one that cannot be read is left out."""
        found = self._source.folder.heats() if self._source.folder else {}
        sized = ((name, path, _picture_size(path)) for name, path in found.items())
        return tuple(Heat(name, path, size) for name, path, size in sized if size is not None)

    @property
    def glass(self) -> GlassPhoto | None:
        """The photograph of the glass without its label, the scanned area framed; None when there is none."""
        with self._lock:
            return self._glass

    @cached_property
    def has_macro(self) -> bool:
        """True when there is a photograph that can be shown."""
        try:
            return isinstance(self.slide, OpenSlideSlide) and self.slide.macro() is not None
        except SlideError:
            return False

    def close(self) -> None:
        """Give the file back."""
        self.slide.close()

    @cached_property
    def _glass(self) -> GlassPhoto | None:
        return glass_photo(self.slide)

    @cached_property
    def _overlay(self) -> tuple[ClassFloors | None, list[MarkedRegion]]:
        artefacts = _shown_map(self._source.folder)
        if artefacts is None:
            return None, []
        return ClassFloors.of(artefacts), marked_regions(artefacts, SHOWN_CLASSES)


def _shown_map(folder: SlideFolder | None) -> ArtefactMap | None:
    """The stored map, unassessed only where tissue is; None when it is not at hand."""
    if folder is None:
        return None
    try:
        artefacts, tissue = stored_maps(folder)
    except (RunError, ExchangeError):
        return None
    is_bare = (artefacts.classes == ArtefactClass.UNASSESSED) & ~tissue.is_tissue
    classes = np.where(is_bare, np.uint8(ArtefactClass.GLASS), artefacts.classes)
    return ArtefactMap(classes, artefacts.grid)


def _picture_size(path: Path) -> Size | None:
    try:
        with Image.open(path) as picture:
            return Size(*picture.size)
    except (OSError, Image.DecompressionBombError):
        return None


def _opened(source: Source, cache: DecodedCache) -> Slide:
    file = source.file
    try:
        if fingerprint(file.path) != source.record.stamp.slide_fingerprint:
            raise NotShownError("the file is another one since it was assessed; assess it again")
        return open_slide(file, cache)
    except OSError as error:
        raise NotShownError("the file is not where it was when it was assessed") from error
    except SlideError as error:
        raise NotShownError("the file can no longer be opened") from error
