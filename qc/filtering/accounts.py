"""Accounts: how many tiles and how much tissue each slide had, lost by cause and kept."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.filtering.rules import causes
from qc.manifest import CAUSES


def tissue_mm2(tiles: pd.DataFrame) -> NDArray[np.float64]:
    """Tissue in each tile, square millimetres."""
    sides_um = tiles[["width_level0", "height_level0"]].to_numpy(np.float64) * tiles[["slide_mpp"]].to_numpy(np.float64)
    return sides_um.prod(axis=1) / 1e6 * tiles["tissue"].to_numpy(np.float64)


def account(tiles: pd.DataFrame) -> dict[str, Any]:
    """Candidates, kept and removed tiles of one slide, as numbers and as square millimetres of tissue.

    Args:
        tiles: Its rows of a manifest.
    """
    area, cause = tissue_mm2(tiles), causes(tiles["reason"].tolist())
    row: dict[str, Any] = {"candidates": len(tiles), "candidates_mm2": float(area.sum())}
    for name, column in (("", "kept"), *((name, f"removed_{name}") for name in CAUSES)):
        is_so = np.array([one == name for one in cause], np.bool_)
        row |= {column: int(is_so.sum()), f"{column}_mm2": float(area[is_so].sum())}
    return row
