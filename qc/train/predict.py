"""What a network says of tiles it was not trained on. In: a network and tiles. Out: logits of single cells, scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from qc.labels import ARTEFACTS, IGNORE, ArtefactClass
from qc.nets.build import Network
from qc.nets.loss import PRESENT_SHARE
from qc.train.dataset import TileDataset
from qc.train.loaders import Source

_BATCH = 16
_CELLS_PER_TILE = 48


@dataclass(frozen=True, eq=False)
class Predicted:
    """Single cells of labelled tiles, drawn at random, and a score of each weakly labelled tile.

    Attributes:
        logits: (n, C) float32.
        classes: (n,) int64, the true class's index.
        slides: (n,) the slide of each cell.
        is_real: (n,) bool, False for cells of tiles with composed artefacts.
        tile_scores: (m,) float32, mean of the highest twentieth of the probability of any artefact in a tile.
        tile_truth: (m,) bool, True when the weak label names an artefact.
        tile_slides: (m,) slides.
    """

    logits: NDArray[np.float32]
    classes: NDArray[np.int64]
    slides: NDArray[np.str_]
    is_real: NDArray[np.bool_]
    tile_scores: NDArray[np.float32]
    tile_truth: NDArray[np.bool_]
    tile_slides: NDArray[np.str_]

    @staticmethod
    def pooled(parts: Sequence["Predicted"]) -> "Predicted":
        """All of several."""
        return Predicted(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in Predicted.__annotations__)
        )


def predict(
    network: Network, tiles: Source, classes: tuple[ArtefactClass, ...], seed: int, most: int = 2500
) -> Predicted:
    """Run a network over tiles as they are.

    Args:
        network: In evaluation mode.
        tiles: Of slides that it was not trained on.
        classes: What it tells apart.
        seed: Of the cells that are kept.
        most: Tiles at most, drawn at random.
    """
    refs = tiles.refs
    rng = np.random.default_rng([seed, 2])
    chosen = rng.permutation(len(refs))[:most]
    dataset = TileDataset(tiles, classes, network.stride, None, seed)
    is_artefact = torch.tensor([one in ARTEFACTS for one in classes])
    cells: list[tuple[NDArray, NDArray, str, bool]] = []
    scores: list[tuple[float, bool, str]] = []
    for start in range(0, len(chosen), _BATCH):
        indices = chosen[start : start + _BATCH]
        samples = [dataset.sample(int(index)) for index in indices]
        with torch.inference_mode():
            logits = network(torch.stack([sample["rgb"] for sample in samples])).float()
        suspicion = torch.softmax(logits, dim=1)[:, is_artefact].sum(dim=1).flatten(1)
        top = suspicion.topk(max(1, round(PRESENT_SHARE * suspicion.shape[1])), dim=1).values.mean(dim=1)
        for place, index in enumerate(indices):
            ref = refs[index]
            if ref.weak is not None or not (ref.classes or ref.is_composed):
                scores.append((float(top[place]), bool(ref.classes), ref.slide))
            truth = samples[place]["classes"].flatten().numpy()
            labelled = np.flatnonzero(truth != IGNORE)
            if labelled.size:
                kept = rng.choice(labelled, min(_CELLS_PER_TILE, labelled.size), replace=False)
                values = logits[place].flatten(1).numpy().T[kept]
                cells.append((values, truth[kept], ref.slide, not ref.is_composed))
    none = np.zeros((0, len(classes)), np.float32)
    return Predicted(
        logits=np.concatenate([none, *(c[0] for c in cells)]),
        classes=np.concatenate([np.zeros(0, np.int64), *(c[1] for c in cells)]),
        slides=np.array([c[2] for c in cells for _ in c[1]], str),
        is_real=np.array([c[3] for c in cells for _ in c[1]], bool),
        tile_scores=np.array([s[0] for s in scores], np.float32),
        tile_truth=np.array([s[1] for s in scores], bool),
        tile_slides=np.array([s[2] for s in scores], str),
    )
