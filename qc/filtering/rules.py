"""Which tiles stay: limits over the shares of each tile. In: candidate rows. Out: a reason for each that goes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.filter import FilterSettings
from qc.manifest import ARTEFACT_COLUMNS, CAUSES

LIMITED = (*ARTEFACT_COLUMNS, "unassessed")


def reasons(tiles: pd.DataFrame, settings: FilterSettings) -> NDArray[np.str_]:
    """Why each tile has to go, such as `fold 0.31 > 0.1`; empty for one that may stay.

    Of several classes beyond their limits the one that covers most is named; `artefacts` stands for all together.
    Shares are compared as 32-bit numbers, as the manifest stores them.

    Args:
        tiles: Columns of `CLASS_COLUMNS`.
        settings: Limits, and classes that remove no tile.
    """
    counted = [name for name in LIMITED if name not in settings.ignore]
    artefacts = [name for name in ARTEFACT_COLUMNS if name not in settings.ignore]
    shares = tiles[counted].to_numpy(np.float32) if counted else np.zeros((len(tiles), 0), np.float32)
    limits = np.array([getattr(settings.limits, name) for name in counted], np.float32)
    together = tiles[artefacts].to_numpy(np.float32).sum(axis=1) if artefacts else np.zeros(len(tiles), np.float32)
    beyond = np.where(shares > limits, shares, np.float32(-1))
    is_over = beyond.max(axis=1, initial=-1) > 0
    found = np.full(len(tiles), "", dtype=object)
    for i in np.flatnonzero(is_over):
        worst = int(beyond[i].argmax())
        found[i] = _beyond(counted[worst], shares[i, worst], limits[worst])
    most = np.float32(settings.limits.artefacts)
    for i in np.flatnonzero(~is_over & (together > most)):
        found[i] = _beyond("artefacts", together[i], most)
    return found


def causes(reasons_of_tiles: Sequence[str]) -> list[str]:
    """What removed each tile, one of `CAUSES`; empty for a tile that is kept.

    >>> causes(["", "fold 0.31 > 0.1", "excluded by A. Person"])
    ['', 'fold', 'slide']
    """
    firsts = (reason.split(" ", 1)[0] for reason in reasons_of_tiles)
    return [first if first in CAUSES or not first else "slide" for first in firsts]


def _beyond(name: str, share: np.float32, limit: np.float32) -> str:
    return f"{name} {share:.3g} > {limit:.3g}"
