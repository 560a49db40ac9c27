"""Pixels of tiles, read once from the slides and kept as arrays. In: the manifest's rows. Out: one array per slide."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.errors import ManifestError, SlideError
from qc.files import replacing
from qc.geometry import Mpp, Size
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.slide.protocol import Slide

Rgb = NDArray[np.uint8]
Place = tuple[str, int, int]
"""Slide id, x and y in level-0 pixels: what tells tiles apart."""


@dataclass(frozen=True)
class Bank:
    """Tiles of many slides, each (input_px, input_px, 3) uint8.

    Attributes:
        arrays: (N, input_px, input_px, 3) uint8 by slide; on disc until looked at.
        rows: Index into its slide's array for each tile.
    """

    arrays: Mapping[str, Rgb]
    rows: Mapping[Place, int]

    def tile(self, place: Place) -> Rgb:
        """One tile; KeyError when it was not read."""
        return np.asarray(self.arrays[place[0]][self.rows[place]])

    def tiles(self, table: pd.DataFrame) -> Rgb:
        """(N, input_px, input_px, 3) uint8, in the table's order."""
        return np.stack([self.tile(place) for place in places(table)])

    def by_slide(self, table: pd.DataFrame) -> Mapping[str, Rgb]:
        """Pixels of a table's tiles, (N, H, W, 3) uint8 by slide; each slide's are read when they are asked for."""
        return _BySlide(self, {str(slide): group for slide, group in table.groupby("slide_id", sort=True)})

    def changed(self, change: Callable[[Rgb, Place], Rgb]) -> "Bank":
        """A bank of other pixels, held in memory: `change` is given each tile and its place."""
        arrays = {slide: np.array(array) for slide, array in self.arrays.items()}
        for place, row in self.rows.items():
            arrays[place[0]][row] = change(arrays[place[0]][row], place)
        return Bank(arrays, self.rows)

    @property
    def input_px(self) -> int:
        """Side of a tile."""
        return next(iter(self.arrays.values())).shape[1]


@dataclass(frozen=True)
class _BySlide(Mapping[str, Rgb]):
    """Tiles of one slide after the other, so that a thousand slides need no more memory than one."""

    bank: Bank
    tables: Mapping[str, pd.DataFrame]

    def __getitem__(self, slide_id: str) -> Rgb:
        return self.bank.tiles(self.tables[slide_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)


def places(table: pd.DataFrame) -> list[Place]:
    """Places of a table's tiles, in its order."""
    columns = (table[name].tolist() for name in ("slide_id", "x_level0", "y_level0"))
    return list(zip(*columns, strict=True))


def read_bank(tiles: pd.DataFrame, input_px: int, folder: Path) -> Bank:
    """Read every tile of a manifest's rows at the size a network sees.

    A slide whose tiles lie in the folder already is not read again, unless its file or its tiles changed.

    Args:
        tiles: Rows of a manifest.
        input_px: Side of a tile after reduction by area, pixels.
        folder: Where arrays are kept; about 49 kB for a tile of 128 pixels.

    Raises:
        ManifestError: If a slide is not where the manifest says.
        SlideError: If a slide cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays, rows = {}, {}
    for slide_id, group in tiles.groupby("slide_id", sort=True):
        arrays[str(slide_id)] = _kept(str(slide_id), group, input_px, folder)
        rows |= {place: row for row, place in enumerate(places(group))}
    return Bank(arrays, rows)


def _kept(slide_id: str, group: pd.DataFrame, input_px: int, folder: Path) -> Rgb:
    path = Path(str(group["path"].iloc[0]))
    if not path.is_file():
        raise ManifestError(f"{path} of slide {slide_id} is not there", "bring the slides back, or filter them again")
    what = f"{fingerprint(path)} {input_px} {group[['x_level0', 'y_level0', 'width_level0', 'height_level0']].values!r}"
    what += f"{places(group)!r}"
    file = folder / f"{slide_id}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.npy"
    if not file.is_file():
        with replacing(file) as partial, partial.open("wb") as handle:
            np.save(handle, _read(path, group, input_px))
    return np.load(file, mmap_mode="r")


def _read(path: Path, group: pd.DataFrame, input_px: int) -> Rgb:
    slide = open_slide(SlideFile(path, Mpp(float(group["slide_mpp"].iloc[0]))))
    try:
        columns = ("x_level0", "y_level0", "width_level0", "height_level0")
        boxes: Sequence[tuple[int, int, int, int]] = group[list(columns)].itertuples(index=False, name=None)  # type: ignore[assignment]
        return np.stack([read_tile(slide, box, input_px) for box in boxes])
    except SlideError:
        raise
    finally:
        slide.close()


def read_tile(slide: Slide, box: tuple[int, int, int, int], input_px: int) -> Rgb:
    """A rectangle of a slide reduced by area to a square.

    Args:
        slide: An open slide.
        box: x, y, width, height in level-0 pixels.
        input_px: Side of the result.

    Returns:
        (input_px, input_px, 3) uint8; white where nothing was scanned.
    """
    x, y, width, height = box
    wanted = min(width, height) / input_px
    level = max(
        (i for i, one in enumerate(slide.levels) if one.downsample <= max(1.0, wanted) * 1.005),
        key=lambda i: slide.levels[i].downsample,
    )
    step = slide.levels[level].downsample
    size = Size(max(1, round(width / step)), max(1, round(height / step)))
    rgba = slide.read(level, round(x / step), round(y / step), size)
    rgb = np.where(rgba[..., 3:] > 0, rgba[..., :3], np.uint8(255))
    how = cv2.INTER_AREA if size.width >= input_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (input_px, input_px), interpolation=how), np.uint8)
