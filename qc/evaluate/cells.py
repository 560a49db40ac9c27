"""Labelled cells of views cut from slides. In: a table of cells and a stage for each slide. Out: a score per cell.

The views of one slide are continued by reflection, laid side by side with nothing scanned between them, and assessed as
one slide, so that the stages see what is normal on it and no edge that it does not have.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.artefact.choose import artefact_stage
from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.errors import SettingsError
from qc.evaluate.detection import detection_score, mean_suspicion
from qc.evaluate.field import read_field
from qc.geometry import Grid, Mpp
from qc.maps import resample_nearest, tissue_in
from qc.pipeline.assess import look
from qc.pipeline.mapping import map_artefacts, plan_reading
from qc.slide.memory import MemorySlide

ARTEFACT_CODES = "FOBDP"
LEFT_OUT_CODES = "XK"
_GAP_PX = 64
_MARGIN_PX = 64  # beyond which nothing is seen at a view's edge

StageOf = Callable[[str], ArtefactStage[Any]]
"""From the name of a slide to the stage that scores it: one that never saw it, where stages are trained."""


@dataclass(frozen=True)
class CellResult:
    """One labelled cell.

    Attributes:
        slide: Slide it was cut from.
        view: View of the slide.
        row: Row of the cell in the view.
        column: Column of it.
        code: Letters of the label, the main one first.
        score: Detection score of all that is seen of it, glass too; 1 where no tissue is found.
        tissue_score: The same of its tissue alone.
        suspicion: Mean suspicion over its tissue: the share of artefact to be expected, for rules the share called.
        tissue_share: Share of the cell found to be tissue.
    """

    slide: str
    view: str
    row: int
    column: int
    code: str
    score: float
    tissue_score: float
    suspicion: float
    tissue_share: float

    @property
    def is_artefact(self) -> bool:
        """True when any letter names an artefact of tissue."""
        return any(letter in self.code for letter in ARTEFACT_CODES)

    @property
    def counts_for_artefacts(self) -> bool:
        """Tissue cells that the figures are about: no glass, no padding, no surgical ink."""
        return not self.code.startswith("G") and not any(letter in self.code for letter in LEFT_OUT_CODES)

    @property
    def is_clean(self) -> bool:
        """A tissue cell that counts and has no artefact."""
        return self.counts_for_artefacts and not self.is_artefact

    @property
    def is_surgical_ink(self) -> bool:
        """Tissue with ink that the pathologist put on its margin, without an artefact: nothing to call."""
        return self.code.startswith("C") and "K" in self.code and not self.is_artefact


def evaluate_cells(
    labels_path: Path, mpp: Mpp, cell_px: int, settings: AssessSettings, stage_of: StageOf | None = None
) -> Iterator[list[CellResult]]:
    """Score every labelled cell, slide by slide.

    Args:
        labels_path: CSV with columns slide, view, row, col, code; views are `<slide>/<view>.jpg` beside it.
        mpp: Micrometres per pixel of the views.
        cell_px: Side of a cell in pixels.
        settings: How to assess.
        stage_of: Which stage scores a slide; the one that the settings ask for when left out.

    Raises:
        SettingsError: If a column or view is missing.
    """
    try:
        labels = pd.read_csv(labels_path, dtype={"slide": str, "view": str, "code": str})
        groups = list(labels.groupby("slide"))
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"{labels_path} is no table of labelled cells ({error})", "see datasets/README.md"
        ) from error
    stage = artefact_stage(settings)
    for slide, rows in groups:
        judge = stage_of(str(slide)) if stage_of else stage
        yield _evaluate_slide(str(slide), rows, labels_path.parent, mpp, cell_px, settings, judge)


def _evaluate_slide(
    name: str,
    rows: pd.DataFrame,
    root: Path,
    mpp: Mpp,
    cell_px: int,
    settings: AssessSettings,
    stage: ArtefactStage[Any],
) -> list[CellResult]:
    views = sorted(rows["view"].unique())
    slide, offsets = _side_by_side([read_field(root / name / f"{view}.jpg") for view in views], mpp, name)
    suspicion, is_tissue = _per_pixel(slide, settings, stage)
    results = []
    for view, row, column, code in rows[["view", "row", "col", "code"]].to_numpy():
        left, top = offsets[views.index(view)] + int(column) * cell_px, _MARGIN_PX + int(row) * cell_px
        cell = (slice(top, top + cell_px), slice(left, left + cell_px))
        results.append(_cell_result((name, view, int(row), int(column), code), suspicion[cell], is_tissue[cell]))
    return results


def _cell_result(
    what: tuple[str, str, int, int, str], doubt: NDArray[np.float32], tissue: NDArray[np.bool_]
) -> CellResult:
    """Scores of one cell; glass that was not read with tissue is taken to show nothing."""
    shown = np.where(np.isnan(doubt) & ~tissue, np.float32(0), doubt)
    score = detection_score(shown, np.ones_like(tissue)) if tissue.any() else 1.0
    return CellResult(*what, score, detection_score(doubt, tissue), mean_suspicion(doubt, tissue), float(tissue.mean()))


def _per_pixel(
    slide: MemorySlide, settings: AssessSettings, stage: ArtefactStage[Any]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(H, W) suspicion and tissue of each pixel of the slide."""
    sight = look(slide, settings)
    plan = plan_reading(slide, sight.tissue, settings.reading, stage.reach_um)  # whole tiles, with the glass in them
    mapped = map_artefacts(slide, sight, plan, settings, stage, with_suspicion=True)
    assert mapped.suspicion is not None
    grid = mapped.artefacts.grid
    pixels = Grid(slide.size, slide.mpp, slide.mpp)
    suspicion = resample_nearest(mapped.suspicion, grid, pixels, pixels.window, fill=np.nan)
    is_tissue = tissue_in(sight.tissue, grid, grid.window)
    return suspicion, resample_nearest(is_tissue, grid, pixels, pixels.window, fill=False)


def _side_by_side(images: list[NDArray[np.uint8]], mpp: Mpp, name: str) -> tuple[MemorySlide, list[int]]:
    """One slide of all views, each continued by reflection, and the left edge of each."""
    framed = [np.pad(image, ((_MARGIN_PX,) * 2, (_MARGIN_PX,) * 2, (0, 0)), "symmetric") for image in images]
    height = max(image.shape[0] for image in framed)
    lefts = np.cumsum([0, *(image.shape[1] + _GAP_PX for image in framed)]).tolist()
    canvas = np.zeros((height, lefts[-1], 4), np.uint8)
    for left, image in zip(lefts[:-1], framed, strict=True):
        canvas[: image.shape[0], left : left + image.shape[1]] = np.dstack([image, np.full(image.shape[:2], 255)])
    return MemorySlide(canvas, mpp, name), [left + _MARGIN_PX for left in lefts[:-1]]
