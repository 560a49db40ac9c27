from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qc.config.downstream import ClassifierSettings, FitSettings, StainSettings
from qc.downstream.bank import Bank, read_bank
from qc.downstream.cases import labelled
from qc.manifest import Manifest, ManifestNote, slide_frame, tile_frame, write_manifest

SIDE = 48
FINGERPRINT = "f" * 64
NOTE = ManifestNote(
    software_version="0",
    settings_fingerprint=FINGERPRINT,
    runs=("r",),
    profile="default 1",
    filter_settings={},
    filter_fingerprint="e" * 64,
)


def tile_row(
    slide: str, path: Path | str, label: str, column: int, row: int, is_kept: bool = True
) -> dict[str, object]:
    fold = 0.0 if is_kept else 0.5
    return {
        **{"slide_id": slide, "path": str(path), "patient": slide, "label": label, "split": ""},
        **{"x_level0": column * SIDE, "y_level0": row * SIDE, "width_level0": SIDE, "height_level0": SIDE},
        **{"tile_px": SIDE, "tile_mpp": 1.0, "slide_mpp": 1.0, "tissue": 1.0},
        **{"clean": 1 - fold, "fold": fold, "foreign": 0, "pen": 0, "bubble": 0, "out_of_focus": 0, "unassessed": 0},
        **{"is_kept": is_kept, "reason": "" if is_kept else "fold 0.5 > 0.1", "settings_fingerprint": FINGERPRINT},
    }


def draw(label: str, seed: int) -> np.ndarray:
    """Two rows of three tiles; FL is speckled, FH is striped; the stain differs from slide to slide."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 2 * SIDE, 0 : 3 * SIDE]
    grain = (rng.random(y.shape) < 0.4) if label == "FL" else ((x + y) % 8 < 3)
    stain = np.where(grain[..., None], rng.uniform(60, 110, 3), rng.uniform(150, 215, 3))
    return np.clip(stain + rng.normal(0, 6, (*y.shape, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def manifest_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight slides of six tiles; the last tile of each was removed, and of `fl-3` all."""
    folder = tmp_path_factory.mktemp("downstream")
    rows, accounts = [], []
    for i in range(8):
        label = "FL" if i % 2 else "FH"
        name = f"{label.lower()}-{i}"
        Image.fromarray(draw(label, i)).save(folder / f"{name}.png")
        kept = [name != "fl-3" and place < 5 for place in range(6)]
        rows += [tile_row(name, folder / f"{name}.png", label, p % 3, p // 3, kept[p]) for p in range(6)]
        accounts.append({"slide_id": name, "status": "kept", "candidates": 6, "kept": sum(kept)})
    path = folder / "tiles.parquet"
    write_manifest(Manifest(tile_frame(rows), slide_frame(accounts), NOTE), path)
    return path


@pytest.fixture(scope="session")
def tiles(manifest_path: Path) -> pd.DataFrame:
    return labelled(pd.read_parquet(manifest_path), ("FH", "FL"))


@pytest.fixture(scope="session")
def bank(tiles: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return read_bank(tiles, 32, tmp_path_factory.mktemp("pixels"))


@pytest.fixture(scope="session")
def small() -> Callable[..., ClassifierSettings]:
    def make(method: str = "none", epochs: int = 1, alpha: float = 0.0) -> ClassifierSettings:
        fit = FitSettings(epochs=epochs, batch_tiles=8, epoch_tiles_max=24, mixup_alpha=alpha, learning_rate=5e-3)
        stain = StainSettings.model_validate({"method": method})
        return ClassifierSettings(input_px=32, encoder="test_resnet", stain=stain, fit=fit)

    return make
