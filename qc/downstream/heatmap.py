"""Where a decision comes from: the last activations laid over tile and slide. In: a classifier. Out: pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from qc.downstream.bank import Bank
from qc.downstream.classifier import Classifier
from qc.downstream.tiles import TileDataset
from qc.slide.protocol import Slide

Rgb = NDArray[np.uint8]
Heat = NDArray[np.float32]

_ALPHA = 0.45
_REMOVED = (120, 120, 120)
_BATCH_TILES = 64


def tile_heat(classifier: Classifier, table: pd.DataFrame, bank: Bank) -> Heat:
    """Evidence for the positive label by place: (N, h, w), logit of positive over negative, for each tile of a table.

    Its mean over a tile is the logit of the tile's chance.
    """
    dataset = TileDataset(table, bank, classifier.normaliser(table, bank))
    found = []
    with torch.inference_mode():
        for start in range(0, len(table), _BATCH_TILES):
            rows = range(start, min(start + _BATCH_TILES, len(table)))
            maps = classifier.network.activation(torch.stack([dataset[row]["rgb"] for row in rows])).float()
            found.append((maps[:, -1] - maps[:, 0]).numpy())
    return np.concatenate(found)


def over_tile(rgb: Rgb, heat: Heat) -> Rgb:
    """A tile under its heat: red speaks for the positive label, blue against it.

    Args:
        rgb: (H, W, 3) uint8.
        heat: (h, w) logits; each is of the middle of its cell, and is interpolated in between.
    """
    height, width = rgb.shape[:2]
    logits = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
    return _blended(rgb, np.asarray(logits, np.float32), np.ones((height, width), np.bool_))


@dataclass(frozen=True)
class SlideHeat:
    """Heat of a slide on a picture of it.

    Attributes:
        logits: (H, W) float32, mean over the tiles that lie over a pixel; 0 where there are none.
        is_seen: (H, W) bool, where tiles lie.
    """

    logits: Heat
    is_seen: NDArray[np.bool_]


def slide_heat(table: pd.DataFrame, heats: Heat, shape: tuple[int, int], level0_per_px: float) -> SlideHeat:
    """Heat maps of tiles brought to their places on a slide.

    Args:
        table: The slide's tiles.
        heats: (N, h, w) logits of these tiles.
        shape: (H, W) of the picture.
        level0_per_px: Level-0 pixels per pixel of the picture.
    """
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for heat, (rows, columns) in zip(heats, _windows(table, shape, level0_per_px), strict=True):
        size = (columns.stop - columns.start, rows.stop - rows.start)
        if min(size) > 0:
            total[rows, columns] += cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR)
            count[rows, columns] += 1
    return SlideHeat(np.divide(total, count, out=np.zeros_like(total), where=count > 0), count > 0)


def over_slide(rgb: Rgb, heat: SlideHeat, removed: pd.DataFrame, level0_per_px: float) -> Rgb:
    """A picture of a slide under its heat; tiles that the filter removed are crossed out in grey."""
    out = _blended(rgb, heat.logits, heat.is_seen)
    for rows, columns in _windows(removed, rgb.shape[:2], level0_per_px):
        corners = (columns.start, rows.start), (columns.stop, rows.stop)
        cv2.line(out, *corners, _REMOVED, 1, cv2.LINE_AA)
        cv2.line(out, (columns.stop, rows.start), (columns.start, rows.stop), _REMOVED, 1, cv2.LINE_AA)
    return out


def slide_picture(slide: Slide, width_px: int) -> tuple[Rgb, float]:
    """A slide about `width_px` wide, and the level-0 pixels per pixel of it."""
    wanted = slide.size.width / width_px
    fine = [i for i, one in enumerate(slide.levels) if one.downsample <= max(1.0, wanted)]
    level = max(fine, key=lambda i: slide.levels[i].downsample)
    rgba = slide.read(level, 0, 0, slide.levels[level].size)
    rgb = np.where(rgba[..., 3:] > 0, rgba[..., :3], np.uint8(255))
    step = max(1.0, wanted)
    size = (round(slide.size.width / step), round(slide.size.height / step))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8), step


def _windows(table: pd.DataFrame, shape: Sequence[int], step: float) -> list[tuple[slice, slice]]:
    boxes = table[["x_level0", "y_level0", "width_level0", "height_level0"]].to_numpy()
    found = []
    for x, y, width, height in boxes:
        rows = slice(min(round(y / step), shape[0]), min(round((y + height) / step), shape[0]))
        found.append((rows, slice(min(round(x / step), shape[1]), min(round((x + width) / step), shape[1]))))
    return found


def _blended(rgb: Rgb, logits: Heat, is_seen: NDArray[np.bool_]) -> Rgb:
    """Colour by chance, stronger the surer."""
    chance = 1 / (1 + np.exp(-np.clip(logits, -12, 12)))
    colours = np.stack([255 * chance, np.full_like(chance, 40), 255 * (1 - chance)], axis=-1)
    alpha = (_ALPHA * np.abs(2 * chance - 1) * is_seen)[..., None]
    return np.clip(np.rint((1 - alpha) * rgb + alpha * colours), 0, 255).astype(np.uint8)
