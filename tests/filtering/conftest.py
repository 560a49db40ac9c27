from collections.abc import Callable

import numpy as np
import pytest

from qc.filtering.standing import SlideFacts
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap, TissueMask

Maps = tuple[ArtefactMap, TissueMask]


@pytest.fixture
def make_maps() -> Callable[..., Maps]:
    """Random maps on 8 um cells: blotches of every class over tissue, with (seed, slide width, height, slide mpp)."""

    def make(seed: int = 0, width: int = 6000, height: int = 5000, mpp: float = 0.5, glass: float = 0.05) -> Maps:
        rng = np.random.default_rng(seed)
        grid = Grid(Size(width, height), Mpp(mpp), Mpp(8.0))
        coarse = rng.integers(0, len(ArtefactClass) - 1, (12, 12)).astype(np.uint8)
        blotches = np.kron(coarse, np.ones((grid.shape[0] // 12 + 1, grid.shape[1] // 12 + 1), np.uint8))
        classes = blotches[: grid.shape[0], : grid.shape[1]].copy()
        classes[rng.random(grid.shape) < 0.5] = ArtefactClass.CLEAN
        classes[rng.random(grid.shape) < glass] = ArtefactClass.GLASS
        return ArtefactMap(classes, grid), TissueMask(rng.random(grid.shape) < 0.95, grid)

    return make


@pytest.fixture
def make_facts() -> Callable[..., SlideFacts]:
    """What is known about a usable slide of 0.5 mpp, with changes."""

    def make(**changes: str | float) -> SlideFacts:
        texts = {"slide_id": "a-1", "path": "/slides/a.svs", "verdict": "usable", "verdict_by": "default 1"}
        sizes = {"width_level0": 6000, "height_level0": 5000, "slide_mpp": 0.5, "tissue_mm2": 5.0}
        return SlideFacts(**({**texts, "verdict_reason": "", **sizes} | changes))  # type: ignore[arg-type]

    return make
