"""Kept tiles slide by slide, as programs that take patches want them. In: a manifest. Out: coordinates and sizes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.errors import ExchangeError
from qc.manifest import Manifest

Coordinates = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SlideTiles:
    """Kept tiles of one slide.

    Attributes:
        slide_id: The slide's id.
        name: The slide's name in the files: its stem, or its id where two slides have one stem.
        suffix: What follows the stem in the name of the slide's file: `.svs`, `.ome.tif`.
        coordinates: (N, 2) level-0 x and y of the tiles' top left corners.
        size_level0: Level-0 width and height of the slide, pixels.
        tile_px: Side of a tile at `tile_mpp`, pixels.
        tile_mpp: Micrometres per pixel at which tiles are to be read.
        slide_mpp: Micrometres per level-0 pixel.
    """

    slide_id: str
    name: str
    suffix: str
    coordinates: Coordinates
    size_level0: tuple[int, int]
    tile_px: int
    tile_mpp: float
    slide_mpp: float

    @property
    def side_level0(self) -> int:
        """Side of a tile, level-0 pixels."""
        return round(self.tile_px * self.tile_mpp / self.slide_mpp)

    @property
    def overlap_px(self) -> int:
        """How far neighbouring tiles overlap, pixels at `tile_mpp`; 0 when none do."""
        steps = [np.diff(np.unique(self.coordinates[:, axis])) for axis in (0, 1)]
        step = min((int(one.min()) for one in steps if one.size), default=self.side_level0)
        return max(0, round((self.side_level0 - step) * self.slide_mpp / self.tile_mpp))


def slide_tiles(manifest: Manifest) -> list[SlideTiles]:
    """Kept tiles of each slide of a manifest, by slide id; none at all for a slide that keeps none.

    Raises:
        ExchangeError: If tiles of one slide are not all of one size.
    """
    slides = manifest.slides
    names = slide_names(dict(zip(slides["slide_id"].astype(str), slides["path"].astype(str), strict=True)))
    kept = manifest.kept
    return [
        _tiles_of(account, names, kept.loc[kept["slide_id"] == account["slide_id"]])
        for account in slides.to_dict("records")
    ]


def slide_names(paths: Mapping[str, str]) -> dict[str, str]:
    """What CLAM and TRIDENT call each slide: its file's stem; its id where two slides have one stem.

    >>> slide_names({"a-1": "/x/a.svs", "a-2": "/y/a.svs", "b-3": "/x/b.ome.tif"})
    {'a-1': 'a-1', 'a-2': 'a-2', 'b-3': 'b'}
    """
    stems = {slide_id: _stem(path) for slide_id, path in paths.items()}
    count = Counter(stems.values())
    return {slide_id: stem if count[stem] == 1 else slide_id for slide_id, stem in stems.items()}


def _tiles_of(account: Mapping[Any, Any], names: Mapping[str, str], tiles: pd.DataFrame) -> SlideTiles:
    slide_id = str(account["slide_id"])
    kinds = tiles[["tile_px", "tile_mpp"]].drop_duplicates()
    if len(kinds) > 1:
        raise ExchangeError(f"{slide_id} has tiles of {len(kinds)} sizes, and one file holds one", "filter it again")
    tile_px, tile_mpp = kinds.iloc[0] if len(kinds) else (0, account["slide_mpp"])
    return SlideTiles(
        slide_id,
        names[slide_id],
        PurePath(account["path"]).name.removeprefix(_stem(account["path"])),
        tiles[["x_level0", "y_level0"]].to_numpy(np.int64),
        (int(account["width_level0"]), int(account["height_level0"])),
        int(tile_px),
        float(tile_mpp),
        float(account["slide_mpp"]),
    )


def _stem(path: str) -> str:
    return PurePath(path).stem.removesuffix(".ome")
