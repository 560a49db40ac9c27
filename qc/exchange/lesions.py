"""Annotated tumour as polygons in level-0 pixels: ASAP XML, CAMELYON JSON and GeoJSON (QuPath) in, one geometry each.

What the file marks as exclusion or normal tissue is cut out of the lesions.
"""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from qc.errors import ExchangeError

SUFFIXES = (".xml", ".json", ".geojson")
_LESION = frozenset({"", "none", "_0", "_1", "tumor", "tumour", "metastasis", "metastases", "lesion", "positive"})
_NOT_LESION = frozenset({"_2", "exclusion", "normal", "negative", "ignore*"})
"""Groups of CAMELYON16 (`_0`, `_1`, `_2` or Tumor, Exclusion) and CAMELYON17 (metastases, normal), and common words."""
Named = tuple[str, str, BaseGeometry]
"""Name, group and polygon of one annotation."""


def find_lesion_files(folder: Path) -> dict[str, Path]:
    """Annotation files by the stem that they share with their slide.

    Raises:
        ExchangeError: If there are none, or two for one slide.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in found:
                raise ExchangeError(f"{found[path.stem].name} and {path.name} annotate one slide", "keep one of them")
            found[path.stem] = path
    if not found:
        raise ExchangeError(f"{folder} holds no annotations ({', '.join(SUFFIXES)})", "check the path")
    return found


def read_lesions(path: Path) -> dict[str, BaseGeometry]:
    """Lesions of one slide by name, each a polygon with what was excluded cut out.

    Names that occur twice get a number; annotations without an area are left out, for nothing of them can be lost.

    Raises:
        ExchangeError: If the file cannot be read or its groups say neither tumour nor exclusion.
    """
    readers: dict[str, Callable[[Path], Iterable[Named]]] = {".xml": _asap, ".json": _json, ".geojson": _json}
    try:
        annotations = list(readers[path.suffix.lower()](path))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, ET.ParseError, ShapelyError) as error:
        raise ExchangeError(
            f"{path} holds no annotations that can be read ({error})", f"give {', '.join(SUFFIXES)}"
        ) from error
    groups = {group.lower() for _, group, _ in annotations}
    if annotations and not groups & (_LESION | _NOT_LESION):
        raise ExchangeError(
            f"{path} annotates {', '.join(sorted(groups))}, none of it tumour",
            "call tumour `Tumor` or leave it unnamed",
        )
    excluded = shapely.union_all([polygon for _, group, polygon in annotations if group.lower() in _NOT_LESION])
    lesions: dict[str, BaseGeometry] = {}
    for name, group, polygon in annotations:
        left = polygon.difference(excluded) if group.lower() in _LESION else shapely.Polygon()
        if left.area > 0:
            lesions[_unused(name or "lesion", lesions)] = left
    return lesions


def _asap(path: Path) -> Iterable[Named]:
    """https://computationalpathologygroup.github.io/ASAP: `Annotation` elements of ordered `Coordinate`s."""
    for annotation in ET.parse(path).getroot().iter("Annotation"):
        points = sorted(annotation.iter("Coordinate"), key=lambda point: float(point.attrib["Order"]))
        outline = [(float(point.attrib["X"]), float(point.attrib["Y"])) for point in points]
        yield annotation.get("Name", ""), annotation.get("PartOfGroup", ""), _polygon(outline)


def _json(path: Path) -> Iterable[Named]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(data, dict) and "positive" in data:
        for group in ("positive", "negative"):
            for one in data.get(group, ()):
                yield one["name"], group, _polygon(one["vertices"])
        return
    for feature in data["features"] if isinstance(data, dict) else data:
        yield _feature(feature)


def _feature(feature: dict[str, Any]) -> Named:
    properties = feature.get("properties") or {}
    kind = properties.get("classification") or {}
    group = kind.get("name") or ": ".join(kind.get("names", ()))
    geometry = shapely.geometry.shape(feature["geometry"])
    return properties.get("name") or "", group, _areas(geometry)


def _polygon(outline: Sequence[Sequence[float]]) -> BaseGeometry:
    """A valid polygon, empty when the outline has no area."""
    return _areas(shapely.Polygon(outline)) if len(outline) >= 3 else shapely.Polygon()


def _areas(geometry: BaseGeometry) -> BaseGeometry:
    """The parts of a geometry that have an area; an outline that crosses itself is mended."""
    mended = shapely.make_valid(geometry)
    return shapely.union_all([part for part in shapely.get_parts(mended) if part.area > 0])


def _unused(name: str, taken: dict[str, BaseGeometry]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused
