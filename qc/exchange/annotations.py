"""Annotations that a person drew or corrected in QuPath: GeoJSON in, classes on a slide's map grid out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import shapely
import shapely.geometry
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely.geometry.base import BaseGeometry

from qc.errors import ExchangeError
from qc.geometry import Size
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass
from qc.maps import ArtefactMap

TISSUE_NAME = "Tissue"
_MEANINGS = {
    TISSUE_NAME.lower(): (0, int(ArtefactClass.CLEAN)),
    **{cls.label: (1, int(cls)) for cls in ARTEFACTS},
    ArtefactClass.CLEAN.label: (2, int(ArtefactClass.CLEAN)),
    ArtefactClass.GLASS.label: (2, int(ArtefactClass.GLASS)),
    ArtefactClass.UNASSESSED.label: (2, int(ArtefactClass.UNASSESSED)),
    "ignore": (3, IGNORE),
}
"""Rank and value by name; a higher rank lies on top, so that `Clean` drawn over a false alarm takes it back."""


@dataclass(frozen=True, eq=False)
class Annotation:
    """One area with its meaning.

    Attributes:
        area: Polygon or MultiPolygon in level-0 pixels.
        value: `ArtefactClass`, or `IGNORE`.
        rank: Annotations of higher rank lie on top.
    """

    area: BaseGeometry
    value: int
    rank: int


@dataclass(frozen=True, eq=False)
class Drawing:
    """All annotations of one file, and the slide id that it states, if any."""

    annotations: tuple[Annotation, ...]
    slide_id: str


def known_names() -> tuple[str, ...]:
    """Names of annotations that mean something here, as QuPath shows them."""
    return tuple(name.capitalize() for name in _MEANINGS)


def read_drawing(path: Path, renamed: Mapping[str, str] | None = None) -> Drawing:
    """Read what QuPath exported: a FeatureCollection, or a bare list of features.

    Names are compared without regard to case; the asterisk of QuPath's `Ignore*` is passed over.

    Args:
        path: GeoJSON file, level-0 pixels.
        renamed: Names in the file, and the known names to read them as.

    Raises:
        ExchangeError: If the file is no GeoJSON, or an annotation is no area or has no known name.
    """
    meanings = _MEANINGS | {_plain(name): _meaning(path, meant) for name, meant in (renamed or {}).items()}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        features = content["features"] if isinstance(content, dict) else content
        named = [(_name(feature), feature["geometry"]) for feature in features]
        stated = content.get("slidegate", {}).get("slide_id", "") if isinstance(content, dict) else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExchangeError(f"{path} cannot be read as GeoJSON ({error})", "export annotations from QuPath") from error
    return Drawing(tuple(_annotations(path, named, meanings)), str(stated))


def burnt(annotations: Sequence[Annotation], base: ArtefactMap) -> NDArray[np.uint8]:
    """Annotations as classes on the grid of a map; a cell belongs to an area when its centre does.

    Cells without annotation are GLASS. Where `base` is UNASSESSED they stay so, and so do cells that only lie in
    tissue: an outline of tissue does not say that anyone saw what is in it.

    Returns:
        (H, W) uint8 of `ArtefactClass` and `IGNORE`.
    """
    is_unseen = base.classes == ArtefactClass.UNASSESSED
    out = np.full(base.grid.shape, ArtefactClass.GLASS, np.uint8)
    _burn(out, [one for one in annotations if one.rank == 0], base)
    out[is_unseen] = ArtefactClass.UNASSESSED
    _burn(out, sorted((one for one in annotations if one.rank > 0), key=lambda one: one.rank), base)
    return out


def check_place(drawing: Drawing, path: Path, slide_id: str, size: Size) -> None:
    """Refuse a drawing that was made on another slide.

    Raises:
        ExchangeError: If it names another slide, or an area lies beyond this one.
    """
    if drawing.slide_id not in ("", slide_id):
        raise ExchangeError(f"{path} was drawn on {drawing.slide_id}, not on {slide_id}", "pass that slide")
    whole = shapely.box(0, 0, size.width, size.height)
    for annotation in drawing.annotations:
        if not annotation.area.intersects(whole):
            x, y = annotation.area.bounds[:2]
            raise ExchangeError(
                f"{path} has an annotation at ({x:.0f}, {y:.0f}), beyond {slide_id} of {size} pixels",
                "check that it was drawn on this slide, at level 0",
            )


def _burn(out: NDArray[np.uint8], annotations: Sequence[Annotation], base: ArtefactMap) -> None:
    if annotations:
        shapes = [(one.area, one.value) for one in annotations]
        rasterio.features.rasterize(shapes, out=out, transform=Affine.scale(base.grid.pitch))


def _annotations(
    path: Path, named: Sequence[tuple[str, Any]], meanings: Mapping[str, tuple[int, int]]
) -> Iterator[Annotation]:
    unknown = sorted({name for name, _ in named if _plain(name) not in meanings})
    if unknown:
        what = f"annotations named {unknown[0]!r}" if unknown[0] else "annotations without a class"
        raise ExchangeError(
            f"{path} has {what}, which is none of {', '.join(known_names())}",
            f"change the class in QuPath, or say what it means: --rename '{unknown[0]}=Ignore'",
        )
    for name, geometry in named:
        rank, value = meanings[_plain(name)]
        yield Annotation(_area(path, name, geometry), value, rank)


def _area(path: Path, name: str, geometry: Any) -> BaseGeometry:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise ExchangeError(f"{path} has an annotation {name!r} that is a {kind}, no area", "draw an area instead")
    try:
        area = shapely.geometry.shape(geometry)
    except (ValueError, TypeError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        raise ExchangeError(f"{path} has a broken outline of {name!r} ({error})", "export it again") from error
    if area.is_empty or not np.isfinite(area.bounds).all():
        raise ExchangeError(f"{path} has an empty outline of {name!r}", "delete it or draw it again")
    return area if area.is_valid else shapely.make_valid(area)


def _name(feature: Mapping[str, Any]) -> str:
    """QuPath writes `name`, and for classes with sub-classes `names`; none for annotations without a class.

    What it reads but does not write is understood, too: a class that is only its name.
    """
    classification = feature["properties"].get("classification") or {}
    if isinstance(classification, str):
        return classification
    return str(classification.get("name") or ": ".join(classification.get("names", ())))


def _meaning(path: Path, meant: str) -> tuple[int, int]:
    if _plain(meant) not in _MEANINGS:
        raise ExchangeError(f"{meant!r} is no meaning for annotations of {path}", f"one of {', '.join(known_names())}")
    return _MEANINGS[_plain(meant)]


def _plain(name: str) -> str:
    return name.strip().removesuffix("*").replace("_", " ").casefold()
