"""What can be read: every tile of every declared source, with its slide, its patient and its annotated classes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from qc.artefact.cutout import Picture
from qc.artefact.training.cells import Codes, WeakLabel, clean_windows, read_codes, weak_windows
from qc.artefact.training.raster import Raster, class_id, from_geojson, from_mask
from qc.config.reading import ReadingSettings
from qc.config.tissue import TissueSettings
from qc.config.training import SourceSpec, TrainingSources
from qc.errors import SettingsError
from qc.geometry import Grid, Mpp, Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.phantom import Phantom, PhantomSpec, load_cohort, make_phantom
from qc.slide.files import SlideFile, open_slide
from qc.slide.memory import MemorySlide
from qc.slide.protocol import Slide
from qc.slide.window import native_grid, read_overview
from qc.tissue import find_tissue
from qc.tissue.light import SlideLight, slide_light

_COARSER_TOLERANCE = 1.1


@dataclass(frozen=True, eq=False)
class Item:
    """One image or slide, and what is known of it without its pixels.

    Attributes:
        grid: Cells at about the training mpp.
        tissue: 0 and 1.
        light: Its own light.
        annotation: None for clean tissue, onto which artefacts are composed.
    """

    source: SourceSpec
    path: Path
    phantom: PhantomSpec | None
    slide: str
    patient: str
    grid: Grid
    tissue: Raster
    light: SlideLight
    annotation: Raster | None

    @property
    def shows_glass(self) -> bool:
        """True when the colour of its glass was seen, not assumed."""
        return self.phantom is None and not self.source.all_tissue

    def open(self) -> Slide:
        """The pixels; phantoms are drawn again."""
        if self.phantom is not None:
            return _in_memory(make_phantom(self.phantom))
        return open_slide(SlideFile(self.path, Mpp(self.source.mpp) if self.source.mpp else None))


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
    settings: TrainingSources, root: Path, throw_away: bool = False, cohorts: Path | None = None
) -> Planned:
    """Look at every source once.

    Args:
        settings: The declared sources.
        root: Data folder that their paths start from.
        cohorts: Folder of cohort files of phantoms; `root` by default.
        throw_away: True for weights that are never published; only these may come from sources with `use = "evaluate"`.

    Raises:
        SettingsError: If a source may not be used, finds no files, or an image is coarser than the training mpp.
        SlideError: If an image cannot be read.
    """
    items: list[Item] = []
    tiles: list[TileRef] = []
    cutouts: list[Picture] = []
    for source in settings.sources:
        if source.use == "evaluate" and not throw_away:
            raise SettingsError(
                f"source {source.name} ({source.licence}) may be measured on, but not trained on",
                "leave it out, or train weights to be thrown away",
            )
        if source.kind == "cutouts":
            cutouts += _cutouts(source, root)
            continue
        folder = (cohorts or root) if source.kind == "phantoms" else root
        codes = read_codes(source, root) if source.kind == "cells" else {}
        for item in _items(source, folder, settings):
            tiles += _refs(len(items), item, codes.get((item.slide, item.path.stem), {}), settings)
            items.append(item)
    return Planned(settings, tuple(items), tuple(tiles), tuple(cutouts))


def _items(source: SourceSpec, root: Path, settings: TrainingSources) -> Iterator[Item]:
    for path in _files(source, root):
        if source.kind == "phantoms":
            for spec in load_cohort(path).slides:
                phantom = make_phantom(spec)
                truth = phantom.truth
                annotation = Raster(truth.classes, truth.mpp)
                tissue = Raster(truth.is_tissue.astype(np.uint8), truth.mpp)
                slide = _in_memory(phantom)
                grid = _grid(slide, settings.mpp)
                light = _light(slide, tissue)
                yield Item(source, path, spec, spec.name, spec.patient or spec.name, grid, tissue, light, annotation)
            continue
        relative = path.relative_to(root).as_posix()
        name = _named(source.slide, relative, source)
        if (source.only and name not in source.only) or name in source.without:
            continue
        slide = open_slide(SlideFile(path, Mpp(source.mpp) if source.mpp else None))
        try:
            grid = _grid(slide, settings.mpp)
            tissue, light = _ground(slide, source)
            annotation = _annotation(source, root, path, name, slide, grid)
        finally:
            slide.close()
        patient = _named(source.patient, relative, source) if source.patient else name
        patient = settings.patients.get(name, patient)
        yield Item(source, path, None, name, patient, grid, tissue, light, annotation)


def _grid(slide: Slide, mpp: float) -> Grid:
    if slide.mpp > _COARSER_TOLERANCE * mpp:
        raise SettingsError(
            f"{slide.name} has {slide.mpp:g} mpp, training needs {mpp:g} or finer", "leave it out or train coarser"
        )
    return native_grid(slide, mpp)


def _ground(slide: Slide, source: SourceSpec) -> tuple[Raster, SlideLight]:
    if source.all_tissue:
        tissue = Raster(np.ones((1, 1), np.uint8), slide.mpp * max(slide.size.width, slide.size.height))
        return tissue, _light(slide, tissue)
    grid = native_grid(slide, ReadingSettings().tissue_mpp)
    overview = read_overview(slide, grid)
    is_tissue = find_tissue(overview.rgb, overview.is_scanned, grid.cell_mpp, TissueSettings())
    light = slide_light(overview.rgb, overview.is_scanned, is_tissue, grid.cell_mpp)
    return Raster(is_tissue.astype(np.uint8), grid.cell_mpp), light


def _light(slide: Slide, tissue: Raster) -> SlideLight:
    grid = native_grid(slide, ReadingSettings().tissue_mpp)
    overview = read_overview(slide, grid)
    is_tissue = tissue.window(grid, Window(0, 0, grid.size.width, grid.size.height), outside=0) > 0
    return slide_light(overview.rgb, overview.is_scanned, is_tissue, grid.cell_mpp)


def _annotation(source: SourceSpec, root: Path, path: Path, name: str, slide: Slide, grid: Grid) -> Raster | None:
    if source.kind == "labels":
        meaning = source.values.get(path.parent.name, source.rest)
        side_um = slide.mpp * max(slide.size.width, slide.size.height)
        return Raster(np.full((1, 1), class_id(meaning), np.uint8), side_um)
    parent = path.parent.relative_to(root).as_posix()
    beside = root / source.annotation.format(parent=parent, stem=path.stem, slide=name)
    if source.kind == "masks":
        return from_mask(beside, slide.size, slide.mpp, source.values, source.rest)
    if source.kind == "geojson":
        return from_geojson(beside, grid, source.values, source.rest)
    return None


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
    for path in _files(source, root):
        if source.values.get(path.parent.name) == "foreign" and source.mpp:
            try:
                with Image.open(path) as image:
                    yield Picture.of(np.array(image.convert("RGBA")), source.mpp)
            except (UnidentifiedImageError, OSError, ValueError) as error:
                raise SettingsError(f"{path} is no cut-out ({error})", "leave it out") from error


def _files(source: SourceSpec, root: Path) -> list[Path]:
    files = sorted(path for path in root.glob(source.files) if path.is_file())
    if not files:
        raise SettingsError(f"source {source.name}: no files {source.files} in {root}", "check `files` and the folder")
    return files


def _named(pattern: str, relative: str, source: SourceSpec) -> str:
    found = re.search(pattern, relative)
    if found is None:
        raise SettingsError(f"source {source.name}: {pattern} does not match {relative}", "correct the expression")
    return found[1]


def _in_memory(phantom: Phantom) -> MemorySlide:
    return MemorySlide(phantom.rgb, Mpp(phantom.spec.mpp), phantom.spec.name)
