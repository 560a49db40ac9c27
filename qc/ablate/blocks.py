"""Blocks of pixels and the one class that each is said to show. In: classes of pixels. Out: classes of blocks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.labels import ARTEFACTS, IGNORE, ArtefactClass

Classes = NDArray[np.uint8]


@dataclass(frozen=True)
class BlockLabels:
    """Says what blocks show; an artefact from a share of their tissue on.

    Attributes:
        share: 0-1.
    """

    share: float

    def __call__(self, classes: Classes, side_px: int) -> Classes:
        """(H / side, W / side) uint8: the largest artefact, else clean tissue or glass, whichever is more, or IGNORE.

        A block of which half or more is IGNORE is IGNORE.

        Args:
            classes: (H, W) uint8 of `ArtefactClass` or IGNORE; H and W are multiples of `side_px`.
            side_px: Side of a block.
        """
        height, width = classes.shape
        blocks = classes.reshape(height // side_px, side_px, width // side_px, side_px)
        area = {one: (blocks == one).sum(axis=(1, 3)) for one in (*ARTEFACTS, ArtefactClass.CLEAN, ArtefactClass.GLASS)}
        artefacts = np.stack([area[one] for one in ARTEFACTS])
        clean, glass = area[ArtefactClass.CLEAN], area[ArtefactClass.GLASS]
        out = np.where(clean >= glass, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
        spoilt = artefacts.sum(axis=0)
        is_artefact = (spoilt > 0) & (spoilt >= self.share * (spoilt + clean))
        out[is_artefact] = np.array(ARTEFACTS, np.uint8)[artefacts.argmax(axis=0)][is_artefact]
        out[2 * (blocks == IGNORE).sum(axis=(1, 3)) >= side_px**2] = IGNORE
        return out
