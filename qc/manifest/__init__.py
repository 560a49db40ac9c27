"""The manifest: the table of chosen tiles and slides, and the only hand-off to classifiers."""

from qc.manifest.file import read_manifest, slides_csv, write_manifest
from qc.manifest.manifest import Manifest, ManifestNote
from qc.manifest.schema import (
    ARTEFACT_COLUMNS,
    CAUSES,
    CLASS_COLUMNS,
    SLIDE_COLUMNS,
    TILE_COLUMNS,
    SlideStatus,
    slide_frame,
    tile_frame,
)

__all__ = [
    "ARTEFACT_COLUMNS",
    "CAUSES",
    "CLASS_COLUMNS",
    "SLIDE_COLUMNS",
    "TILE_COLUMNS",
    "Manifest",
    "ManifestNote",
    "SlideStatus",
    "read_manifest",
    "slide_frame",
    "slides_csv",
    "tile_frame",
    "write_manifest",
]
