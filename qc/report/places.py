"""Where the worst places of a slide are. In: an artefact map. Out: the largest connected areas of each class."""

from dataclasses import dataclass

import cv2
import numpy as np

from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap

_SEARCH_CELLS = 2048
_MEMBER_SHARE = 0.3


_AREA_MIN_MM2 = 0.001


@dataclass(frozen=True)
class Place:
    """A connected area of one class: centre and longest side in level-0 pixels."""

    cls: ArtefactClass
    area_mm2: float
    x_level0: float
    y_level0: float
    side_level0: float


def worst_places(artefacts: ArtefactMap, most: int = 6, most_of_a_class: int = 2) -> list[Place]:
    """The largest connected areas, at most so many of a class, largest first."""
    found = [
        place
        for cls in ARTEFACTS
        for place in _places(artefacts, cls)[:most_of_a_class]
        if place.area_mm2 >= _AREA_MIN_MM2
    ]
    return sorted(found, key=lambda place: -place.area_mm2)[:most]


def _places(artefacts: ArtefactMap, cls: ArtefactClass) -> list[Place]:
    """Connected areas of a class, largest first; searched on a coarser raster where the map is large."""
    grid, is_class = artefacts.grid, artefacts.classes == cls
    if not is_class.any():
        return []
    step = max(1, -(-max(is_class.shape) // _SEARCH_CELLS))
    small = (-(-is_class.shape[1] // step), -(-is_class.shape[0] // step))
    share = cv2.resize(is_class.astype(np.uint8) * np.uint8(255), small, interpolation=cv2.INTER_AREA)
    member = (share >= _MEMBER_SHARE * 255).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(member, connectivity=8)
    cell_mm2 = grid.cell_area_mm2 * step**2
    places = []
    for label in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:2]:
        x, y, width, height, cells = (int(value) for value in stats[label])
        inner = np.pad((labels[y : y + height, x : x + width] == label).astype(np.uint8), 1)
        row, column = np.unravel_index(np.argmax(cv2.distanceTransform(inner, cv2.DIST_L2, 3)), inner.shape)
        pitch = grid.pitch * step
        centre = (x + int(column) - 0.5) * pitch, (y + int(row) - 0.5) * pitch
        places.append(Place(cls, cells * cell_mm2, *centre, max(width, height) * pitch))
    return places
