"""Splits on disc, and manifests that carry them. In and out: CSV for people and programs, JSON for the balance."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path, PurePath

from qc.cohort.balance import BalanceRow
from qc.cohort.split import Placed, Split
from qc.cohort_table import Cohort, CohortSlide
from qc.config.split import SplitSettings
from qc.errors import SettingsError
from qc.files import replacing, write_text
from qc.manifest import Manifest, read_manifest
from qc.version import __version__

COLUMNS = tuple(field.name for field in fields(Placed) if field.name not in ("part", "path"))
_PART = "split"


def write_split(split: Split, settings: SplitSettings, path: Path) -> tuple[Path, Path]:
    """Write the split, and beside it how alike its parts are as NAME.balance.csv, and with all settings as NAME.json.

    Returns:
        The two other files.
    """
    balance_csv, about = path.with_suffix(".balance.csv"), path.with_suffix(".json")
    _write_csv(path, [{**asdict(one), _PART: one.part} for one in split.slides], [*COLUMNS, _PART])
    _write_csv(balance_csv, [asdict(row) for row in split.balance], [field.name for field in fields(BalanceRow)])
    write_text(about, json.dumps(as_json(split, settings), indent=2))
    return balance_csv, about


def as_json(split: Split, settings: SplitSettings) -> dict[str, object]:
    """Settings, notes, likeness and balance; NaN becomes null."""
    return {
        "software_version": __version__,
        "settings": settings.model_dump(mode="json"),
        "notes": list(split.notes),
        "likeness": _without_nan(asdict(split.likeness)),
        "balance": [_without_nan(asdict(row)) for row in split.balance],
    }


def read_split(path: Path) -> list[Placed]:
    """Read what `write_split` wrote, or any CSV with columns slide, patient and split.

    Raises:
        SettingsError: If it is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file, strict=True, restval=""))
    except (OSError, ValueError, csv.Error) as error:
        raise SettingsError(f"{path} cannot be read as a CSV ({error})", "check the file") from error
    for name in ("slide", "patient", _PART):
        if not lines or name not in lines[0]:
            raise SettingsError(f"{path} has no column {name}", "give a table that qc split wrote, or a manifest")
    known = ("slide", "patient", "label", "duplicates", "fingerprint", "path")
    return [
        Placed(**{name: (line.get(name) or "").strip() for name in known}, part=(line[_PART] or "").strip())
        for line in lines
    ]


def cohort_of(manifest: Manifest) -> Cohort:
    """The manifest's slides that have tiles, as a cohort table.

    Raises:
        SettingsError: If none is left, or one has no patient.
    """
    with_tiles = set(manifest.tiles["slide_id"])
    slides = manifest.slides.loc[[slide in with_tiles for slide in manifest.slides["slide_id"]]]
    columns = {name: slides[name].tolist() for name in manifest.clinical_columns}
    numeric = tuple(name for name, values in columns.items() if all(isinstance(value, int | float) for value in values))
    lines = []
    for i, (slide, patient, label) in enumerate(
        zip(*(slides[n] for n in ("slide_id", "patient", "label")), strict=True)
    ):
        if not patient:
            raise SettingsError(f"slide {slide} of the manifest has no patient", "give a cohort table to qc filter")
        clinical = {name: float(values[i]) if name in numeric else _text(values[i]) for name, values in columns.items()}
        lines.append(CohortSlide(slide, patient, label, clinical))
    if not lines:
        raise SettingsError("the manifest holds no tiles", "make it again with qc filter")
    return Cohort(tuple(lines), numeric, tuple(name for name in columns if name not in numeric))


def filled(manifest: Manifest, cohort: Cohort, part_of: Mapping[str, str]) -> Manifest:
    """The manifest with its `split` column filled.

    Raises:
        SettingsError: If it holds tiles of a slide that the cohort table does not name.
    """
    paths = dict(zip(manifest.tiles["slide_id"], manifest.tiles["path"], strict=True))
    lines = cohort.match(paths)
    if missing := sorted(set(paths) - set(lines)):
        raise SettingsError(f"the cohort table does not name slide {missing[0]} of the manifest", "add a line for it")
    return manifest.with_splits({slide_id: part_of[line.slide] for slide_id, line in lines.items()})


def read_placed(path: Path) -> list[Placed]:
    """Slides of a split or a manifest and their parts.

    Raises:
        QCError: If the file is neither, or puts no slide in any part.
    """
    placed = placed_in(read_manifest(path)) if path.suffix == ".parquet" else read_split(path)
    if not any(one.part for one in placed):
        raise SettingsError(f"{path} puts no slide in any part", "split it first: qc split")
    return placed


def placed_in(manifest: Manifest) -> list[Placed]:
    """Slides of a manifest and their parts; a slide whose tiles disagree has several entries.

    Files of one name and one size in pixels are taken for copies of one slide in two folders.
    """
    size_of = {
        slide: f"{width} x {height} px"
        for slide, width, height in zip(
            *(manifest.slides[name] for name in ("slide_id", "width_level0", "height_level0")), strict=True
        )
    }
    names = ["slide_id", "patient", "label", "split", "path"]
    rows = manifest.tiles[names].drop_duplicates().itertuples(index=False, name=None)
    return [
        Placed(slide, patient, label, part, f"{PurePath(path).name}, {size_of[slide]}", path=path)
        for slide, patient, label, part, path in rows
    ]


def _without_nan(row: Mapping[str, object]) -> dict[str, object]:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _text(value: object) -> str:
    """Text of a cell; empty when missing."""
    return "" if value is None or value != value else str(value)


def _write_csv(path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
