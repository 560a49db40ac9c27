"""Artefact maps as QuPath GeoJSON: polygons with holes in level-0 pixels, one annotation per connected area.

The names are those that QuPath 0.4 and later read and write (its `QuPathTypeAdapters`): `objectType`, `classification`
with `name` and `color`, `isLocked`, `measurements` as an object, ids that are UUIDs.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import shapely
import shapely.geometry
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely.geometry.base import BaseGeometry

from qc.exchange.annotations import TISSUE_NAME
from qc.files import write_text
from qc.geometry import Grid
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap, TissueMask

_TISSUE_COLOUR = (160, 32, 160)
_NAMESPACE = uuid.UUID("6f6c2f0e-7d0b-5c55-9d0c-5f3d2b0a8a11")


def feature_collection(
    artefacts: ArtefactMap, tissue: TissueMask, simplify_cells: float = 0.0, min_area_um2: float = 0.0
) -> dict[str, Any]:
    """Tissue and artefact areas as a GeoJSON FeatureCollection that QuPath imports.

    With the defaults and the mask on the map's grid `qc.exchange.annotations.burnt` makes the same map of it again,
    cell by cell.

    Args:
        artefacts: The artefact map.
        tissue: The tissue mask.
        simplify_cells: Outlines may depart from the cells by this many cells; 0 keeps every cell edge.
        min_area_um2: Artefact areas smaller than this are left out, square micrometres.
    """
    grid = artefacts.grid
    tolerance = simplify_cells * grid.pitch
    min_area_px = min_area_um2 / grid.slide_mpp**2
    features = [
        _feature(polygon, TISSUE_NAME, _TISSUE_COLOUR, grid)
        for _, polygon in _polygons(tissue.is_tissue.astype(np.uint8), tissue.is_tissue, tissue.grid, tolerance)
    ]
    is_artefact = np.isin(artefacts.classes, ARTEFACTS)
    for value, polygon in _polygons(artefacts.classes, is_artefact, grid, tolerance):
        if polygon.area >= min_area_px:
            cls = ArtefactClass(value)
            features.append(_feature(polygon, cls.label.capitalize(), cls.colour, grid))
    return {"type": "FeatureCollection", "features": features}


def write_geojson(collection: dict[str, Any], path: Path, stamp: Mapping[str, str] | None = None) -> None:
    """Write a feature collection atomically; its member `slidegate` says where it comes from."""
    write_text(path, json.dumps(collection | {"slidegate": dict(stamp or {})}, separators=(",", ":")))


def _polygons(
    values: NDArray[np.uint8], mask: NDArray[np.bool_], grid: Grid, tolerance_px: float
) -> Iterator[tuple[int, BaseGeometry]]:
    for geometry, value in rasterio.features.shapes(values, mask, connectivity=4, transform=_transform(grid)):
        polygon = shapely.geometry.shape(geometry)
        yield int(value), polygon.simplify(tolerance_px) if tolerance_px else polygon


def _transform(grid: Grid) -> Affine:
    return Affine.scale(grid.pitch)


def _feature(polygon: BaseGeometry, name: str, colour: tuple[int, int, int], grid: Grid) -> dict[str, Any]:
    geometry = shapely.geometry.mapping(shapely.set_precision(polygon, 0.01))
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_NAMESPACE, f"{name}{polygon.wkt}")),
        "geometry": geometry,
        "properties": {
            "objectType": "annotation",
            "classification": {"name": name, "color": list(colour)},
            "isLocked": False,
            "measurements": {"Area mm^2": polygon.area * (grid.slide_mpp / 1000) ** 2},
        },
    }
