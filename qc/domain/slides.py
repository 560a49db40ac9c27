"""Slides that the domain gate is fitted on or measured with. In: declared sources. Out: patches of their tissue."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from qc.config.domain import DomainSource
from qc.config.reading import ReadingSettings
from qc.config.tissue import TissueSettings
from qc.domain.features import FEATURE_MPP, Mask, Rgb
from qc.domain.sample import at_feature_mpp, best_patches, plan_sample
from qc.errors import SettingsError
from qc.geometry import Mpp
from qc.maps import TissueMask, tissue_in
from qc.slide.declared import named_files
from qc.slide.files import SlideFile, open_slide
from qc.slide.memory import MemorySlide
from qc.slide.protocol import Slide
from qc.slide.sanity import scanned_area
from qc.slide.tiles import plan_tiles
from qc.slide.window import native_grid, read_overview, read_window
from qc.tissue import locate_tissue


@dataclass(frozen=True)
class DomainSlide:
    """A slide's tissue: patches of (rgb, is_tissue) at 1.0 mpp."""

    name: str
    source: DomainSource
    patches: tuple[tuple[Rgb, Mask], ...]


def read_slides(source: DomainSource, root: Path) -> Iterator[DomainSlide]:
    """The slides of one source, by name.

    Raises:
        SettingsError: If there is no such file, or a path does not name a slide.
        SlideError: If a file cannot be read.
    """
    for name, paths in _files_of_slides(source, root).items():
        step = source.images_per_slide
        for start in range(0, len(paths), step):
            with closing(_opened(paths[start : start + step], source)) as slide:
                patches = tuple(slide_patches(slide))
            yield DomainSlide(f"{name}-{start // step}" if len(paths) > step else name, source, patches)


def slide_patches(slide: Slide) -> list[tuple[Rgb, Mask]]:
    """The patches that an assessment with default settings would measure."""
    reading = ReadingSettings()
    overview_grid = native_grid(slide, reading.tissue_mpp)
    overview = read_overview(slide, overview_grid)
    is_tissue = locate_tissue(overview.rgb, scanned_area(overview), overview_grid.cell_mpp, TissueSettings())
    tissue = TissueMask(is_tissue, overview_grid)
    grid = native_grid(slide, FEATURE_MPP)
    cores = plan_tiles(tissue, grid, reading.tile_px, 0).cores
    chosen, per_tile = plan_sample(cores)
    patches = []
    for core in chosen:
        rgb = read_window(slide, grid, core).rgb
        patches += best_patches(*at_feature_mpp(rgb, tissue_in(tissue, grid, core), grid.cell_mpp), per_tile)
    return patches


def _files_of_slides(source: DomainSource, root: Path) -> dict[str, list[Path]]:
    slides: dict[str, list[Path]] = {}
    for path, name in named_files(source, root):
        slides.setdefault(name, []).append(path)
    return slides


def _opened(paths: list[Path], source: DomainSource) -> Slide:
    mpp = Mpp(source.mpp) if source.mpp else None
    if len(paths) == 1:
        return open_slide(SlideFile(paths[0].resolve(), mpp))
    if mpp is None:
        raise SettingsError(f"source {source.name}: images of one slide need `mpp`", "state it")
    images = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths]
    if any(image is None for image in images):
        raise SettingsError(f"source {source.name}: {paths[0].parent} holds something that is no image", "correct it")
    return _mosaic([np.asarray(image, np.uint8) for image in images], mpp, source.name)


def _mosaic(images: list[Rgb], mpp: Mpp, name: str) -> MemorySlide:
    """Images in a near-square, row by row; what they leave is not scanned."""
    across = math.ceil(math.sqrt(len(images)))
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    canvas = np.zeros((math.ceil(len(images) / across) * height, across * width, 4), np.uint8)
    for i, image in enumerate(images):
        top, left = i // across * height, i % across * width
        canvas[top : top + image.shape[0], left : left + image.shape[1], :3] = image
        canvas[top : top + image.shape[0], left : left + image.shape[1], 3] = 255
    return MemorySlide(canvas, mpp, name)
