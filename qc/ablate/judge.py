"""What a network says of the test tiles, on cells that all runs share. In: a network and tiles. Out: scores, tallies.

A score is the probability of any artefact. Where the network's own cells are finer they are averaged, where they are
coarser they are repeated. Of detection, every half-overlapping window gives its score to the cells that it covers.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from qc.ablate.blocks import BlockLabels
from qc.ablate.network import VariedNetwork
from qc.ablate.tally import BINS, Histogram, SlideTally, histogram
from qc.labels import ARTEFACTS, ArtefactClass
from qc.nets.loss import PRESENT_SHARE
from qc.train.bank import PartOfBank

_BATCH = 16
_MOSTLY = BlockLabels(0.5)


def score_maps(
    network: VariedNetwork, tiles: PartOfBank, classes: Sequence[ArtefactClass], cell_px: int
) -> NDArray[np.float32]:
    """(N, h, w) scores 0-1 of cells.

    Args:
        network: In evaluation mode.
        tiles: N tiles.
        classes: What the network tells apart.
        cell_px: Side of a cell in pixels of a tile.
    """
    is_artefact = torch.tensor([one in ARTEFACTS for one in classes])
    maps = []
    for rgb in _batches(tiles):
        with torch.inference_mode():
            maps.append(_scores(network, rgb, is_artefact, cell_px).numpy())
    return np.concatenate(maps).astype(np.float32)


def _batches(tiles: PartOfBank) -> Iterator[Tensor]:
    count = len(tiles.indices)
    for start in range(0, count, _BATCH):
        batch = [tiles.read(i, ArtefactClass.CLEAN, 0).rgb for i in range(start, min(start + _BATCH, count))]
        yield torch.from_numpy(np.stack(batch))


def _scores(network: VariedNetwork, rgb: Tensor, is_artefact: Tensor, cell_px: int) -> Tensor:
    shape = (rgb.shape[1] // cell_px, rgb.shape[2] // cell_px)
    side = network.window_px
    if side is None:
        return functional.interpolate(_artefact(network(rgb), is_artefact), size=shape, mode="area")[:, 0]
    total, times = torch.zeros(len(rgb), *rgb.shape[1:3]), torch.zeros(rgb.shape[1:3])
    starts = [range(0, length - side + 1, side // 2) for length in rgb.shape[1:3]]
    for top, left in product(*starts):
        window = (slice(top, top + side), slice(left, left + side))
        score = _artefact(network(rgb[:, window[0], window[1]]), is_artefact)
        total[:, window[0], window[1]] += score[:, 0]
        times[window] += 1
    return functional.interpolate((total / times)[:, None], size=shape, mode="area")[:, 0]


def _artefact(logits: Tensor, is_artefact: Tensor) -> Tensor:
    return torch.softmax(logits.float(), dim=1)[:, is_artefact].sum(dim=1, keepdim=True)


def tally_slides(
    composed: PartOfBank,
    composed_maps: NDArray[np.float32],
    real: PartOfBank,
    real_maps: NDArray[np.float32],
    cell_px: int,
) -> list[SlideTally]:
    """Scores and truth of each test slide, in the order of names; cells of glass are left out.

    Args:
        composed: N clean tiles and tiles with composed artefacts.
        composed_maps: (N, h, w) scores.
        real: M tiles of real artefacts and tiles without.
        real_maps: (M, h, w) scores.
        cell_px: Side of a cell in pixels of a tile.
    """
    cells: dict[str, dict[ArtefactClass, Histogram]] = {}
    for index, ref in enumerate(composed.refs):
        truth = _MOSTLY(composed.read(index, ArtefactClass.CLEAN, 0).classes, cell_px)
        of_slide = cells.setdefault(ref.slide, {one: _none() for one in (ArtefactClass.CLEAN, *ARTEFACTS)})
        for one in of_slide:
            of_slide[one] += histogram(composed_maps[index][truth == one])
    tiles = {slide: (_none(), _none()) for slide in cells}
    for score, ref in zip(tile_scores(real_maps), real.refs, strict=True):
        if ref.slide in tiles:
            tiles[ref.slide][bool(ref.classes)][:] += histogram(score)
    return [SlideTally(slide, cells[slide], tiles[slide]) for slide in sorted(cells)]


def tile_scores(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) mean of the highest twentieth of each map's cells."""
    flat = np.sort(maps.reshape(len(maps), -1), axis=1)
    return flat[:, -max(1, round(PRESENT_SHARE * flat.shape[1])) :].mean(axis=1)


def _none() -> Histogram:
    return np.zeros(BINS, np.int64)
