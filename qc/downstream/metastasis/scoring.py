"""Scores of a slide's tiles, read and called in portions. In: classifiers and tiles. Out: chances, kept on disc."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from qc.downstream.bank import Bank, places, read_tile
from qc.downstream.classifier import Classifier
from qc.downstream.stain import Normaliser
from qc.errors import ManifestError
from qc.files import replacing
from qc.geometry import Mpp
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.slide.protocol import Slide

_PORTION_TILES = 256
_LOOK_TILES = 200


def score_slides(
    tiles: pd.DataFrame, classifier: Classifier, folder: Path, tell: Callable[[], None] = lambda: None
) -> NDArray[np.float64]:
    """(N,) chance of tumour for each tile, in the table's order.

    A slide that was scored before by the same network is not read again. At most 256 tiles are in memory.

    Args:
        tiles: Rows of a manifest.
        classifier: What scores them; a slide's look is taken of tiles spread over it.
        folder: Where scores are kept.
        tell: Called after each slide.

    Raises:
        ManifestError: If a slide is not where the manifest says.
        SlideError: If a slide cannot be read.
    """
    network, chances = _digest(classifier), np.full(len(tiles), np.nan)
    for slide_id, rows in tiles.reset_index(drop=True).groupby("slide_id", sort=True).groups.items():
        own = tiles.iloc[rows].reset_index(drop=True)  # type: ignore[call-overload]
        chances[rows.to_numpy()] = _kept(str(slide_id), own, classifier, folder / network)
        tell()
    return chances


def _kept(slide_id: str, tiles: pd.DataFrame, classifier: Classifier, folder: Path) -> NDArray[np.float64]:
    path = Path(str(tiles["path"].iloc[0]))
    if not path.is_file():
        raise ManifestError(f"{path} of slide {slide_id} is not there", "bring the slides back, or filter them again")
    what = f"{fingerprint(path)} {places(tiles)!r} {tiles['width_level0'].tolist()!r}"
    file = folder / f"{slide_id}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.npy"
    if not file.is_file():
        chances = _scored(path, tiles, classifier)
        with replacing(file) as partial, partial.open("wb") as handle:
            np.save(handle, chances)
    return np.load(file)


def _scored(path: Path, tiles: pd.DataFrame, classifier: Classifier) -> NDArray[np.float64]:
    slide = open_slide(SlideFile(path, Mpp(float(tiles["slide_mpp"].iloc[0]))))
    try:
        few = tiles.iloc[np.unique(np.linspace(0, len(tiles) - 1, _LOOK_TILES).astype(int))].reset_index(drop=True)
        normalise = classifier.normaliser(few, _read(slide, few, classifier))
        starts = range(0, len(tiles), _PORTION_TILES)
        parts = (tiles.iloc[start : start + _PORTION_TILES].reset_index(drop=True) for start in starts)
        return np.concatenate([_chances(_read(slide, part, classifier), part, classifier, normalise) for part in parts])
    finally:
        slide.close()


def _read(slide: Slide, tiles: pd.DataFrame, classifier: Classifier) -> Bank:
    names = [f"{name}_level0" for name in ("x", "y", "width", "height")]
    boxes = tiles[names].to_numpy().tolist()
    pixels = [read_tile(slide, tuple(box), classifier.settings.input_px) for box in boxes]
    slide_id = str(tiles["slide_id"].iloc[0])
    return Bank({slide_id: np.stack(pixels)}, {place: row for row, place in enumerate(places(tiles))})


def _chances(bank: Bank, tiles: pd.DataFrame, classifier: Classifier, normalise: Normaliser) -> NDArray[np.float64]:
    pixels = [normalise(bank.tile(place), place[0]) for place in places(tiles)]
    with torch.inference_mode():
        logits = classifier.network(torch.from_numpy(np.stack(pixels))).float()
        return torch.softmax(logits, dim=1)[:, -1].double().numpy()


def _digest(classifier: Classifier) -> str:
    """Tells networks, and the looks they want, apart."""
    digest = hashlib.sha256(classifier.settings.model_dump_json().encode())
    digest.update(repr(classifier.target).encode())
    for name, one in sorted(classifier.network.state_dict().items()):
        digest.update(name.encode() + one.cpu().numpy().tobytes())
    return digest.hexdigest()[:20]
