"""Records as tables: one row per slide, the same columns in CSV, Parquet and the terminal."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from qc.files import replacing
from qc.labels import ARTEFACTS, ArtefactClass
from qc.record import Assessed, Failed, artefact_share

_TEXTS = frozenset(
    {"slide_id", "verdict", "reason", "remedy", "reason_code", "mpp_source", "slide_format", "profile"}
    | {"scanner", "scanned_at"}
    | {"artefact_stage", "path", "slide_fingerprint", "settings_fingerprint", "software_version"}
)
_WHOLE_NUMBERS = frozenset({"width_px", "height_px", "tiles", "tiles_unread"})
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def rows(records: Iterable[Assessed | Failed]) -> pd.DataFrame:
    """One row per record, columns as documented in docs/outputs.md; numbers are missing for failed slides.

    Types do not depend on the records: text, whole numbers that may be missing, floats with NaN.
    """
    table = pd.DataFrame.from_records([_row(record) for record in records], columns=list(columns()))
    return table.astype({name: _dtype(name) for name in columns()})


def columns() -> tuple[str, ...]:
    """Names of the table's columns, in order."""
    shares = [f"{c.name.lower()}_share" for c in (*ARTEFACTS, ArtefactClass.UNASSESSED)]
    areas = [f"{c.name.lower()}_mm2" for c in (*ARTEFACTS, ArtefactClass.UNASSESSED)]
    return (
        *("slide_id", "verdict", "reason", "remedy", "reason_code", "tissue_mm2", "usable_mm2"),
        *("focus_score", "stain_score", "domain_distance", "artefact_share", *shares, *areas),
        *("mpp", "mpp_source", "width_px", "height_px", "slide_format", "scanner", "scanned_at", "read_mpp", "map_mpp"),
        *("tiles", "tiles_unread", "profile", "artefact_stage", "seconds"),
        *("path", "slide_fingerprint", "settings_fingerprint", "software_version"),
    )


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table; text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    safe = without_formulas(table)
    with replacing(path) as partial:
        safe.to_csv(partial, index=False)


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before text that a spreadsheet would run as a formula."""
    safe = table.copy()
    for name in safe.select_dtypes(include=["object", "string"]).columns:
        safe[name] = safe[name].map(lambda cell: f"'{cell}" if str(cell).startswith(_FORMULA_STARTS) else cell)
    return safe


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet."""
    with replacing(path) as partial:
        table.to_parquet(partial, index=False)


def _row(record: Assessed | Failed) -> dict[str, Any]:
    row = record.model_dump(mode="python", exclude={"stamp", "coverage", "findings", "kind"})
    row |= record.stamp.model_dump()
    row["verdict"] = str(record.verdict)
    if isinstance(record, Assessed):
        covered = record.coverage
        row["artefact_share"] = artefact_share(record)
        for name, amount in covered.items():
            row[f"{name}_share"], row[f"{name}_mm2"] = amount.share, amount.area_mm2
        row["reason_code"] = ""
    return {name: row.get(name, "" if name in _TEXTS else None) for name in columns()}


def _dtype(name: str) -> str:
    if name in _TEXTS:
        return "string"
    return "Int64" if name in _WHOLE_NUMBERS else "float64"
