"""Labelled cells of views cut from slides. In: a table of cells. Out: a score per cell, pooled by slide.

The views of one slide are laid side by side, with nothing scanned between them, and assessed as one
slide, so that the stages see what is normal on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.artefact.choose import artefact_stage
from qc.config.assess import AssessSettings
from qc.errors import SettingsError
from qc.geometry import Mpp
from qc.labels import ArtefactClass
from qc.maps import resample_nearest, tissue_in
from qc.pipeline.assess import look
from qc.pipeline.mapping import map_artefacts, plan_reading
from qc.slide.memory import MemorySlide

ARTEFACT_CODES = "FOBDP"
LEFT_OUT_CODES = "XK"
_GAP_PX = 64


@dataclass(frozen=True)
class CellResult:
    """One labelled cell.

    Attributes:
        slide: Slide it was cut from.
        view: View of the slide.
        code: Letters of the label, the main one first.
        score: Share of its tissue that is not clean, 1 where no tissue is found.
        tissue_share: Share of the cell found to be tissue.
    """

    slide: str
    view: str
    code: str
    score: float
    tissue_share: float

    @property
    def is_artefact(self) -> bool:
        """True when any letter names an artefact of tissue."""
        return any(letter in self.code for letter in ARTEFACT_CODES)

    @property
    def counts_for_artefacts(self) -> bool:
        """Tissue cells that the figures are about: no glass, no padding, no surgical ink."""
        return not self.code.startswith("G") and not any(letter in self.code for letter in LEFT_OUT_CODES)


def evaluate_cells(labels_path: Path, mpp: Mpp, cell_px: int, settings: AssessSettings) -> Iterator[list[CellResult]]:
    """Score every labelled cell, slide by slide.

    Args:
        labels_path: CSV with columns slide, view, row, col, code; views are `<slide>/<view>.jpg` beside it.
        mpp: Micrometres per pixel of the views.
        cell_px: Side of a cell in pixels.
        settings: How to assess.

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
    for slide, rows in groups:
        yield _evaluate_slide(str(slide), rows, labels_path.parent, mpp, cell_px, settings)


def _evaluate_slide(
    name: str, rows: pd.DataFrame, root: Path, mpp: Mpp, cell_px: int, settings: AssessSettings
) -> list[CellResult]:
    views = sorted(rows["view"].unique())
    images = [_read_view(root / name / f"{view}.jpg") for view in views]
    slide, offsets = _side_by_side(images, mpp, name)
    sight = look(slide, settings)
    stage = artefact_stage(settings)
    plan = plan_reading(slide, sight.tissue, settings.reading, stage.reach_um)
    found = map_artefacts(slide, sight, plan, settings, stage).artefacts
    grid = found.grid
    is_tissue = tissue_in(sight.tissue, grid, grid.window)
    pixel_grid = grid.at(mpp)
    classes = resample_nearest(found.classes, grid, pixel_grid, pixel_grid.window, fill=ArtefactClass.UNASSESSED)
    tissue = resample_nearest(is_tissue, grid, pixel_grid, pixel_grid.window, fill=False)
    is_clean = tissue & (classes == ArtefactClass.CLEAN)
    results = []
    for view, row, column, code in rows[["view", "row", "col", "code"]].to_numpy():
        left = offsets[views.index(view)] + int(column) * cell_px
        cell = (slice(int(row) * cell_px, (int(row) + 1) * cell_px), slice(left, left + cell_px))
        n_tissue, n_clean = int(tissue[cell].sum()), int(is_clean[cell].sum())
        score = 1 - n_clean / n_tissue if n_tissue else 1.0
        results.append(CellResult(name, view, code, score, n_tissue / cell_px**2))
    return results


def _side_by_side(images: list[NDArray[np.uint8]], mpp: Mpp, name: str) -> tuple[MemorySlide, list[int]]:
    """One slide of all views and the left edge of each."""
    height = max(image.shape[0] for image in images)
    offsets = np.cumsum([0, *(image.shape[1] + _GAP_PX for image in images)]).tolist()
    canvas = np.zeros((height, offsets[-1], 4), np.uint8)
    for left, image in zip(offsets[:-1], images, strict=True):
        canvas[: image.shape[0], left : left + image.shape[1]] = np.dstack([image, np.full(image.shape[:2], 255)])
    return MemorySlide(canvas, mpp, name), offsets[:-1]


def _read_view(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise SettingsError(f"{path} is missing or no image", "check --data")
    return np.asarray(image, np.uint8)
