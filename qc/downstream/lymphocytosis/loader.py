"""Batches of bags. In: features or pixels of each patient's cells. Out: padded tensors, drawn anew each epoch."""

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from qc.downstream.lymphocytosis.sampler import ShuffledRows


class BagBatch(TypedDict):
    """Padded bags.

    Attributes:
        cells: (B, N, ...), zero where padded.
        mask: (B, N) bool, False where padded.
        clinical: (B, C) float32, standardised.
        target: (B,) float32, 1 for tumoral.
        epoch: In which they were drawn, from 0.
    """

    cells: Tensor
    mask: Tensor
    clinical: Tensor
    target: Tensor
    epoch: int


_PICTURES = 4  # dimensions of (N, H, W, 3)

Turn = tuple[int, int]
"""Epoch and patient."""


class BagDataset(Dataset[dict[str, Any]]):
    """One patient at a time, some of the cells; pictures are turned and mirrored.

    Args:
        cells: (N_i, ...) of each patient.
        clinical: (P, C) standardised.
        target: (P,).
        cells_max: Cells drawn of each patient.
        seed: Of draws; the same seed, epoch and patient give the same cells.
    """

    def __init__(
        self,
        cells: Sequence[NDArray[np.generic]],
        clinical: NDArray[np.float64],
        target: NDArray[np.bool_],
        cells_max: int,
        seed: int,
    ) -> None:
        self._cells, self._clinical, self._target = cells, clinical, target
        self._cells_max, self._seed = cells_max, seed

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, turn: Turn) -> dict[str, Any]:
        """The bag of a patient in an epoch."""
        epoch, patient = turn
        rng = np.random.default_rng([self._seed, epoch, patient])
        own = self._cells[patient]
        drawn = np.sort(rng.permutation(len(own))[: self._cells_max])
        cells = np.array(own[drawn])
        if cells.ndim == _PICTURES and len(cells):
            cells = np.ascontiguousarray(np.stack([_turned(one, int(rng.integers(8))) for one in cells]))
        return {"cells": cells, "clinical": self._clinical[patient], "target": self._target[patient], "epoch": epoch}


class PatientBatches(Sampler[list[Turn]]):
    """Every patient once in an epoch, in another order each time.

    Args:
        patients: How many there are.
        batch_patients: How many make a batch.
        seed: Of the orders.
    """

    def __init__(self, patients: int, batch_patients: int, seed: int) -> None:
        self._rows = ShuffledRows(patients, batch_patients, seed)

    def set_epoch(self, epoch: int) -> None:
        """Another order from now on, the same for the same epoch."""
        self._rows.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[list[Turn]]:
        """Batches of the epoch set."""
        for batch in self._rows:
            yield [(self._rows.epoch, row) for row in batch]


def padded(bags: Sequence[dict[str, Any]]) -> BagBatch:
    """Bags of different size side by side."""
    most = max([1, *(len(one["cells"]) for one in bags)])
    shape, kind = bags[0]["cells"].shape[1:], bags[0]["cells"].dtype
    cells = np.zeros((len(bags), most, *shape), kind)
    mask = np.zeros((len(bags), most), bool)
    for i, one in enumerate(bags):
        cells[i, : len(one["cells"])] = one["cells"]
        mask[i, : len(one["cells"])] = True
    return {
        "cells": torch.from_numpy(cells),
        "mask": torch.from_numpy(mask),
        "clinical": torch.from_numpy(np.stack([one["clinical"] for one in bags]).astype(np.float32)),
        "target": torch.tensor([float(one["target"]) for one in bags]),
        "epoch": int(bags[0]["epoch"]),
    }


def bag_loader(dataset: BagDataset, batch_patients: int, seed: int) -> DataLoader[Any]:
    """Batches for `qc.downstream.trainer.train`."""
    return DataLoader(dataset, batch_sampler=PatientBatches(len(dataset), batch_patients, seed), collate_fn=padded)


def _turned(cell: NDArray[np.generic], which: int) -> NDArray[np.generic]:
    """One of the eight ways a square picture can lie."""
    turned = np.rot90(cell, which % 4)
    return turned[:, ::-1] if which >= 4 else turned
