"""Tiles as torch takes them, and the balanced sampler. In: rows of a manifest and their pixels. Out: batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from qc.config.training import AugmentSettings
from qc.downstream.bank import Bank, places
from qc.downstream.stain import Normaliser
from qc.nets.augment import Augmentation


@dataclass(frozen=True)
class Draw:
    """A tile to be read: its row, and a number that differs between all draws, so that none is varied twice alike."""

    row: int
    number: int


class Sample(TypedDict):
    """`rgb` (H, W, 3) uint8, normalised and varied; `target` int64, index of the label; `row` int64 in the table."""

    rgb: Tensor
    target: Tensor
    row: Tensor


class TileDataset(Dataset[Sample]):
    """Tiles of a table.

    Args:
        table: Rows of a manifest, from `qc.downstream.cases.labelled`.
        bank: Their pixels.
        normalise: Stain normalisation.
        augment: How tiles vary; None leaves them as they are.
        seed: Of the variation.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        bank: Bank,
        normalise: Normaliser,
        augment: AugmentSettings | None = None,
        seed: int = 0,
    ) -> None:
        self._places, self._targets = places(table), table["target"].tolist()
        self._bank, self._normalise, self._seed = bank, normalise, seed
        self._augment = Augmentation(augment) if augment else None

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, draw: Draw | int) -> Sample:
        """The tile of a draw, or of a row as it is."""
        cv2.setNumThreads(1)
        row = draw.row if isinstance(draw, Draw) else draw
        place = self._places[row]
        rgb = self._normalise(self._bank.tile(place), place[0])
        if self._augment is not None and isinstance(draw, Draw):
            look = np.random.SeedSequence([self._seed, draw.number]).generate_state(1)
            rgb = self._augment.look(rgb, int(look[0]))
        return {
            "rgb": torch.from_numpy(np.array(rgb)),
            "target": torch.tensor(self._targets[row]),
            "row": torch.tensor(row),
        }


class BalancedTiles(Sampler[list[Draw]]):
    """Batches in which every label is equally likely, within a label every slide, within a slide every tile.

    Args:
        table: Rows with `target` and `slide_id`.
        batch_tiles: Tiles in a batch.
        batches: Batches in an epoch.
        seed: Of all draws; the same seed and epoch give the same batches.

    Raises:
        ValueError: If there is nothing to draw.
    """

    def __init__(self, table: pd.DataFrame, batch_tiles: int, batches: int, seed: int) -> None:
        if table.empty or batch_tiles < 1 or batches < 1:
            raise ValueError(f"{batches} batches of {batch_tiles} tiles cannot be drawn from {len(table)}")
        indexed = table.reset_index(drop=True)
        self._slides = [
            [group.index.to_numpy() for _, group in of_label.groupby("slide_id", sort=True)]
            for _, of_label in indexed.groupby("target", sort=True)
        ]
        self._batch_tiles, self._batches, self._seed, self._epoch = batch_tiles, batches, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Other draws from now on, the same for the same epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[Draw]]:
        """Batches of the epoch set."""
        for batch in range(self._batches):
            rng = np.random.default_rng([self._seed, self._epoch, batch])
            first = (self._epoch * self._batches + batch) * self._batch_tiles
            # labels in turn, begun at random: each batch is as even as whole tiles allow
            start = int(rng.integers(len(self._slides)))
            yield [
                Draw(self._any(self._slides[(start + i) % len(self._slides)], rng), first + i)
                for i in range(self._batch_tiles)
            ]

    @staticmethod
    def _any(slides: list[np.ndarray], rng: np.random.Generator) -> int:
        rows = slides[int(rng.integers(len(slides)))]
        return int(rows[int(rng.integers(len(rows)))])
