"""Any tissue finder against what is known. In: a finder, images and truths. Out: counts per image and shares per cell.

A finder takes an overview (H, W, 3) uint8, where it was scanned (H, W) bool, and its mpp, and gives (H, W) bool. Truths
differ in worth: masks drawn by people, exact ones of phantoms, weak codes of cells.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.errors import SettingsError
from qc.evaluate.field import read_field
from qc.evaluate.masks import TISSUE, MaskedImage, read_mask, widened
from qc.geometry import Grid, Mpp
from qc.maps import resample_nearest
from qc.metrics import Counts
from qc.phantom import CohortSpec, make_phantom
from qc.slide.files import SlideFile, open_slide
from qc.slide.memory import MemorySlide
from qc.slide.protocol import Slide
from qc.slide.window import native_grid, read_overview
from qc.tissue import locate_tissue

Mask = NDArray[np.bool_]
Finder = Callable[[NDArray[np.uint8], Mask, float], Mask]

READ_MPP = 8.0
_GAP_PX = 8


@dataclass(frozen=True)
class TissueResult:
    """One image.

    Attributes:
        name: Of the image, phantom or slide.
        counts: Tissue found against tissue known.
        grown: The same after growing what was found by the margin at which the mask was drawn; None without one.
    """

    name: str
    counts: Counts
    grown: Counts | None = None


@dataclass(frozen=True)
class CellTissue:
    """One labelled cell and the share of it (0-1) found to be tissue."""

    slide: str
    code: str
    share: float


@dataclass(frozen=True, eq=False)
class PhantomOverview:
    """A phantom's overview (H, W, 3) uint8 on `grid`, and its exact mask (H, W) bool on `truth_grid`."""

    name: str
    rgb: NDArray[np.uint8]
    grid: Grid
    is_tissue: Mask
    truth_grid: Grid


def finder_of(settings: TissueSettings) -> Finder:
    """The finder that the settings ask for."""
    return lambda rgb, is_scanned, mpp: locate_tissue(rgb, is_scanned, mpp, settings)


def against_drawn(image: MaskedImage, finder: Finder, mpp: float = READ_MPP) -> TissueResult:
    """One image with a tissue mask drawn by people, read at about `mpp`.

    Raises:
        SettingsError: If the mask marks something else than tissue, or cannot be read.
    """
    if image.truth != TISSUE:
        raise SettingsError(f"{image.mask} marks {image.truth}, not tissue", "see against_ink")
    found, marked = _found_and_marked(image, finder, mpp)
    grown = widened(found, image.margin_um / image.mpp)
    return TissueResult(image.image.name, Counts.of(marked, found), Counts.of(marked, grown))


def against_ink(image: MaskedImage, finder: Finder, mpp: float = READ_MPP) -> float:
    """Share (0-1) of marked ink called tissue; some of it may lie over tissue."""
    found, marked = _found_and_marked(image, finder, mpp)
    return float(found[marked].mean()) if marked.any() else float("nan")


def draw_phantoms(cohort: CohortSpec, mpp: float = READ_MPP) -> Iterator[PhantomOverview]:
    """Overviews of a cohort at about `mpp`; drawing takes seconds each, so keep them to measure several finders."""
    for spec in cohort.slides:
        phantom = make_phantom(spec)
        slide = MemorySlide(phantom.rgb, Mpp(spec.mpp), spec.name)
        grid = native_grid(slide, mpp)
        truth = Grid(slide.size, slide.mpp, Mpp(phantom.truth.mpp))
        yield PhantomOverview(spec.name, read_overview(slide, grid).rgb, grid, phantom.truth.is_tissue, truth)


def against_phantom(phantom: PhantomOverview, finder: Finder) -> TissueResult:
    """One phantom, on the cells of its truth."""
    found = finder(phantom.rgb, np.ones(phantom.grid.shape, np.bool_), phantom.grid.cell_mpp)
    onto = phantom.truth_grid
    found = resample_nearest(found, phantom.grid, onto, onto.window, fill=False)
    return TissueResult(phantom.name, Counts.of(phantom.is_tissue, found))


def against_cells(
    labels_path: Path,
    view_mpp: float,
    cell_px: int,
    finder: Finder,
    mpp: float = READ_MPP,
) -> list[CellTissue]:
    """Share of each labelled cell found to be tissue; the views of one slide are looked at side by side.

    Args:
        labels_path: CSV with columns slide, view, row, col, code; views are `<slide>/<view>.jpg` beside it.
        view_mpp: Micrometres per pixel of the views.
        cell_px: Side of a cell in pixels of its view.
        finder: The finder.
        mpp: What views are reduced to, micrometres per pixel.

    Raises:
        SettingsError: If a column or view is missing.
    """
    try:
        labels = pd.read_csv(labels_path, dtype={"slide": str, "view": str, "code": str})
        groups = [(str(slide), rows) for slide, rows in labels.groupby("slide")]
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"{labels_path} is no table of labelled cells ({error})", "it needs slide, view, row, col, code"
        ) from error
    step = max(1, round(mpp / view_mpp))
    return [
        one
        for slide, rows in groups
        for one in _cells(slide, rows, labels_path.parent, step, cell_px, finder, view_mpp)
    ]


def _found(slide: Slide, finder: Finder, mpp: float, onto: Grid) -> Mask:
    """What the finder sees on a slide's overview, on another grid."""
    grid = native_grid(slide, mpp)
    overview = read_overview(slide, grid)
    found = finder(overview.rgb, overview.is_scanned, grid.cell_mpp)
    return resample_nearest(found, grid, onto, onto.window, fill=False)


def _found_and_marked(image: MaskedImage, finder: Finder, mpp: float) -> tuple[Mask, Mask]:
    """(H, W) bool each, on the image's own pixels."""
    with closing(open_slide(SlideFile(image.image.resolve(), image.mpp))) as slide:
        found = _found(slide, finder, mpp, Grid(slide.size, slide.mpp, slide.mpp))
        size = slide.size
    return found, read_mask(image, size)


def _cells(
    slide: str, rows: pd.DataFrame, root: Path, step: int, cell_px: int, finder: Finder, view_mpp: float
) -> Iterator[CellTissue]:
    views = sorted(rows["view"].unique())
    images = [_reduced(root / slide / f"{view}.jpg", step) for view in views]
    height = max(image.shape[0] for image in images)
    lefts = np.cumsum([0, *(image.shape[1] + _GAP_PX for image in images)]).tolist()
    canvas = np.full((height, lefts[-1], 3), 255, np.uint8)
    is_scanned = np.zeros(canvas.shape[:2], np.bool_)
    for left, image in zip(lefts[:-1], images, strict=True):
        canvas[: image.shape[0], left : left + image.shape[1]] = image
        is_scanned[: image.shape[0], left : left + image.shape[1]] = True
    found = finder(canvas, is_scanned, view_mpp * step)
    side = cell_px / step
    for view, row, column, code in rows[["view", "row", "col", "code"]].to_numpy():
        left, y, x = lefts[views.index(view)], float(row) * side, float(column) * side
        cell = found[round(y) : round(y + side), left + round(x) : left + round(x + side)]
        yield CellTissue(slide, str(code), float(cell.mean()))


def _reduced(path: Path, step: int) -> NDArray[np.uint8]:
    image = read_field(path)
    size = image.shape[1] // step, image.shape[0] // step
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
