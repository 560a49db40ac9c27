"""Glands drawn over their image. In: pixels and instance labels. Out: a picture; label files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qc.downstream.glands.images import Labels, Rgb
from qc.files import replacing

FOUND, TRUE = (0, 60, 200), (250, 210, 0)
_BYTE = 255


def outlined(rgb: Rgb, labels: Labels, colour: tuple[int, int, int] = FOUND, width_px: int = 2) -> Rgb:
    """An image with a line inside each gland along its outline, where it ends and not where the image does."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width_px + 1, 2 * width_px + 1))
    padded = np.pad(labels, width_px, mode="edge").astype(np.float32)
    is_edge = (np.asarray(cv2.dilate(padded, kernel)) != np.asarray(cv2.erode(padded, kernel))) & (padded > 0)
    inner = is_edge[width_px:-width_px, width_px:-width_px]
    return np.where(inner[..., None], np.array(colour, np.uint8), rgb).astype(np.uint8)


def write_labels(labels: Labels, path: Path) -> None:
    """Instance labels as a PNG of 8 bits, or of 16 where there are more than 255."""
    kind: type[np.unsignedinteger] = np.uint8 if labels.max(initial=0) <= _BYTE else np.uint16
    with replacing(path) as partial:
        Image.fromarray(labels.astype(kind)).save(partial, "PNG")


def write_picture(rgb: NDArray[np.uint8], path: Path) -> None:
    """A picture as PNG."""
    with replacing(path) as partial:
        Image.fromarray(rgb).save(partial, "PNG")
