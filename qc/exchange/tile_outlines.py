"""Tiles of a manifest as QuPath GeoJSON: squares in level-0 pixels, kept and removed in two colours."""

import uuid
from collections.abc import Mapping
from typing import Any

import pandas as pd

from qc.manifest import CLASS_COLUMNS

_KEPT = ("Kept", (0, 158, 115))
_REMOVED = ("Removed", (213, 94, 0))
_NAMESPACE = uuid.UUID("0b0c9a55-2f5e-5d0c-8d6a-4a4f8f1f7a52")


def tile_collection(tiles: pd.DataFrame) -> dict[str, Any]:
    """Tiles of one slide with their shares, and the reason of those that were removed.

    They are QuPath's `tile` objects, of which it shows many more at ease than annotations.

    Args:
        tiles: Rows of a manifest.
    """
    return {"type": "FeatureCollection", "features": [_feature(row) for row in tiles.to_dict("records")]}


def _feature(row: Mapping[Any, Any]) -> dict[str, Any]:
    x, y, width, height = (int(row[f"{name}_level0"]) for name in ("x", "y", "width", "height"))
    ring = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
    name, colour = _KEPT if row["is_kept"] else _REMOVED
    properties = {
        "objectType": "tile",
        "classification": {"name": name, "color": list(colour)},
        "measurements": {column: round(float(row[column]), 4) for column in ("tissue", *CLASS_COLUMNS)},
    }
    if row["reason"]:
        properties["name"] = str(row["reason"])
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_NAMESPACE, f"{row['slide_id']} {x} {y}")),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }
