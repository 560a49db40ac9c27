"""What a network learns of instances. In: instance labels. Out: outside, core and border of glands.

The border is a band inside each outline, so that cores of neighbouring glands never touch.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

OUTSIDE, CORE, BORDER = 0, 1, 2
CLASSES = 3


def target(labels: NDArray[np.uint8], border_px: float) -> NDArray[np.uint8]:
    """Classes of pixels.

    Args:
        labels: (H, W) uint8 instance labels, 0 outside.
        border_px: Width of the band; where a gland leaves the image it has none.

    Returns:
        (H, W) uint8 of OUTSIDE, CORE and BORDER.
    """
    reach = max(1, round(border_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    is_border = np.asarray(cv2.dilate(labels, kernel)) != np.asarray(cv2.erode(labels, kernel))
    return np.where(labels == 0, OUTSIDE, np.where(is_border, BORDER, CORE)).astype(np.uint8)
