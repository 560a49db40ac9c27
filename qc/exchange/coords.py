"""Kept tiles of a manifest as the HDF5 files from which CLAM and TRIDENT take their patches.

Both look in a folder `patches` for a dataset `coords` of level-0 (x, y) with attributes that say how large a patch is.
They mean different things by `patch_size` (CLAM: pixels of `patch_level`; TRIDENT: pixels at the target magnification),
and look for different names, so each slide gets one file for each. Attribute names and file names are those of CLAM's
`process_contours` and of TRIDENT's `coords_to_h5`. CLAM takes the slides from a table with a column `slide_id`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from qc.errors import ExchangeError
from qc.exchange.slide_tiles import Coordinates, SlideTiles
from qc.files import replacing

_UM_TIMES_MAGNIFICATION = 10.0
"""40x is 0.25 um per pixel: the convention by which TRIDENT turns one into the other."""


def write_coords(tiles: SlideTiles, folder: Path) -> tuple[Path, ...]:
    """Write the tiles of one slide for CLAM and for TRIDENT.

    A slide without a kept tile gets no file, and files that an earlier, milder filter left are removed: nobody is to
    read tiles that are no longer kept.

    Args:
        tiles: The slide's kept tiles.
        folder: What CLAM calls `--data_h5_dir`, and TRIDENT a job's coordinate folder.

    Returns:
        The files written: CLAM's and TRIDENT's.
    """
    patches = folder / "patches"
    clam, trident = patches / f"{tiles.name}.h5", patches / f"{tiles.name}_patches.h5"
    if not len(tiles.coordinates):
        clam.unlink(missing_ok=True)
        trident.unlink(missing_ok=True)
        return ()
    _write(clam, tiles.coordinates, _clam_attributes(tiles, patches))
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
