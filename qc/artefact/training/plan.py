"""What can be read: every tile of every declared source, with its slide, its patient and its annotated classes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from qc.artefact.cutout import Picture
from qc.artefact.training.cells import Codes, WeakLabel, clean_windows, read_codes, weak_windows
from qc.artefact.training.items import Item, items_of
from qc.config.training import SourceSpec, TrainingSources
from qc.errors import SettingsError
from qc.geometry import Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.slide.declared import check_use, declared_files


@dataclass(frozen=True)
class TileRef:
    """One tile that can be read.

    Attributes:
        item: Index into `Planned.items`.
        classes: Artefacts annotated in it.
        composable: True for clean tissue, which can be given any artefact.
        weak: What is known of the tile as a whole, where its pixels are not labelled.
        is_composed: True when what is on it was composed or, for phantoms, drawn; not met on a slide.
    """

    item: int
    window: Window
    slide: str
    patient: str
    file: str
    classes: frozenset[ArtefactClass]
    composable: bool
    weak: WeakLabel | None = None
    is_composed: bool = False

    @property
    def place(self) -> tuple[float, ...]:
        """Where on its slide it lies."""
        return self.window.x, self.window.y, self.window.width, self.window.height


@dataclass(frozen=True, eq=False)
class Planned:
    """Everything that can be read."""

    settings: TrainingSources
    items: tuple[Item, ...]
    tiles: tuple[TileRef, ...]
    cutouts: tuple[Picture, ...]


def plan_sources(
    settings: TrainingSources, root: Path, throw_away: bool = False, beside: Path | None = None
) -> Planned:
    """Look at every source once.

    Args:
        settings: The declared sources.
        root: Data folder that their paths start from.
        beside: Folder of cohort files of phantoms, and of annotations that are not under `root`; `root` by default.
        throw_away: True for weights that are never published; only these may come from sources with `use = "evaluate"`.

    Raises:
        SettingsError: If a source may not be used, finds no files, or an image is coarser than the training mpp.
        SlideError: If an image cannot be read.
    """
    items: list[Item] = []
    tiles: list[TileRef] = []
    cutouts: list[Picture] = []
    for source in settings.sources:
        check_use(source, throw_away)
        if source.kind == "cutouts":
            cutouts += _cutouts(source, root)
            continue
        codes = read_codes(source, root) if source.kind == "cells" else {}
        for item in items_of(source, root, beside or root, settings):
            tiles += _refs(len(items), item, codes.get((item.slide, item.path.stem), {}), settings)
            items.append(item)
    return Planned(settings, tuple(items), tuple(tiles), tuple(cutouts))


def _refs(index: int, item: Item, codes: Codes, settings: TrainingSources) -> Iterator[TileRef]:
    source = item.source
    if source.kind != "cells":
        yield from (
            _ref(index, item, window) for window in _windows(item, settings) if _has_tissue(item, window, settings)
        )
        return
    for window in clean_windows(codes, source, item.grid, settings.tile_px):
        if _has_tissue(item, window, settings):
            yield _ref(index, item, window)
    if source.present or source.possible:
        for window, weak in weak_windows(codes, source, item.grid, settings.tile_px):
            yield _ref(index, item, window, weak)


def _has_tissue(item: Item, window: Window, settings: TrainingSources) -> bool:
    return item.tissue.window(item.grid, window, outside=0).mean() >= settings.tissue_share_min


def _windows(item: Item, settings: TrainingSources) -> Iterator[Window]:
    """Half-overlapping tiles; the last ones end at the image's edges."""
    side, size = settings.tile_px, item.grid.size
    for y in _starts(size.height, side):
        for x in _starts(size.width, side):
            yield Window(x, y, side, side)


def _starts(length_px: int, side_px: int) -> list[int]:
    if length_px <= side_px:
        return [0]
    count = 1 + -(-(length_px - side_px) // (side_px // 2))
    return [round(index * (length_px - side_px) / (count - 1)) for index in range(count)]


def _ref(index: int, item: Item, window: Window, weak: WeakLabel | None = None) -> TileRef:
    found: NDArray[np.uint8] = np.zeros(0, np.uint8)
    if item.annotation is not None:
        found = np.unique(item.annotation.window(item.grid, window))
    classes = weak.present if weak else frozenset(label for label in ARTEFACTS if label in found)
    file = item.path.as_posix() + (f"#{item.slide}" if item.phantom else "")
    composable = item.annotation is None and weak is None
    return TileRef(index, window, item.slide, item.patient, file, classes, composable, weak, item.phantom is not None)


def _cutouts(source: SourceSpec, root: Path) -> Iterator[Picture]:
    for path in declared_files(source, root):
        if source.values.get(path.parent.name) == "foreign" and source.mpp:
            try:
                with Image.open(path) as image:
                    yield Picture.of(np.array(image.convert("RGBA")), source.mpp)
            except (UnidentifiedImageError, OSError, ValueError) as error:
                raise SettingsError(f"{path} is no cut-out ({error})", "leave it out") from error
