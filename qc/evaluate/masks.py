"""Images with a mask or outlines. In: a table of images, masks and what the masks mean. Out: counts per image.

A tissue mask is compared with the tissue found. A mask of an artefact asks two questions: how much of
it is kept out of clean tissue, and how much tissue outside it is called that artefact.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import rasterio.features
from numpy.typing import NDArray

from qc.artefact.choose import artefact_stage
from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.errors import SettingsError
from qc.exchange.annotations import read_drawing
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import resample_nearest
from qc.metrics import Counts
from qc.pipeline.assess import look
from qc.pipeline.mapping import Sight, map_artefacts, plan_reading
from qc.slide.files import SlideFile, open_slide
from qc.slide.protocol import Slide

TISSUE = "tissue"
_OUTLINES = ".geojson"
COARSEST_MPP = 100.0


@dataclass(frozen=True)
class MaskedImage:
    """One row of the table.

    Attributes:
        image: The image.
        mask: Its mask, or outlines as GeoJSON.
        mpp: Micrometres per pixel of the image.
        truth: What is marked, `tissue` or a class name.
        margin_um: How far outside it the mask was drawn.
        slide: Name under which artefact networks know the slide that it shows; empty for one that none was trained on.
    """

    image: Path
    mask: Path
    mpp: Mpp
    truth: str
    margin_um: float
    slide: str = ""

    @property
    def is_outlined(self) -> bool:
        """True when areas were outlined on the tissue, instead of a mask of the whole image."""
        return self.mask.suffix == _OUTLINES


@dataclass(frozen=True)
class MaskResult:
    """One image, measured.

    Attributes:
        name: File name of the image.
        truth: `tissue` or a class name.
        counts: For tissue, found against marked cells. For an artefact: positives are marked cells, caught when they
            are not clean tissue; negatives are found tissue cells outside the mask, wrong when called that class.
        margin_um: Distance from the tissue at which a tissue mask was drawn.
        grown: Counts of a tissue mask after growing the tissue found by that margin; None for artefacts.
    """

    name: str
    truth: str
    counts: Counts
    margin_um: float = 0.0
    grown: Counts | None = None


def read_table(path: Path, root: Path) -> list[MaskedImage]:
    """Read a CSV: image, mask, mpp, truth (`tissue` or a class name), margin_um, and slide where networks know it.

    Paths are under `root`, those of outlines (GeoJSON) under the table's folder.

    Raises:
        SettingsError: If a column, a file or a class does not exist.
    """
    known = {TISSUE, *(c.name.lower() for c in ArtefactClass)}
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        images = [_image(row, root, path.parent) for row in rows.to_dict("records")]
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"{path} is no table of masked images ({error})", "see datasets/README.md") from error
    for image in images:
        if image.truth not in known:
            raise SettingsError(f"{path}: truth {image.truth!r} is no class", f"choose from {', '.join(sorted(known))}")
        if image.is_outlined and image.truth == TISSUE:
            raise SettingsError(f"{path}: outlines mark artefacts, not tissue", "name a mask of the tissue instead")
        for file in (image.image, image.mask):
            if not file.is_file():
                raise SettingsError(f"{file} does not exist", "check --data")
    return images


def _image(row: dict[Any, str], root: Path, beside: Path) -> MaskedImage:
    mask = (beside if row["mask"].endswith(_OUTLINES) else root) / row["mask"]
    mpp, margin_um = Mpp(float(row["mpp"])), float(row["margin_um"])
    return MaskedImage(root / row["image"], mask, mpp, row["truth"], margin_um, row.get("slide", ""))


def evaluate_mask(image: MaskedImage, settings: AssessSettings, stage: ArtefactStage[Any] | None = None) -> MaskResult:
    """Run the stages over one image, whatever its resolution, and compare with its mask.

    Args:
        image: The image and its mask.
        settings: How to assess.
        stage: Judge of artefacts; the one that the settings ask for when left out.
    """
    sanity = settings.sanity.model_copy(update={"mpp_max": COARSEST_MPP, "tissue_min_mm2": 0.0})
    settings = settings.model_copy(update={"sanity": sanity})
    with closing(open_slide(SlideFile(image.image.resolve(), image.mpp))) as slide:
        sight = look(slide, settings)
        marked = read_mask(image, slide.size)
        grid = Grid(slide.size, slide.mpp, slide.mpp)
        if image.truth == TISSUE:
            found = resample_nearest(sight.tissue.is_tissue, sight.tissue.grid, grid, grid.window, fill=False)
            counts, grown = Counts.of(marked, found), Counts.of(marked, widened(found, image.margin_um / slide.mpp))
            return MaskResult(image.image.name, image.truth, counts, image.margin_um, grown)
        classes = _classes(slide, sight, settings, stage or artefact_stage(settings), grid)
    cls = ArtefactClass[image.truth.upper()]
    is_clean, is_called = classes == ArtefactClass.CLEAN, classes == cls
    outside = ~marked & (classes != ArtefactClass.GLASS) & (classes != ArtefactClass.UNASSESSED)
    wrong = int(np.count_nonzero(outside & is_called))
    missed = int(np.count_nonzero(marked & is_clean))
    return MaskResult(
        image.image.name,
        image.truth,
        Counts(int(marked.sum()) - missed, wrong, int(outside.sum()) - wrong, missed),
    )


def _classes(
    slide: Slide, sight: Sight, settings: AssessSettings, stage: ArtefactStage[Any], grid: Grid
) -> NDArray[np.uint8]:
    plan = plan_reading(slide, sight.tissue, settings.reading, stage.reach_um, stage.cut_px)
    found = map_artefacts(slide, sight, plan, settings, stage).artefacts
    return resample_nearest(found.classes, found.grid, grid, grid.window, fill=ArtefactClass.GLASS)


def widened(mask: NDArray[np.bool_], margin_px: float) -> NDArray[np.bool_]:
    """The mask and all within a margin of it, pixels."""
    outside = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= margin_px)


def read_mask(image: MaskedImage, size: Size) -> NDArray[np.bool_]:
    """(H, W) bool of a size: where a mask is bright, or inside the outlines named like the truth.

    Raises:
        SettingsError: If the file is missing or no image.
        ExchangeError: If outlines cannot be read.
    """
    if image.is_outlined:
        wanted = ArtefactClass[image.truth.upper()]
        areas = [one.area for one in read_drawing(image.mask).annotations if one.value == wanted]
        if not areas:
            raise SettingsError(f"{image.mask} outlines no {image.truth}", "check the table")
        marked = rasterio.features.rasterize(areas, out_shape=(size.height, size.width))
        return np.asarray(marked, np.bool_)
    mask = cv2.imread(str(image.mask), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SettingsError(f"{image.mask} is no image", "check --data")
    return np.asarray(cv2.resize(mask, (size.width, size.height), interpolation=cv2.INTER_NEAREST)) > 127
