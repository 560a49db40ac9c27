"""The one sampler: what share of a batch is artefacts, and which, balanced over classes and slides.

In: tiles with their slide and their classes. Out: batches of (index, label), the same for the same seed and epoch.
Clean tissue, onto which artefacts are composed, can be drawn for any class; annotated tiles for theirs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch.utils.data import Sampler

from qc.labels import ARTEFACTS, ArtefactClass


class Sampled(Protocol):
    """A tile that can be drawn."""

    @property
    def slide(self) -> str:
        """What it is cut from."""
        ...

    @property
    def classes(self) -> frozenset[ArtefactClass]:
        """Artefacts annotated in it."""
        ...

    @property
    def composable(self) -> bool:
        """True for clean tissue, which can be given any artefact."""
        ...

    @property
    def weak(self) -> object | None:
        """What is known of the tile as a whole; None where its pixels are labelled."""
        ...

    @property
    def is_composed(self) -> bool:
        """True when its artefacts were composed, not met."""
        ...


@dataclass(frozen=True)
class Draw:
    """A tile to be read.

    Attributes:
        index: Of the tile.
        label: The artefact it is drawn for, CLEAN for none.
        number: Differs between all draws of all epochs, so that no artefact is composed twice alike.
    """

    index: int
    label: ArtefactClass
    number: int


class BalancedBatches(Sampler[list[Draw]]):
    """Batches with a stated share of artefact tiles.

    Within the artefact tiles every class is equally likely, within a class every slide, within a slide every tile;
    so are slides and tiles among the clean ones. The share holds in each batch as nearly as whole tiles allow, and
    exactly over many batches. Several processes share the batches of one stream: together they draw what one would.

    Args:
        tiles: What can be drawn.
        batch_tiles: Tiles in a batch.
        batches: Batches in an epoch, over all processes.
        artefact_share: 0-1; None takes tiles as they come, each equally likely.
        seed: Of all draws.
        annotated_share: Chance that an artefact tile is an annotated one where its class has any, 0-1; None leaves it
            to how many there are. Where some have labelled pixels and some are known as a whole only, both kinds are
            equally likely.
        composed_share: With None above, share of clean tiles that get an artefact: composable ones get it, and where
            composed tiles are kept, one of these comes instead; default 7.5 %; in published sets of
            slides artefacts are 2 to 9 % of the tissue.
        rank: Number of this process.
        world: Number of processes.

    Raises:
        ValueError: If there is nothing to draw, or a share or a rank is out of bounds.
    """

    def __init__(
        self,
        tiles: Sequence[Sampled],
        batch_tiles: int,
        batches: int,
        artefact_share: float | None = 0.5,
        seed: int = 0,
        composed_share: float = 0.075,
        annotated_share: float | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if not (0 <= rank < world):
            raise ValueError(f"rank {rank} is not among {world} processes")
        if batch_tiles < 1 or batches < world:
            raise ValueError(f"{batches} batches of {batch_tiles} tiles are too few for {world} processes")
        if artefact_share is not None and not 0 <= artefact_share <= 1:
            raise ValueError(f"artefact share must lie in 0-1, got {artefact_share}")
        self._tiles = tiles
        self._batch_tiles, self._batches = batch_tiles, batches
        self._share, self._composed_share = artefact_share, composed_share
        self._seed, self._epoch = seed, 0
        self._annotated_share = annotated_share
        self._rank, self._world = rank, world
        self._clean = _by_slide([i for i, tile in enumerate(tiles) if not tile.classes], tiles)
        self._by_class = {
            label: _by_slide([i for i, tile in enumerate(tiles) if tile.composable or label in tile.classes], tiles)
            for label in ARTEFACTS
        }
        self._by_class = {label: slides for label, slides in self._by_class.items() if slides}
        self._annotated = {label: _by_kind(_met(tiles, label), tiles) for label in ARTEFACTS}
        self._composed = {label: _by_slide(_composed(tiles, label), tiles) for label in ARTEFACTS}
        self._found = [i for i, tile in enumerate(tiles) if not tile.is_composed]
        self._kept = [i for i, tile in enumerate(tiles) if tile.is_composed]
        if (
            not tiles
            or (artefact_share and not self._by_class)
            or (artefact_share not in (None, 1) and not self._clean)
        ):
            raise ValueError("the tiles hold nothing to fill the wanted shares with")

    def set_epoch(self, epoch: int) -> None:
        """Other draws from now on, the same for the same epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Batches of this process; every process has as many."""
        return self._batches // self._world

    def __iter__(self) -> Iterator[list[Draw]]:
        """Batches of this process for the epoch set."""
        for step in range(len(self)):
            yield self._batch(step * self._world + self._rank)

    def _batch(self, batch: int) -> list[Draw]:
        rng = np.random.default_rng([self._seed, self._epoch, batch])
        first = (self._epoch * self._batches + batch) * self._batch_tiles
        if self._share is None:
            chosen = [self._as_it_comes(rng) for _ in range(self._batch_tiles)]
        else:
            wanted = int((batch + 1) * self._share * self._batch_tiles + 1e-9)
            wanted -= int(batch * self._share * self._batch_tiles + 1e-9)
            chosen = [self._artefact(rng) for _ in range(wanted)]
            chosen += [(_any(self._clean, rng), ArtefactClass.CLEAN) for _ in range(self._batch_tiles - wanted)]
        order = rng.permutation(self._batch_tiles)
        return [
            Draw(chosen[int(place)][0], chosen[int(place)][1], first + position) for position, place in enumerate(order)
        ]

    def _artefact(self, rng: np.random.Generator) -> tuple[int, ArtefactClass]:
        label = list(self._by_class)[int(rng.integers(len(self._by_class)))]
        annotated, composed = self._annotated[label], self._composed[label]
        if self._annotated_share is None or not (annotated and composed):
            return _any(self._by_class[label], rng), label
        if rng.random() >= self._annotated_share:
            return _any(composed, rng), label
        return _any(annotated[int(rng.integers(len(annotated)))], rng), label

    def _as_it_comes(self, rng: np.random.Generator) -> tuple[int, ArtefactClass]:
        found = self._found or self._kept
        index = found[int(rng.integers(len(found)))]
        if self._kept and not self._tiles[index].classes and rng.random() < self._composed_share:
            index = self._kept[int(rng.integers(len(self._kept)))]
        tile = self._tiles[index]
        choices = sorted(tile.classes)
        if tile.composable and rng.random() < self._composed_share:
            choices = list(ARTEFACTS)
        return index, choices[int(rng.integers(len(choices)))] if choices else ArtefactClass.CLEAN


def _by_slide(indices: list[int], tiles: Sequence[Sampled]) -> list[list[int]]:
    slides: dict[str, list[int]] = {}
    for index in indices:
        slides.setdefault(tiles[index].slide, []).append(index)
    return list(slides.values())


def _by_kind(indices: list[int], tiles: Sequence[Sampled]) -> list[list[list[int]]]:
    """By slide, first those with labelled pixels, then those that are known as a whole."""
    exact = [index for index in indices if tiles[index].weak is None]
    weak = [index for index in indices if tiles[index].weak is not None]
    return [_by_slide(kind, tiles) for kind in (exact, weak) if kind]


def _met(tiles: Sequence[Sampled], label: ArtefactClass) -> list[int]:
    return [i for i, tile in enumerate(tiles) if label in tile.classes and not tile.is_composed]


def _composed(tiles: Sequence[Sampled], label: ArtefactClass) -> list[int]:
    return [i for i, tile in enumerate(tiles) if tile.composable or (tile.is_composed and label in tile.classes)]


def _any(slides: list[list[int]], rng: np.random.Generator) -> int:
    slide = slides[int(rng.integers(len(slides)))]
    return slide[int(rng.integers(len(slide)))]
