"""How sharp a tile is, and tiles made equally sharp. In: tiles. Out: a number, or the tile with a disc of blur.

For asking whether a classifier reads blur: where sharpness goes with the label, any score that ranks sharpness ranks
the label too.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.optics.defocus import blur

Rgb = NDArray[np.uint8]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_STEPS = 12
_LARGEST_RADIUS_PX = 4.0


def sharpness(rgb: Rgb) -> float:
    """Logarithm of the variance of the Laplacian of brightness (Pech-Pacheco et al. 2000), higher is sharper."""
    grey = rgb.astype(np.float32) @ _LUMA
    return float(np.log(cv2.Laplacian(grey, cv2.CV_32F).var() + 1e-3))


def blurred_to(rgb: Rgb, wanted: float) -> Rgb:
    """A tile no sharper than `wanted`, under the smallest disc of blur that does it; softer tiles stay as they are.

    Args:
        rgb: (H, W, 3) uint8.
        wanted: Sharpness, as `sharpness` says it; within a disc of 4 pixels it is met to about 0.01.
    """
    if sharpness(rgb) <= wanted:
        return rgb
    light = rgb.astype(np.float32) / 255
    low, high = 0.0, _LARGEST_RADIUS_PX
    out = rgb
    for _ in range(_STEPS):
        middle = (low + high) / 2
        out = np.clip(np.rint(blur(light, middle, 1.0) * 255), 0, 255).astype(np.uint8)
        if sharpness(out) > wanted:
            low = middle
        else:
            high = middle
    return np.clip(np.rint(blur(light, high, 1.0) * 255), 0, 255).astype(np.uint8)


def matched(sharp: Sequence[float], target: Sequence[int], bins: int, seed: int = 0) -> NDArray[np.intp]:
    """Rows of tiles such that each bin of sharpness holds as many of one label as of the other.

    Args:
        sharp: Sharpness of each tile.
        target: 0 or 1 for each tile.
        bins: Number of bins, of equally many tiles.
        seed: Of the draw among the tiles of the commoner label.
    """
    value, label = np.asarray(sharp), np.asarray(target)
    edges = np.quantile(value, np.linspace(0, 1, bins + 1)[1:-1])
    number = np.digitize(value, edges)
    rng = np.random.default_rng(seed)
    kept = []
    for one in range(bins):
        rows = [np.flatnonzero((number == one) & (label == which)) for which in (0, 1)]
        few = min(map(len, rows))
        kept += [rng.permutation(of_label)[:few] for of_label in rows]
    return np.sort(np.concatenate(kept)).astype(np.intp)
