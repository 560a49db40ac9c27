"""Heat maps to look at: over pictures of slides, and as transparent overlays of whole slides. Out: PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.downstream.heatmap import slide_picture
from qc.downstream.metastasis.heat import HeatMap
from qc.downstream.metastasis.stages import NodeLabel
from qc.downstream.metastasis.targets import Lesions
from qc.downstream.metastasis.task import heat_maps
from qc.files import replacing
from qc.geometry import Mpp, Size
from qc.slide.files import SlideFile, open_slide

Rgb = NDArray[np.uint8]

_WIDTH_PX = 270
_CAPTION_PX = 22
_OUTLINE = (0, 120, 40)
_REMOVED = (110, 110, 110)
_ALPHA = 0.6
_OVERLAY_PX = 8  # pixels of an overlay per pixel of the heat map, so that viewers that smooth show squares
_OVERLAY_MAX_PX = 4096


def heat_colours(scores: NDArray[np.float32]) -> Rgb:
    """(H, W, 4) RGBA of (H, W) scores: from clear over yellow to red; clear where no tile was scored."""
    known = np.nan_to_num(scores, nan=0.0)
    red = np.full(known.shape, 230.0)
    green = np.where(known < 0.5, 200.0, 200 * 2 * (1 - known))
    rgba = np.stack([red, green, np.zeros_like(known), 255 * _ALPHA * np.clip(known * 1.25, 0, 1)], axis=-1)
    return np.clip(np.rint(rgba), 0, 255).astype(np.uint8)


def write_overlay(heat: HeatMap, slide_size: Size, path: Path) -> None:
    """Write a transparent PNG that covers the whole slide when it is stretched over it."""
    step = max(1.0, heat.side_level0 / _OVERLAY_PX, max(slide_size.width, slide_size.height) / _OVERLAY_MAX_PX)
    size = (max(1, round(slide_size.width / step)), max(1, round(slide_size.height / step)))
    with replacing(path) as partial:
        Image.fromarray(_stretched(heat, size, step), "RGBA").save(partial, "PNG", optimize=True)


def over_picture(rgb: Rgb, heat: HeatMap, level0_per_px: float) -> Rgb:
    """(H, W, 3) picture of a slide under its heat map."""
    rgba = _stretched(heat, (rgb.shape[1], rgb.shape[0]), level0_per_px).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    return np.clip(np.rint(rgb * (1 - alpha) + rgba[..., :3] * alpha), 0, 255).astype(np.uint8)


def node_sheet(
    rows: Sequence[tuple[str, str]],
    ways: Mapping[str, pd.DataFrame],
    slides: pd.DataFrame,
    lesions: Mapping[str, Lesions],
) -> Image.Image:
    """Nodes one below the other: as scanned with outlines, then the heat map of each way; removed tiles crossed out.

    Args:
        rows: Slide id and caption of each node.
        ways: Scored tiles by the name of the way.
        slides: The slide table of the task.
        lesions: Outlines by slide id.
    """
    font = ImageFont.load_default(14)
    pictures = []
    for slide_id, caption in rows:
        row = slides.loc[slides["slide_id"] == slide_id]
        pictures.append((caption, _row(slide_id, row, ways, lesions.get(slide_id, {}))))
    width = sum(one.shape[1] for one in pictures[0][1])
    height = sum(_CAPTION_PX + row[0].shape[0] for _, row in pictures)
    sheet = Image.new("RGB", (width, height), "white")
    draw, y = ImageDraw.Draw(sheet), 0
    for caption, row in pictures:
        x = 0
        for part, name in zip(row, (caption, *ways), strict=True):
            draw.text((x + 4, y + 3), name, "black", font)
            sheet.paste(Image.fromarray(part), (x, y + _CAPTION_PX))
            x += part.shape[1]
        y += _CAPTION_PX + row[0].shape[0]
    return sheet


def shown_nodes(slides: pd.DataFrame, tiles: pd.DataFrame) -> list[tuple[str, str]]:
    """Of each label the slide with most removed tiles among those with some: what the filter does is to be seen."""
    removed = tiles.loc[~tiles["is_kept"]].groupby("slide_id").size()
    found = []
    for label in NodeLabel:
        own = [one for one in slides.loc[slides["label"] == label, "slide_id"].astype(str) if one in removed.index]
        if own:
            chosen = sorted(own, key=lambda one: (-int(removed[one]), one))[0]
            found.append((chosen, f"{label}: {Path(str(slides.set_index('slide_id').loc[chosen, 'path'])).stem}"))
    return found


def _row(slide_id: str, row: pd.DataFrame, ways: Mapping[str, pd.DataFrame], lesions: Lesions) -> list[Rgb]:
    slide = open_slide(SlideFile(Path(str(row["path"].iloc[0])), Mpp(float(row["slide_mpp"].iloc[0]))))
    try:
        rgb, step = slide_picture(slide, _WIDTH_PX)
    finally:
        slide.close()
    scored = {name: tiles.loc[tiles["slide_id"] == slide_id] for name, tiles in ways.items()}
    everything = max(scored.values(), key=len)
    out = [_outlined(rgb, lesions, step)]
    for tiles in scored.values():
        heat = heat_maps(tiles, row).get(slide_id)
        picture = rgb.copy() if heat is None else over_picture(rgb, heat, step)
        out.append(_outlined(_crossed(picture, _gone(everything, tiles), step), lesions, step))
    return out


def _gone(everything: pd.DataFrame, tiles: pd.DataFrame) -> pd.DataFrame:
    places = set(zip(tiles["x_level0"], tiles["y_level0"], strict=True))
    is_gone = [place not in places for place in zip(everything["x_level0"], everything["y_level0"], strict=True)]
    return everything.loc[is_gone]


def _crossed(rgb: Rgb, tiles: pd.DataFrame, step: float) -> Rgb:
    boxes = tiles[["x_level0", "y_level0", "width_level0"]].to_numpy()
    for x, y, side in np.rint(boxes / step).astype(int).tolist():
        cv2.line(rgb, (x, y), (x + side, y + side), _REMOVED, 1, cv2.LINE_AA)
    return rgb


def _outlined(rgb: Rgb, lesions: Lesions, step: float) -> Rgb:
    out = rgb.copy()
    for polygon in lesions.values():
        for part in shapely.get_parts(polygon):
            corners = np.rint(np.asarray(part.exterior.coords) / step).astype(np.int32)
            cv2.polylines(out, [corners], True, _OUTLINE, 1, cv2.LINE_AA)
    return out


def _stretched(heat: HeatMap, size: tuple[int, int], level0_per_px: float) -> Rgb:
    """(H, W, 4) the map under a picture, each pixel of it a square."""
    columns = ((np.arange(size[0]) + 0.5) * level0_per_px / heat.side_level0).astype(int)
    rows = ((np.arange(size[1]) + 0.5) * level0_per_px / heat.side_level0).astype(int)
    colours = heat_colours(heat.scores)
    padded = np.zeros((max(rows[-1] + 1, colours.shape[0]), max(columns[-1] + 1, colours.shape[1]), 4), np.uint8)
    padded[: colours.shape[0], : colours.shape[1]] = colours
    return np.ascontiguousarray(padded[np.ix_(rows, columns)])
