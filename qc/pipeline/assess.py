"""One open slide in, one assessment out: gate, tissue, tiles, artefact map, coverage, verdict. Writes nothing."""

import time
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.config.profile import Profile
from qc.errors import TruncatedSlideError
from qc.geometry import Grid, Mpp
from qc.maps import ArtefactMap, TissueMask, coverage
from qc.pipeline.mapping import Progress, Sight, map_artefacts, plan_reading
from qc.record import Assessed, ClassCoverage, Stamp, finding_rows
from qc.score import judge
from qc.slide import sanity
from qc.slide.protocol import Slide
from qc.slide.window import native_grid, read_overview
from qc.tissue import locate_tissue

E = TypeVar("E")
_PICTURE_SIDE_PX = 1600


@dataclass(frozen=True)
class Assessment:
    """A record and the rasters behind it.

    Attributes:
        record: What is known about the slide.
        picture: (H, W, 3) uint8 of the whole slide for people; finer than the tissue mask where the slide is small.
        tissue: Where tissue is.
        artefacts: What it shows.
    """

    record: Assessed
    picture: NDArray[np.uint8]
    tissue: TissueMask
    artefacts: ArtefactMap


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
    plan = plan_reading(slide, sight.tissue, settings.reading, stage.reach_um, stage.cut_px)
    mapped = map_artefacts(slide, sight, plan, settings, stage, threads, progress)
    covered = coverage(mapped.artefacts, sight.tissue)
    judgement = judge(covered, mapped.focus_score, mapped.stain_score, mapped.domain_distance, profile)
    record = Assessed(
        stamp=stamp,
        verdict=judgement.verdict,
        reason=judgement.reason,
        remedy=judgement.remedy,
        findings=finding_rows(judgement),
        profile=profile.title,
        artefact_stage=stage.name,
        width_px=slide.size.width,
        height_px=slide.size.height,
        mpp=slide.mpp,
        mpp_source=slide.properties.get("mpp_source", ""),
        slide_format=slide.properties.get("format", ""),
        scanner=slide.properties.get("scanner", ""),
        scanned_at=slide.properties.get("scanned_at", ""),
        read_mpp=plan.grid.cell_mpp,
        map_mpp=mapped.artefacts.grid.cell_mpp,
        tissue_mm2=covered.tissue_mm2,
        usable_mm2=judgement.usable_mm2,
        focus_score=mapped.focus_score,
        stain_score=mapped.stain_score,
        domain_distance=mapped.domain_distance,
        coverage={
            c.name.lower(): ClassCoverage(share=covered.share(c), area_mm2=covered.area_mm2(c)) for c in covered.cells
        },
        tiles=len(plan),
        tiles_unread=mapped.tiles_unread,
        seconds=time.perf_counter() - started,
    )
    return Assessment(record, read_picture(slide, sight), sight.tissue, mapped.artefacts)


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
    tissue = TissueMask(locate_tissue(overview.rgb, is_scanned, grid.cell_mpp, settings.tissue), grid)
    sanity.check_tissue(slide.name, tissue, settings.sanity)
    return Sight(overview, is_scanned, tissue)


def read_picture(slide: Slide, sight: Sight) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of the whole slide, at least `_PICTURE_SIDE_PX` long where a level allows it.

    The overview serves where it is long enough, or where the finer level cannot be decoded.
    """
    wanted_mpp = max(slide.size.width, slide.size.height) * slide.mpp / _PICTURE_SIDE_PX
    fine_enough = [level for level in slide.levels if slide.mpp * level.downsample <= wanted_mpp]
    if 2 * wanted_mpp > sight.tissue.grid.cell_mpp or not fine_enough:
        return sight.overview.rgb
    try:
        return read_overview(slide, Grid(slide.size, slide.mpp, Mpp(slide.mpp * fine_enough[-1].downsample))).rgb
    except TruncatedSlideError:
        return sight.overview.rgb
