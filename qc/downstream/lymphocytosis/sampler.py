"""Orders of rows. In: a number of rows and a seed. Out: batches that hold every row once an epoch."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class ShuffledRows(Sampler[list[int]]):
    """Every row once in an epoch, in batches as even as can be; the same order for the same seed and epoch.

    Args:
        rows: How many there are.
        batch: How many make a batch at most.
        seed: Of the orders.
    """

    def __init__(self, rows: int, batch: int, seed: int) -> None:
        self._rows, self._batch, self._seed, self._epoch = rows, batch, seed, 0

    @property
    def epoch(self) -> int:
        """Which epoch it is."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Another order from now on."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._rows // self._batch)

    def __iter__(self) -> Iterator[list[int]]:
        """Batches of the epoch set."""
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._rows)
        for batch in np.array_split(order, len(self)):
            yield batch.tolist()
