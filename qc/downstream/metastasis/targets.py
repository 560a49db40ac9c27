"""Which tiles show tumour. In: tiles of a manifest and outlines of lesions, level-0 pixels. Out: targets of tiles."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from qc.config.metastasis import TileLabelSettings
from qc.downstream.metastasis.stages import NodeLabel
from qc.errors import ManifestError
from qc.exchange.lesions import find_lesion_files, read_lesions

NORMAL, TUMOUR = 0, 1
Lesions = Mapping[str, BaseGeometry]


def lesion_shares(tiles: pd.DataFrame, lesions: Lesions) -> NDArray[np.float64]:
    """(N,) share of each tile's square that lies in a lesion, 0-1.

    Args:
        tiles: With `x_level0`, `y_level0`, `width_level0`, `height_level0`.
        lesions: Polygons in level-0 pixels; what two of them cover counts once.
    """
    if tiles.empty or not lesions:
        return np.zeros(len(tiles))
    left, top, width, height = (tiles[f"{name}_level0"].to_numpy(np.float64) for name in ("x", "y", "width", "height"))
    boxes = np.asarray(shapely.box(left, top, left + width, top + height))
    parts = shapely.get_parts(shapely.union_all(list(lesions.values())))
    tile, part = shapely.STRtree(parts).query(boxes, predicate="intersects")
    areas = shapely.area(shapely.intersection(boxes[tile], np.asarray(parts)[part]))
    return np.bincount(tile, weights=areas, minlength=len(boxes)) / (width * height)


def lesions_of(slides: pd.DataFrame, folder: Path) -> dict[str, Lesions]:
    """Lesions of every slide of which they are known: annotated, or labelled negative.

    Args:
        slides: `slide_id`, `path` and `label` of each slide.
        folder: Annotations named like the slides: ASAP XML, CAMELYON JSON or GeoJSON.

    Raises:
        ExchangeError: If the folder holds none, or one cannot be read.
        ManifestError: If a slide that is called negative has lesions.
    """
    files, found = find_lesion_files(folder), {}
    names = (slides[name].astype(str).tolist() for name in ("slide_id", "path", "label"))
    for slide_id, path, label in zip(*names, strict=True):
        file, is_negative = files.get(Path(path).stem), label == NodeLabel.NEGATIVE
        if file is not None:
            found[slide_id] = read_lesions(file)
            if is_negative and found[slide_id]:
                raise ManifestError(
                    f"slide {slide_id} is labelled negative, but {file} outlines lesions",
                    "correct the cohort table or the annotation",
                )
        elif is_negative:
            found[slide_id] = {}
    return found


def tile_targets(
    tiles: pd.DataFrame, lesions: Mapping[str, Lesions], settings: TileLabelSettings, seed: int
) -> pd.DataFrame:
    """Tiles to train on: with `lesion_share`, `target` (0 normal, 1 tumour) and `person`.

    Tiles with little tumour are left out. Of a slide with more tiles of a kind than the settings allow, some are drawn.

    Args:
        tiles: Rows of a manifest.
        lesions: By slide id; slides that are not there are left out, for nobody knows what their tiles show.
        settings: What makes a tile tumour.
        seed: Of the draw.

    Raises:
        ManifestError: If no tile, or every tile, is tumour.
    """
    parts = []
    for slide_id, group in tiles.groupby("slide_id", sort=True):
        if slide_id not in lesions:
            continue
        share = lesion_shares(group, lesions[str(slide_id)])
        target = np.where(share >= settings.tumour_from, TUMOUR, np.where(share <= settings.normal_to, NORMAL, -1))
        labelled = group.assign(lesion_share=share, target=target.astype("int64"))
        rng = np.random.default_rng([seed, zlib.crc32(str(slide_id).encode())])
        parts += [_drawn(labelled.loc[target == kind], settings.per_slide_max, rng) for kind in (NORMAL, TUMOUR)]
    table = pd.concat(parts, ignore_index=True) if parts else tiles.iloc[:0].assign(target=0)
    if set(table["target"]) != {NORMAL, TUMOUR}:
        raise ManifestError(
            "the slides to train on do not show both normal and tumour tiles",
            "annotate slides with lesions, and label slides without `negative`",
        )
    return table.assign(person=table["patient"].where(table["patient"] != "", "slide " + table["slide_id"]))


def _drawn(tiles: pd.DataFrame, most: int, rng: np.random.Generator) -> pd.DataFrame:
    if len(tiles) <= most:
        return tiles
    return tiles.iloc[np.sort(rng.choice(len(tiles), most, replace=False))]
