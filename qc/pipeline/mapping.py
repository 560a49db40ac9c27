"""Tissue in, artefact map out: which tiles to read, reading and measuring them at once, putting them together."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qc.artefact.stage import ArtefactStage, MeasuredTile, SlideView
from qc.config.assess import AssessSettings
from qc.config.reading import MAP_BLOCK_CELLS, ReadingSettings
from qc.domain.reference import packaged_reference
from qc.domain.sample import ColourSample
from qc.errors import TruncatedSlideError
from qc.geometry import Grid, Window
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap, TissueMask, background, stitch, tissue_in
from qc.slide.protocol import Slide
from qc.slide.tiles import TilePlan, plan_tiles
from qc.slide.window import Pixels, native_grid, read_window

E = TypeVar("E")
T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with tiles done and tiles in all."""

_BLOCK_CELLS = 1024
_PACK_TILES = 64


@dataclass(frozen=True)
class Sight:
    """What a first look at the slide gives: its overview and where tissue is."""

    overview: Pixels
    is_scanned: NDArray[np.bool_]
    tissue: TissueMask


@dataclass(frozen=True)
class Mapped:
    """An artefact map and the scores that came with it.

    Attributes:
        artefacts: The map.
        tiles_unread: Tiles that could not be decoded.
        focus_score: 0-10, NaN when focus cannot be judged.
        stain_score: 0-10, NaN when stain cannot be judged.
        domain_distance: Distance of the slide's colours from the training slides', NaN when it cannot be computed.
        suspicion: (H, W) float32 on the map's grid, how probably a cell shows an artefact, 0-1, on glass too where it
            was read with tissue; NaN where nothing was seen. None unless asked for.
    """

    artefacts: ArtefactMap
    tiles_unread: int
    focus_score: float
    stain_score: float
    domain_distance: float
    suspicion: NDArray[np.float32] | None = None


def plan_reading(
    slide: Slide, tissue: TissueMask, reading: ReadingSettings, reach_um: float, cut_px: int = 0
) -> TilePlan:
    """Tiles over the tissue at the wanted mpp, or at the slide's own when that is coarser.

    Args:
        slide: The slide.
        tissue: Where tissue is.
        reading: Wanted mpp and tile size.
        reach_um: How far the artefact stage looks; the halo is at least as wide, in whole blocks of map cells.
        cut_px: Steps in which tiles are cut to their tissue; 0 leaves them whole.
    """
    grid = native_grid(slide, reading.read_mpp)
    block_px = MAP_BLOCK_CELLS * reading.stride_px
    halo_px = block_px * math.ceil(reach_um / grid.cell_mpp / block_px)
    return plan_tiles(tissue, grid, reading.tile_px, halo_px, cut_px)


def map_artefacts(
    slide: Slide,
    sight: Sight,
    plan: TilePlan,
    settings: AssessSettings,
    stage: ArtefactStage[E],
    threads: int = 2,
    progress: Progress = lambda _done, _total: None,
    with_suspicion: bool = False,
) -> Mapped:
    """Measure every tile, see the slide, classify it block by block.

    Where a slide is read too coarsely to judge focus, no tissue is called out of focus, what would have been is not
    suspected, and the score is NaN.

    Raises:
        TruncatedSlideError: If too many tiles cannot be decoded.
    """
    grid = plan.grid.at(plan.grid.cell_mpp * settings.reading.stride_px)
    stage = stage.begun(sight.overview, sight.tissue)
    colours = ColourSample(plan.cores, plan.grid.cell_mpp, settings.reading.focus_mpp_max)
    with ThreadPoolExecutor(threads) as pool:
        try:
            read = partial(_measured_tile, slide, sight.tissue, plan, settings.reading.stride_px, stage, colours)
            measured = _measured(pool, plan, read, progress)
            tiles = [tile for batch in _batched(measured, _PACK_TILES) for tile in stage.packed(batch)]
            unread = len(plan) - len(tiles)
            _check_unread(slide, unread, len(plan), settings)
            view = stage.view(tiles, sight.tissue, grid)
            blocks = list(_tissue_blocks(sight.tissue, grid))
            classes = background(sight.tissue, sight.is_scanned, grid)
            within = partial(_classified, view, sight.tissue, classes, grid)
            artefacts = stitch(classes, grid, zip(blocks, pool.map(within, blocks), strict=True))
            suspicion = _suspicion(pool, view, sight.tissue, grid) if with_suspicion else None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    distance = packaged_reference().distance(colours.features())
    if plan.grid.cell_mpp <= settings.reading.focus_mpp_max:
        return Mapped(artefacts, unread, view.focus_score, view.stain_score, distance, suspicion)
    is_blurred = artefacts.classes == ArtefactClass.OUT_OF_FOCUS
    artefacts.classes[is_blurred] = ArtefactClass.CLEAN
    if suspicion is not None:
        suspicion[is_blurred] = 0
    return Mapped(artefacts, unread, math.nan, view.stain_score, distance, suspicion)


def _tissue_blocks(tissue: TissueMask, grid: Grid) -> Iterator[Window]:
    """Windows of the map that hold all tissue, each no larger than a block and cut to its tissue."""
    for block in grid.blocks(_BLOCK_CELLS):
        is_tissue = tissue_in(tissue, grid, block)
        rows, columns = np.flatnonzero(is_tissue.any(axis=1)), np.flatnonzero(is_tissue.any(axis=0))
        if rows.size:
            left, top = int(columns[0]), int(rows[0])
            width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
            yield Window(block.x + left, block.y + top, width, height)


def _classified(
    view: SlideView, tissue: TissueMask, base: NDArray[np.uint8], grid: Grid, block: Window
) -> NDArray[np.uint8]:
    """Classes of tissue; what is known of the rest stays, for a view knows nothing beyond the tiles that were read."""
    return np.where(tissue_in(tissue, grid, block), view.classify(block), base[block.slices])


def _suspicion(pool: ThreadPoolExecutor, view: SlideView, tissue: TissueMask, grid: Grid) -> NDArray[np.float32]:
    """(H, W) float32 on `grid`, NaN where nothing was read."""
    blocks = [block for block in grid.blocks(_BLOCK_CELLS) if tissue_in(tissue, grid, block).any()]
    suspicion = np.full(grid.shape, np.nan, np.float32)
    for block, values in zip(blocks, pool.map(view.suspicion, blocks), strict=True):
        suspicion[block.slices] = values
    return suspicion


def _measured(
    pool: ThreadPoolExecutor, plan: TilePlan, read: Callable[[Window], MeasuredTile[E] | None], progress: Progress
) -> Iterator[MeasuredTile[E]]:
    """Tiles in plan order, without those that cannot be decoded."""
    for done, tile in enumerate(pool.map(read, plan.cores), start=1):
        progress(done, len(plan))
        if tile is not None:
            yield tile


def _measured_tile(
    slide: Slide,
    tissue: TissueMask,
    plan: TilePlan,
    stride: int,
    stage: ArtefactStage[E],
    colours: ColourSample,
    core: Window,
) -> MeasuredTile[E] | None:
    """One tile, or None when it cannot be decoded."""
    try:
        pixels = read_window(slide, plan.grid, core.grown(plan.halo_px))
    except TruncatedSlideError:
        return None
    if colours.wants(core):
        inner = Window(plan.halo_px, plan.halo_px, core.width, core.height).slices
        colours.add(pixels.rgb[inner], tissue_in(tissue, plan.grid, core) & pixels.is_scanned[inner])
    evidence = stage.measure(pixels, plan.grid.cell_mpp, stride, plan.halo_px)
    on_map = Window(core.x // stride, core.y // stride, core.width // stride, core.height // stride)
    return MeasuredTile(on_map, evidence)


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _check_unread(slide: Slide, unread: int, tiles: int, settings: AssessSettings) -> None:
    if unread > settings.sanity.unread_share_max * tiles:
        raise TruncatedSlideError(
            f"{slide.name} cannot be decoded in {unread} of {tiles} tissue tiles",
            "copy the file again from the scanner or re-scan",
        )
