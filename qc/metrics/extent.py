"""How large areas are. In: polygons. Out: lengths in their own units."""

import shapely
from scipy.spatial.distance import pdist
from shapely.geometry.base import BaseGeometry


def longest_diameter(polygon: BaseGeometry) -> float:
    """Longest distance between two points of a polygon: between two corners of its hull.

    >>> longest_diameter(shapely.box(0, 0, 3, 4))
    5.0
    """
    return float(pdist(shapely.get_coordinates(polygon.convex_hull)).max())
