"""What the viewer is told about a slide: levels, scale, classes with their areas, places to look at. JSON only."""

from typing import Any

from qc.dashboard.tiles.pictures import TILE_PX
from qc.dashboard.tiles.shown_slide import SHOWN_CLASSES, ShownSlide
from qc.figures.marked_regions import MarkedRegion
from qc.record import Assessed


def about(shown: ShownSlide, record: Assessed, has_macro: bool) -> dict[str, Any]:
    """Everything the viewer draws from; lengths in level-0 pixels, areas in square millimetres."""
    slide = shown.slide
    return {
        "slide_id": record.stamp.slide_id,
        "width": slide.size.width,
        "height": slide.size.height,
        "mpp": float(record.mpp),
        "tile_px": TILE_PX,
        "levels": [{"width": level.size.width, "height": level.size.height} for level in slide.levels],
        "has_overlay": shown.floors is not None,
        "has_macro": has_macro,
        "heats": [{"name": heat.name, "width": heat.size.width, "height": heat.size.height} for heat in shown.heats],
        "classes": [_about_class(record, cls) for cls in SHOWN_CLASSES],
        "regions": [_about_region(region) for region in shown.regions],
    }


def _about_class(record: Assessed, cls: Any) -> dict[str, Any]:
    amount = record.coverage[cls.name.lower()]
    return {
        "id": int(cls),
        "label": cls.label,
        "colour": cls.hex_colour,
        "area_mm2": amount.area_mm2,
        "share": None if amount.share != amount.share else amount.share,
    }


def _about_region(found: MarkedRegion) -> dict[str, Any]:
    box = found.region
    return {
        "class": int(found.artefact),
        "area_mm2": found.area_mm2,
        "x": box.x,
        "y": box.y,
        "width": box.width,
        "height": box.height,
    }
