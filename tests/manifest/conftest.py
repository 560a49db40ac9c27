from collections.abc import Callable
from typing import Any

import pytest

from qc.manifest import CAUSES, Manifest, ManifestNote, slide_frame, tile_frame

MakeManifest = Callable[..., Manifest]

TILE = {
    **{"slide_id": "a-1", "path": "/slides/a.svs", "patient": "p1", "label": "FL", "split": ""},
    **{"x_level0": 0, "y_level0": 512, "width_level0": 512, "height_level0": 512},
    **{"tile_px": 256, "tile_mpp": 0.5, "slide_mpp": 0.25, "tissue": 0.9},
    **{"clean": 0.7, "fold": 0.3, "foreign": 0, "pen": 0, "bubble": 0, "out_of_focus": 0, "unassessed": 0},
    **{"is_kept": True, "reason": "", "settings_fingerprint": "f" * 64},
}
NOTE = ManifestNote(
    software_version="0",
    settings_fingerprint="f" * 64,
    runs=("r",),
    profile="default 1",
    filter_settings={},
    filter_fingerprint="e" * 64,
)


@pytest.fixture
def make_manifest() -> MakeManifest:
    """Builds a manifest of three tiles of slide a-1, the last one removed, and a slide b-2 without any."""

    def make(columns: dict[str, Any] | None = None, clinical: dict[str, Any] | None = None) -> Manifest:
        tiles = tile_frame({**TILE, "x_level0": 512 * i} for i in range(3))
        tiles.loc[2, ["is_kept", "reason"]] = [False, "fold 0.30 > 0.10"]
        accounts = [
            {"slide_id": "a-1", "status": "kept", "candidates": 3, "kept": 2, "removed_fold": 1, **(clinical or {})},
            {"slide_id": "b-2", "status": "unassessed", "why": "unopenable", **dict.fromkeys(clinical or {})},
        ]
        assert all(f"removed_{cause}" in slide_frame().columns for cause in CAUSES)
        return Manifest(tiles.assign(**(columns or {})), slide_frame(accounts), NOTE)

    return make
