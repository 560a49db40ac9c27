"""Kept tiles of a manifest as the HDF5 files from which CLAM and TRIDENT take their patches.

Both look in a folder `patches` for a dataset `coords` of level-0 (x, y) with attributes that say how large a patch is.
They mean different things by `patch_size` (CLAM: pixels of `patch_level`; TRIDENT: pixels at the target magnification),
and look for different names, so each slide gets one file for each. Attribute names and file names are those of CLAM's
`process_contours` and of TRIDENT's `coords_to_h5`. CLAM takes the slides from a table with a column `slide_id`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.errors import ExchangeError
from qc.files import replacing
from qc.manifest import Manifest

Coordinates = NDArray[np.int64]

_UM_TIMES_MAGNIFICATION = 10.0
"""40x is 0.25 um per pixel: the convention by which TRIDENT turns one into the other."""


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


def coords_files(name: str, folder: Path) -> tuple[Path, Path]:
    """CLAM's file and TRIDENT's file of a slide.

    Args:
        name: The slide's name in the files.
        folder: What CLAM calls `--data_h5_dir`, and TRIDENT a job's coordinate folder.
    """
    return folder / "patches" / f"{name}.h5", folder / "patches" / f"{name}_patches.h5"


def write_coords(tiles: SlideTiles, folder: Path) -> tuple[Path, ...]:
    """Write the tiles of one slide for CLAM and for TRIDENT.

    A slide without a kept tile gets no file, and files that an earlier, milder filter left are removed: nobody is to
    read tiles that are no longer kept.

    Returns:
        The files written.
    """
    clam, trident = coords_files(tiles.name, folder)
    if not len(tiles.coordinates):
        clam.unlink(missing_ok=True)
        trident.unlink(missing_ok=True)
        return ()
    _write(clam, tiles.coordinates, _clam_attributes(tiles, clam.parent))
    _write(trident, tiles.coordinates, _trident_attributes(tiles, folder))
    return clam, trident


def write_process_list(tiles: Iterable[SlideTiles], folder: Path) -> Path:
    """Write the table of slides that keep a tile, which CLAM wants as `--csv_path`.

    Args:
        tiles: Slides with their tiles.
        folder: What CLAM calls `--data_h5_dir`.
    """
    path = folder / "process_list.csv"
    names = [f"{one.name}{one.suffix}" for one in tiles if len(one.coordinates)]
    with replacing(path) as partial:
        pd.DataFrame({"slide_id": names}).to_csv(partial, index=False)
    return path


def read_coords(path: Path) -> tuple[Coordinates, dict[str, Any]]:
    """Level-0 (N, 2) coordinates and attributes of a file of CLAM or TRIDENT.

    Raises:
        ExchangeError: If the file holds no coordinates.
    """
    try:
        with h5py.File(path) as file:
            data = file["coords"]
            if not isinstance(data, h5py.Dataset) or data.ndim != 2 or data.shape[1] != 2:
                raise ExchangeError(f"{path} holds no table of x and y", "export it again")
            return np.asarray(data[:], np.int64), dict(data.attrs)
    except (OSError, KeyError) as error:
        raise ExchangeError(f"{path} holds no coordinates ({error})", "check the path") from error


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


def _clam_attributes(tiles: SlideTiles, folder: Path) -> dict[str, Any]:
    return {
        "patch_size": tiles.side_level0,
        "patch_level": 0,
        "downsample": (1.0, 1.0),
        "downsampled_level_dim": tiles.size_level0,
        "level_dim": tiles.size_level0,
        "name": tiles.name,
        "save_path": str(folder),
    }


def _trident_attributes(tiles: SlideTiles, folder: Path) -> dict[str, Any]:
    return {
        "patch_size": tiles.tile_px,
        "patch_size_level0": tiles.side_level0,
        "level0_magnification": _magnification(tiles.slide_mpp),
        "target_magnification": _magnification(tiles.tile_mpp),
        "overlap": tiles.overlap_px,
        "name": tiles.name,
        "savetodir": str(folder),
        "level0_width": tiles.size_level0[0],
        "level0_height": tiles.size_level0[1],
    }


def _magnification(mpp: float) -> int | float:
    """Exact, because TRIDENT reads tiles at the ratio of two of them; a whole number where it is one."""
    magnification = _UM_TIMES_MAGNIFICATION / mpp
    return round(magnification) if abs(magnification - round(magnification)) < 1e-6 else magnification


def _write(path: Path, coordinates: Coordinates, attributes: Mapping[str, Any]) -> None:
    with replacing(path) as partial, h5py.File(partial, "w") as file:
        data = file.create_dataset("coords", data=coordinates, maxshape=(None, 2), chunks=True)
        data.attrs.update(attributes)
