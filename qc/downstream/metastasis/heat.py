"""The heat map of a slide: one pixel per tile, its score. In: tiles with chances. Out: an array, six figures of it.

The figures are those from which CAMELYON17's node labels are commonly told: how sure, how much, how large.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEATURES = ("highest", "mean_positive", "pixels", "long_side", "short_side", "largest_pixels")
"""Columns of `features`, in the order of its docstring."""


@dataclass(frozen=True)
class HeatMap:
    """Scores of a slide's tiles.

    Attributes:
        scores: (H, W) float32, 0 normal to 1 tumour; NaN where no tile was scored.
        side_level0: Level-0 pixels under a pixel; the map begins at the slide's top left corner.
        slide_mpp: Micrometres per level-0 pixel.
    """

    scores: NDArray[np.float32]
    side_level0: int
    slide_mpp: float

    @property
    def pixel_um(self) -> float:
        """Side of a pixel, micrometres."""
        return self.side_level0 * self.slide_mpp


@dataclass(frozen=True)
class Detection:
    """A peak of a heat map: its middle in level-0 pixels, and its score."""

    x_level0: float
    y_level0: float
    score: float


def heat_map(tiles: pd.DataFrame, width_level0: int, height_level0: int) -> HeatMap:
    """The map of one slide.

    Args:
        tiles: The slide's scored tiles, with `probability`; they lie side by side from the slide's corner.
        width_level0: Width of the slide.
        height_level0: Height of the slide.

    Raises:
        ValueError: If there is no tile.
    """
    if tiles.empty:
        raise ValueError("a slide without a scored tile has no heat map")
    side = int(tiles["width_level0"].iloc[0])
    shape = max(1, height_level0 // side), max(1, width_level0 // side)
    rows, columns = tiles["y_level0"].to_numpy() // side, tiles["x_level0"].to_numpy() // side
    scores = np.full((max(shape[0], rows.max() + 1), max(shape[1], columns.max() + 1)), np.nan, np.float32)
    scores[rows, columns] = tiles["probability"].to_numpy(np.float32)
    return HeatMap(scores, side, float(tiles["slide_mpp"].iloc[0]))


def features(heat: HeatMap, threshold: float) -> dict[str, float]:
    """Six figures of a heat map.

    1. `highest`: the highest score.
    2. `mean_positive`: the sum of all scores over the number of scores above 0.
    3. `pixels`: pixels whose score is at least the threshold.
    4. `long_side`, 5. `short_side`: sides of the smallest rectangle, at any angle, around the largest object after
       thresholding, pixels; pixels that touch at a corner are one object.
    6. `largest_pixels`: pixels of that object.

    Args:
        heat: The map; pixels without a score count as 0.
        threshold: 0-1.
    """
    scores = np.nan_to_num(heat.scores, nan=0.0).astype(np.float64)
    hot = scores >= threshold
    above = int((scores > 0).sum())
    largest = _largest(hot)
    long, short = _sides(largest)
    return {
        "highest": float(scores.max()),
        "mean_positive": float(scores.sum() / above) if above else 0.0,
        "pixels": float(hot.sum()),
        "long_side": long,
        "short_side": short,
        "largest_pixels": float(largest.sum()),
    }


def detections(heat: HeatMap, score_min: float, apart_um: float) -> list[Detection]:
    """Peaks of a map, highest first: a pixel that lies within `apart_um` of a higher one is no peak.

    Args:
        heat: The map.
        score_min: Lower peaks are no detections.
        apart_um: Least distance, micrometres.
    """
    scores = np.nan_to_num(heat.scores, nan=-1.0)
    rows, columns = np.nonzero(scores >= max(score_min, 0.0))
    order = np.lexsort((columns, rows, -scores[rows, columns]))
    is_free = np.ones(scores.shape, np.bool_)
    v, u = np.ogrid[: scores.shape[0], : scores.shape[1]]
    reach = apart_um / heat.pixel_um
    found = []
    for row, column in zip(rows[order], columns[order], strict=True):
        if is_free[row, column]:
            found.append(_middle(heat, int(row), int(column), float(scores[row, column])))
            is_free[(v - row) ** 2 + (u - column) ** 2 < max(reach, 0.5) ** 2] = False
    return found


def _middle(heat: HeatMap, row: int, column: int, score: float) -> Detection:
    return Detection((column + 0.5) * heat.side_level0, (row + 0.5) * heat.side_level0, score)


def _largest(hot: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, numbers = cv2.connectedComponents(hot.astype(np.uint8), connectivity=8)
    if count == 1:
        return np.zeros_like(hot)
    return np.asarray(numbers == 1 + int(np.argmax(np.bincount(numbers.ravel())[1:])))


def _sides(shape: NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(shape)
    if not len(rows):
        return 0.0, 0.0
    corners = [(columns + across, rows + down) for across in (0, 1) for down in (0, 1)]
    points = np.concatenate([np.stack(one, axis=1) for one in corners]).astype(np.float32)
    _, (width, height), _ = cv2.minAreaRect(points)
    return float(max(width, height)), float(min(width, height))
