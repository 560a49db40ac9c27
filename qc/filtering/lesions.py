"""What the filter takes away from annotated tumour, lesion by lesion; isolated tumour cells by name.

In: lesions as polygons and the tiles of a slide, both in level-0 pixels. Out: one loss per lesion.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
import rasterio.features
import shapely
from rasterio.transform import Affine
from shapely.geometry.base import BaseGeometry

from qc.filtering.rules import causes
from qc.geometry import Grid, Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.manifest import CAUSES
from qc.maps import ArtefactMap, TissueMask, tissue_in
from qc.metrics.extent import longest_diameter

NOT_A_TILE = "no_tile"
"""Cause of loss: no candidate tile lies there, for it is not the middle of tissue or beyond the last whole tile."""
_ITC_MAX_MM, _MICRO_MAX_MM = 0.2, 2.0
_DIGITS = 9  # areas are sums of pieces: what is kept whole must not seem to lose a trace


class LesionSize(StrEnum):
    """Size class of a lesion by its longest diameter (AJCC Cancer Staging Manual; CAMELYON17)."""

    ITC = "itc"
    MICRO = "micro"
    MACRO = "macro"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """Name for people."""
        return "isolated tumour cells" if self is LesionSize.ITC else f"{self}metastasis"


@dataclass(frozen=True)
class LesionLoss:
    """What is left of one lesion.

    Attributes:
        slide_id: Its slide.
        lesion: Its name in the annotation.
        size: Class by diameter.
        diameter_mm: Longest diameter; NaN when the slide's mpp is unknown.
        area_mm2: Annotated area; NaN when the slide's mpp is unknown.
        kept: Share of the annotated area that lies in kept tiles (0-1).
        lost_to: Share of the annotated area by cause: one of `CAUSES` or `NOT_A_TILE`; with `kept` it adds up to 1.
        tissue_under_artefact: Share of the lesion's tissue cells that the map calls an artefact; NaN without a map.
    """

    slide_id: str
    lesion: str
    size: LesionSize
    diameter_mm: float
    area_mm2: float
    kept: float
    lost_to: Mapping[str, float]
    tissue_under_artefact: float

    @property
    def lost(self) -> float:
        """Share of the annotated area that the filter takes away (0-1)."""
        return 1 - self.kept


def lesion_losses(
    slide_id: str,
    lesions: Mapping[str, BaseGeometry],
    tiles: pd.DataFrame,
    slide_mpp: float,
    maps: tuple[ArtefactMap, TissueMask] | None = None,
) -> list[LesionLoss]:
    """Measure every lesion of one slide.

    Args:
        slide_id: The slide.
        lesions: Polygons in level-0 pixels, by name.
        tiles: The slide's rows of the manifest, kept or not; none for a slide that gives no tile.
        slide_mpp: Level-0 micrometres per pixel; 0 when unknown.
        maps: Artefact map and tissue mask of the slide, where they are at hand.
    """
    left, top = tiles["x_level0"].to_numpy(), tiles["y_level0"].to_numpy()
    boxes = shapely.box(left, top, left + tiles["width_level0"].to_numpy(), top + tiles["height_level0"].to_numpy())
    tree, cause = shapely.STRtree(boxes), np.array(causes(tiles["reason"].tolist()))
    losses = []
    for name, polygon in lesions.items():
        touched = tree.query(polygon, predicate="intersects")
        areas = shapely.area(shapely.intersection(np.asarray(boxes)[touched], polygon)) / polygon.area
        shares = {key: round(float(areas[cause[touched] == key].sum()), _DIGITS) for key in ("", *CAUSES)}
        kept = min(1.0, shares.pop(""))
        shares[NOT_A_TILE] = round(max(0.0, 1 - kept - sum(shares.values())), _DIGITS)
        diameter_mm = longest_diameter(polygon) * slide_mpp / 1000 or math.nan
        area_mm2 = polygon.area * (slide_mpp / 1000) ** 2 or math.nan
        under = _under_artefact(polygon, *maps) if maps else math.nan
        losses.append(LesionLoss(slide_id, name, size_of(diameter_mm), diameter_mm, area_mm2, kept, shares, under))
    return losses


def size_of(diameter_mm: float) -> LesionSize:
    """Class of a lesion by longest diameter: below 0.2 mm, up to 2 mm, above.

    >>> [str(size_of(mm)) for mm in (0.19, 0.2, 2.0, 2.01)]
    ['itc', 'micro', 'micro', 'macro']
    """
    if math.isnan(diameter_mm):
        return LesionSize.UNKNOWN
    if diameter_mm < _ITC_MAX_MM:
        return LesionSize.ITC
    return LesionSize.MICRO if diameter_mm <= _MICRO_MAX_MM else LesionSize.MACRO


def refusal(losses: Sequence[LesionLoss], lost_max: float) -> str:
    """Why a manifest should not be written, in one sentence; empty when no lesion loses more than `lost_max`."""
    beyond = [loss for loss in losses if loss.lost > lost_max]
    if not beyond:
        return ""
    cells = [f"{loss.slide_id} {loss.lesion} ({loss.lost:.0%})" for loss in beyond if loss.size is LesionSize.ITC]
    named = f", among them isolated tumour cells {', '.join(cells)}" if cells else ""
    return f"the filter would take more than {lost_max:.0%} of {len(beyond)} of {len(losses)} lesions{named}"


def loss_table(losses: Sequence[LesionLoss], lost_max: float) -> pd.DataFrame:
    """One row per lesion, what loses most first."""
    ordered = sorted(losses, key=lambda loss: (-loss.lost, loss.slide_id, loss.lesion))
    rows = [
        {
            **{"slide_id": loss.slide_id, "lesion": loss.lesion, "size": str(loss.size)},
            **{"diameter_mm": loss.diameter_mm, "area_mm2": loss.area_mm2, "kept": loss.kept, "lost": loss.lost},
            **{f"lost_to_{cause}": share for cause, share in loss.lost_to.items()},
            **{"tissue_under_artefact": loss.tissue_under_artefact, "is_beyond_limit": loss.lost > lost_max},
        }
        for loss in ordered
    ]
    return pd.DataFrame(rows)


def _under_artefact(polygon: BaseGeometry, artefacts: ArtefactMap, tissue: TissueMask) -> float:
    grid = artefacts.grid
    window = _window(polygon, grid)
    transform = Affine.scale(grid.pitch) @ Affine.translation(window.x, window.y)
    is_lesion = rasterio.features.geometry_mask([polygon], window.size.shape, transform, all_touched=True, invert=True)
    classes = artefacts.classes[window.slices]
    is_tissue = is_lesion & tissue_in(tissue, grid, window) & (classes != ArtefactClass.GLASS)
    total = np.count_nonzero(is_tissue)
    return float(np.isin(classes[is_tissue], ARTEFACTS).sum() / total) if total else math.nan


def _window(polygon: BaseGeometry, grid: Grid) -> Window:
    """Cells that the bounds of a polygon touch; one cell of the slide's corner when it lies beyond."""
    left, top, right, bottom = (bound / grid.pitch for bound in polygon.bounds)
    size = grid.size
    x, y = min(max(0, math.floor(left)), size.width - 1), min(max(0, math.floor(top)), size.height - 1)
    return Window(x, y, max(1, math.ceil(right) - x), max(1, math.ceil(bottom) - y)).clipped(size)
