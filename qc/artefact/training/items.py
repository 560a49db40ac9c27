"""What tiles are cut from: every image of a declared source, with what is known of it without its pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qc.artefact.training.raster import Raster, class_id, from_geojson, from_mask
from qc.config.reading import ReadingSettings
from qc.config.tissue import TissueSettings
from qc.config.training import SourceSpec, TrainingSources
from qc.errors import SettingsError
from qc.geometry import Grid, Mpp, Window
from qc.phantom import Phantom, PhantomSpec, load_cohort, make_phantom
from qc.slide.declared import declared_files, name_in, named_files
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


def items_of(source: SourceSpec, root: Path, beside: Path, settings: TrainingSources) -> Iterator[Item]:
    """Every image of a source, or every phantom of its cohorts.

    Args:
        source: Any but cut-outs.
        root: Data folder.
        beside: Folder of cohort files, and of annotations that are not under `root`.
        settings: The training mpp, and whose slide is whose.

    Raises:
        SettingsError: If there are no files, names cannot be cut out of their paths, or an image is too coarse.
        SlideError: If an image cannot be read.
    """
    if source.kind == "phantoms":
        for path in declared_files(source, beside):
            yield from (_drawn(spec, source, path, settings) for spec in load_cohort(path).slides)
        return
    for path, name in named_files(source, root, source.only):
        slide = open_slide(SlideFile(path, Mpp(source.mpp) if source.mpp else None))
        try:
            grid = _grid(slide, settings.mpp, source.coarse)
            tissue, light = _ground(slide, source)
            annotation = _annotation(source, (root, beside), path, name, slide, grid)
        finally:
            slide.close()
        patient = name_in(path, source.patient, source, root) if source.patient else name
        patient = settings.patients.get(name, patient)
        yield Item(source, path, None, name, patient, grid, tissue, light, annotation)


def _drawn(spec: PhantomSpec, source: SourceSpec, path: Path, settings: TrainingSources) -> Item:
    phantom = make_phantom(spec)
    truth, slide = phantom.truth, _in_memory(phantom)
    tissue = Raster(truth.is_tissue.astype(np.uint8), truth.mpp)
    grid, light = _grid(slide, settings.mpp), _light(slide, tissue)
    annotation = Raster(truth.classes, truth.mpp)
    return Item(source, path, spec, spec.name, spec.patient or spec.name, grid, tissue, light, annotation)


def _grid(slide: Slide, mpp: float, may_be_coarser: bool = False) -> Grid:
    if slide.mpp > _COARSER_TOLERANCE * mpp and not may_be_coarser:
        raise SettingsError(
            f"{slide.name} has {slide.mpp:g} mpp, training needs {mpp:g} or finer",
            "leave it out or train coarser; annotated images can be declared `coarse`",
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


def _annotation(
    source: SourceSpec, folders: tuple[Path, Path], path: Path, name: str, slide: Slide, grid: Grid
) -> Raster | None:
    root, beside = folders
    if source.kind == "labels":
        meaning = source.values.get(path.parent.name, source.rest)
        side_um = slide.mpp * max(slide.size.width, slide.size.height)
        return Raster(np.full((1, 1), class_id(meaning), np.uint8), side_um)
    parent = path.parent.relative_to(root).as_posix()
    file = source.annotation.format(parent=parent, stem=path.stem, slide=name)
    annotation = beside / file if (beside / file).is_file() and not (root / file).is_file() else root / file
    if source.kind == "masks":
        return from_mask(annotation, slide.size, slide.mpp, source.values, source.rest)
    if source.kind == "geojson":
        return from_geojson(annotation, grid, source.values, source.rest)
    return None


def _in_memory(phantom: Phantom) -> MemorySlide:
    return MemorySlide(phantom.rgb, Mpp(phantom.spec.mpp), phantom.spec.name)
