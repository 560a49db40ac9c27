"""What every model of the task is given and gives. In: bags and a bench. Out: chances, and what each cell weighed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import CellSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.tensors import Tensors

Float = NDArray[np.float64]
CALLED_FROM = 0.5


@dataclass(frozen=True)
class Bench:
    """What trainings share.

    Attributes:
        folder: For pixels, codes and weights; what lies there is not made again.
        cells: How lymphocytes are found.
        pool: Bags whose cells, never labels, an auto-encoder may learn from; None for those that are trained on.
    """

    folder: Path
    cells: CellSettings = field(default_factory=CellSettings)
    pool: Bags | None = None


@dataclass(frozen=True)
class Judged:
    """What a model says.

    Attributes:
        chance: (P,) of tumoral, 0-1.
        weights: (P,) arrays, (N_i,) what each cell weighed; signed where a model knows in which direction.
        meaning: What the weights are.
    """

    chance: Float
    weights: tuple[Float, ...]
    meaning: str

    @property
    def is_tumoral(self) -> NDArray[np.bool_]:
        """(P,) calls."""
        return self.chance >= CALLED_FROM


Fit = Callable[[Bags, Bench, int], Tensors]
Judge = Callable[[Tensors, Bags, Bench], Judged]


@dataclass(frozen=True)
class Model:
    """A way to learn and to judge; what is learnt is arrays only, so that a file holds all of it.

    Attributes:
        fit: From bags with labels, a bench and a seed to arrays.
        judge: From these arrays, bags and a bench to chances.
    """

    fit: Fit
    judge: Judge
