"""Manifests on disc: one Parquet file that holds everything, and a CSV of the slides beside it for people."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from qc.errors import ManifestError
from qc.files import replacing
from qc.manifest.manifest import Manifest, ManifestNote, first_problem
from qc.manifest.schema import ARROW_SCHEMA, FORMAT_VERSION, SLIDE_COLUMNS

_KEY = b"slidegate"
_AGAIN = "make it again with qc filter"


def slides_csv(path: Path) -> Path:
    """Where the accounts of a manifest's slides lie."""
    return path.with_name(f"{path.stem}.slides.csv")


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest; either the old file or the whole new one is there at any time.

    `pd.read_parquet(path)` reads the tiles; the key-value metadata `slidegate` holds note and slides as JSON.

    Raises:
        RunError: If it cannot be written.
    """
    about = {"note": manifest.note.model_dump(mode="json"), "slides": _to_json(manifest.slides)}
    table = pa.Table.from_pandas(manifest.tiles, ARROW_SCHEMA, preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: json.dumps(about).encode()})
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")
        with replacing(slides_csv(path)) as accounts:
            manifest.slides.to_csv(accounts, index=False)


def read_manifest(path: Path) -> Manifest:
    """Read and verify a manifest.

    Raises:
        ManifestError: If there is none, another version wrote it, or tables and note do not fit each other.
    """
    if not path.is_file():
        raise ManifestError(f"there is no manifest {path}", "check the path")
    try:
        table = pq.read_table(path)
        about = json.loads((table.schema.metadata or {})[_KEY])
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(f"{path} is no Parquet file that can be read", _AGAIN) from error
    except (KeyError, ValueError) as error:
        raise ManifestError(f"{path} is no manifest: it does not say where it comes from", _AGAIN) from error
    note = _note(about, path)
    tiles, slides = table.to_pandas(), _from_json(about, path)
    if problem := first_problem(tiles, slides, note):
        raise ManifestError(f"{path} {problem}", _AGAIN)
    return Manifest(tiles, slides, note)


def _note(about: Any, path: Path) -> ManifestNote:
    """The note; another version's is refused before its keys are looked at."""
    try:
        version = about["note"]["format_version"]
        if version != FORMAT_VERSION:
            raise ManifestError(
                f"{path} has format version {version}, this software reads version {FORMAT_VERSION}", _AGAIN
            )
        return ManifestNote.model_validate(about["note"])
    except (KeyError, TypeError, ValidationError) as error:
        raise ManifestError(f"{path} is no manifest: its note cannot be read", _AGAIN) from error


def _to_json(slides: pd.DataFrame) -> Any:
    return json.loads(str(slides.to_json(orient="split", index=False, double_precision=15)))


def _from_json(about: Any, path: Path) -> pd.DataFrame:
    try:
        slides = pd.DataFrame(about["slides"]["data"], columns=about["slides"]["columns"])
        return slides.astype({name: kind for name, kind in SLIDE_COLUMNS.items() if name in slides})
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path} is no manifest: its slide table cannot be read", _AGAIN) from error
