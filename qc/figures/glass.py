"""The photograph of the whole glass for people: its label covered, the scanned area framed where it can be told."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.errors import SlideError
from qc.figures.scanned_area import ScannedArea, locate_scan, outlined
from qc.geometry import Mpp
from qc.slide.protocol import Slide
from qc.slide.reader import OpenSlideSlide
from qc.slide.window import native_grid, read_overview

_SEARCH_MPP = Mpp(50.0)


@dataclass(frozen=True)
class GlassPhoto:
    """The photograph.

    Attributes:
        rgb: (H, W, 3) uint8, label ends covered.
        area: Where the scanned area lies; None when that cannot be told.
    """

    rgb: NDArray[np.uint8]
    area: ScannedArea | None

    @property
    def caption(self) -> str:
        """What the picture shows, in words."""
        where = "scanned area framed" if self.area else "where the scan lies on it cannot be told"
        return f"whole glass, label covered; {where}"


def glass_photo(slide: Slide) -> GlassPhoto | None:
    """The photograph that a slide file holds; None when it holds none that can be read."""
    try:
        photo = slide.macro() if isinstance(slide, OpenSlideSlide) else None
        if photo is None:
            return None
        grid = native_grid(slide, _SEARCH_MPP)
        area = locate_scan(photo, read_overview(slide, grid).rgb, float(grid.cell_mpp))
    except SlideError:
        return None
    return GlassPhoto(photo if area is None else outlined(photo, area), area)
