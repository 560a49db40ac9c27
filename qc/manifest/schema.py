"""Columns of a manifest: names, types and what they mean. Coordinates are level-0 pixels, shares 0-1."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from qc.labels import ARTEFACTS

FORMAT_VERSION: Final = 1
"""Raised with every change of a column's name, type or meaning."""

ARTEFACT_COLUMNS: Final = tuple(cls.name.lower() for cls in ARTEFACTS)
"""Columns of the classes that ruin tissue, each a share of the tile's tissue."""

CLASS_COLUMNS: Final = ("clean", *ARTEFACT_COLUMNS, "unassessed")
"""Columns that together make up all tissue of a tile: they add up to 1."""

CAUSES: Final = (*ARTEFACT_COLUMNS, "unassessed", "artefacts", "slide")
"""What can remove a tile: one class, all artefacts together, or what was decided about its slide."""

TILE_COLUMNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("slide_id", "path", "patient", "label", "split"), "str"),
    **dict.fromkeys(("x_level0", "y_level0", "width_level0", "height_level0"), "int64"),
    "tile_px": "int32",
    **dict.fromkeys(("tile_mpp", "slide_mpp"), "float64"),
    **dict.fromkeys(("tissue", *CLASS_COLUMNS), "float32"),
    "is_kept": "bool",
    **dict.fromkeys(("reason", "settings_fingerprint"), "str"),
}
"""Column to pandas type: one row per candidate tile, kept or not."""

SLIDE_COLUMNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("slide_id", "path", "patient", "label"), "str"),
    **dict.fromkeys(("verdict", "verdict_by", "verdict_reason"), "str"),
    **dict.fromkeys(("decision", "decided_by", "decision_reason"), "str"),
    **dict.fromkeys(("status", "why"), "str"),
    **dict.fromkeys(("width_level0", "height_level0"), "int64"),
    **dict.fromkeys(("slide_mpp", "tissue_mm2"), "float64"),
    **dict.fromkeys(("candidates", "kept", *(f"removed_{cause}" for cause in CAUSES)), "int64"),
    **dict.fromkeys(("candidates_mm2", "kept_mm2", *(f"removed_{cause}_mm2" for cause in CAUSES)), "float64"),
}
"""Column to pandas type: one row per slide, those without a tile included; clinical columns may follow."""

_ARROW = {
    "str": pa.string(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "bool": pa.bool_(),
}
ARROW_SCHEMA: Final = pa.schema([(name, _ARROW[kind]) for name, kind in TILE_COLUMNS.items()])
"""The tile columns as Parquet has them."""


class SlideStatus(StrEnum):
    """What became of a slide."""

    KEPT = "kept"
    REVIEW = "review"
    EXCLUDED = "excluded"
    UNASSESSED = "unassessed"


def tile_frame(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a table with exactly the tile columns and their types; KeyError names a column that is missing."""
    return _typed(pd.DataFrame.from_records(list(rows), columns=list(TILE_COLUMNS)), TILE_COLUMNS)


def slide_frame(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a table with the slide columns and their types; other keys become columns after these.

    A row may leave slide columns out: text is then empty and numbers are 0.
    """
    blank = {name: "" if kind == "str" else 0 for name, kind in SLIDE_COLUMNS.items()}
    table = pd.DataFrame([blank | dict(row) for row in rows])
    return _typed(table if len(table) else pd.DataFrame(columns=list(SLIDE_COLUMNS)), SLIDE_COLUMNS)


def _typed(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    return table.astype({name: kind for name, kind in columns.items() if name in table})
