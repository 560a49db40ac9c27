"""One open slide in, one assessment out: gate, tissue, tiles, artefact map, coverage, verdict. Writes nothing."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qc.artefact.stage import ArtefactStage, MeasuredTile
from qc.config.assess import AssessSettings
from qc.config.profile import Profile
from qc.errors import TruncatedSlideError
from qc.geometry import Window
from qc.maps import ArtefactMap, TissueMask, background, coverage, stitch, tissue_in
from qc.record import Assessed, ClassCoverage, FindingRow, Stamp
from qc.score import judge
from qc.slide import sanity
from qc.slide.protocol import Slide
from qc.slide.tiles import TilePlan, plan_tiles
from qc.slide.window import Pixels, native_grid, read_overview, read_window
from qc.tissue import find_tissue

E = TypeVar("E")
_BLOCK_CELLS = 1024

Progress = Callable[[int, int], None]
"""Called with tiles done and tiles in all."""


@dataclass(frozen=True)
class Assessment:
    """A record and the rasters behind it."""

    record: Assessed
    overview: Pixels
    tissue: TissueMask
    artefacts: ArtefactMap


@dataclass(frozen=True)
class Sight:
    """What a first look at the slide gives: its overview and where tissue is."""

    overview: Pixels
    is_scanned: NDArray[np.bool_]
    tissue: TissueMask


def assess_slide(
    slide: Slide,
    stamp: Stamp,
    settings: AssessSettings,
    profile: Profile,
    stage: ArtefactStage[E],
    threads: int = 2,
    progress: Progress = lambda _done, _total: None,
) -> Assessment:
    """Assess one slide.

    Args:
        slide: The open slide.
        stamp: Where the result will come from.
        settings: How to read, what to refuse, how to find tissue.
        profile: Limits of the verdict.
        stage: Decides the class of each tissue cell.
        threads: Tiles read and measured at once.
        progress: Told about each finished tile.

    Raises:
        SlideError: The subclass says why the slide cannot be assessed.
    """
    started = time.perf_counter()
    sight = look(slide, settings)
    plan = plan_reading(slide, sight.tissue, settings)
    artefacts, unread, scores = _map_artefacts(slide, sight, plan, settings, stage, threads, progress)
    covered = coverage(artefacts, sight.tissue)
    judgement = judge(covered, *scores, profile)
    record = Assessed(
        stamp=stamp,
        verdict=judgement.verdict,
        reason=judgement.reason,
        remedy=judgement.remedy,
        findings=tuple(FindingRow(verdict=f.verdict, reason=f.reason, remedy=f.remedy) for f in judgement.findings),
        profile=f"{profile.name} {profile.version}",
        artefact_stage=stage.name,
        width_px=slide.size.width,
        height_px=slide.size.height,
        mpp=slide.mpp,
        mpp_source=slide.properties.get("mpp_source", ""),
        slide_format=slide.properties.get("format", ""),
        read_mpp=plan.grid.cell_mpp,
        map_mpp=artefacts.grid.cell_mpp,
        tissue_mm2=covered.tissue_mm2,
        usable_mm2=judgement.usable_mm2,
        focus_score=scores[0],
        stain_score=scores[1],
        coverage={
            c.name.lower(): ClassCoverage(share=covered.share(c), area_mm2=covered.area_mm2(c)) for c in covered.cells
        },
        tiles=len(plan),
        tiles_unread=unread,
        seconds=time.perf_counter() - started,
    )
    return Assessment(record, sight.overview, sight.tissue, artefacts)


def look(slide: Slide, settings: AssessSettings) -> Sight:
    """The gate, the overview and the tissue mask.

    Raises:
        SlideError: If the slide does not pass the gate or shows no tissue.
    """
    sanity.check_header(slide, settings.sanity)
    grid = native_grid(slide, settings.reading.tissue_mpp)
    sanity.check_overview_cost(slide, grid, settings.sanity)
    overview = read_overview(slide, grid)
    is_scanned = sanity.scanned_area(overview)
    sanity.check_overview(slide.name, overview, is_scanned, settings.sanity)
    tissue = TissueMask(find_tissue(overview.rgb, is_scanned, grid.cell_mpp, settings.tissue), grid)
    sanity.check_tissue(slide.name, tissue, settings.sanity)
    return Sight(overview, is_scanned, tissue)


def plan_reading(slide: Slide, tissue: TissueMask, settings: AssessSettings) -> TilePlan:
    """Tiles over the tissue at the wanted mpp, or at the slide's own when that is coarser."""
    reading = settings.reading
    return plan_tiles(tissue, native_grid(slide, reading.read_mpp), reading.tile_px, reading.halo_px)


def _map_artefacts(
    slide: Slide,
    sight: Sight,
    plan: TilePlan,
    settings: AssessSettings,
    stage: ArtefactStage[E],
    threads: int,
    progress: Progress,
) -> tuple[ArtefactMap, int, tuple[float, float]]:
    """Measure every tile, see the slide, classify it. Returns the map, the unread tiles, and (focus, stain) scores."""
    grid = plan.grid.at(plan.grid.cell_mpp * settings.reading.stride_px)
    with ThreadPoolExecutor(threads) as pool:
        try:
            tiles = list(_measured(pool, slide, plan, settings.reading.stride_px, stage, progress))
            unread = len(plan) - len(tiles)
            _check_unread(slide, unread, len(plan), settings)
            view = stage.view(tiles, sight.tissue, grid)
            blocks = [block for block in grid.blocks(_BLOCK_CELLS) if tissue_in(sight.tissue, grid, block).any()]
            classified = zip(blocks, pool.map(view.classify, blocks), strict=True)
            artefacts = stitch(background(sight.tissue, sight.is_scanned, grid), grid, classified)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    is_sharp_enough = plan.grid.cell_mpp <= settings.reading.focus_mpp_max
    return artefacts, unread, (view.focus_score if is_sharp_enough else float("nan"), view.stain_score)


def _measured(
    pool: ThreadPoolExecutor, slide: Slide, plan: TilePlan, stride: int, stage: ArtefactStage[E], progress: Progress
) -> Iterator[MeasuredTile[E]]:
    """Tiles in plan order, without those that cannot be decoded."""

    def measure(core: Window) -> MeasuredTile[E] | None:
        try:
            pixels = read_window(slide, plan.grid, core.grown(plan.halo_px))
        except TruncatedSlideError:
            return None
        evidence = stage.measure(pixels, plan.grid.cell_mpp, stride, plan.halo_px)
        on_map = Window(core.x // stride, core.y // stride, core.width // stride, core.height // stride)
        return MeasuredTile(on_map, evidence)

    for done, tile in enumerate(pool.map(measure, plan.cores), start=1):
        progress(done, len(plan))
        if tile is not None:
            yield tile


def _check_unread(slide: Slide, unread: int, tiles: int, settings: AssessSettings) -> None:
    if unread > settings.sanity.unread_share_max * tiles:
        raise TruncatedSlideError(
            f"{slide.name} cannot be decoded in {unread} of {tiles} tissue tiles",
            "copy the file again from the scanner or re-scan",
        )
