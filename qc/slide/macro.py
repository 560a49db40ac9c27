"""The scanner's photograph of the whole glass, fit to be shown: label ends are covered. Pure; no files.

The label of a slide holds names and numbers of patients, and the photograph often shows it.
"""

import numpy as np
from numpy.typing import NDArray

LABEL_SHARE = 1 / 3
"""Share of the glass's length that is covered: labels are at most 25 mm of 75 mm long (ISO 8037-1)."""
_LABEL_FIRST = frozenset({"aperio", "hamamatsu"})
_COVER = 226


def without_label(macro: NDArray[np.uint8], vendor: str) -> NDArray[np.uint8]:
    """A copy of the photograph whose label is covered; both ends are, where the vendor's habit is not known.

    Args:
        macro: (H, W, 3) uint8.
        vendor: OpenSlide's name of the format; those of Aperio and Hamamatsu have the label at the left.
    """
    covered = macro.copy()
    height, width = macro.shape[:2]
    along = covered if width >= height else covered.transpose(1, 0, 2)
    length_px = round(LABEL_SHARE * max(height, width))
    along[:, :length_px] = _COVER
    if width < height or vendor not in _LABEL_FIRST:
        along[:, -length_px:] = _COVER
    return covered
