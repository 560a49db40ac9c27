"""Artefact maps as paletted PNG and TIFF: one byte a cell, the class id; the legend travels in the file.

Tissue masks are PNGs of one bit a cell.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from qc.errors import ExchangeError, RunError
from qc.files import replacing
from qc.geometry import Grid, Mpp, Size
from qc.labels import IGNORE, ArtefactClass
from qc.maps import ArtefactMap, TissueMask

Raster = TypeVar("Raster")

_KEY = "slidegate"
_IGNORE_COLOUR = (204, 121, 167)
_TILE_CELLS = 256
_PIXEL_SCALE, _TIE_POINT, _DOUBLE = 33550, 33922, 12  # GeoTIFF 1.1, 7.1


def write_artefact_map(artefacts: ArtefactMap, path: Path, stamp: Mapping[str, str] | None = None) -> None:
    """Write a map as PNG; the text chunk `slidegate` holds the grid, the legend and the stamp as JSON.

    Args:
        artefacts: The map.
        path: PNG file to write.
        stamp: Where the map comes from.
    """
    image = Image.fromarray(artefacts.classes)
    image.putpalette(np.array([c.colour for c in ArtefactClass], np.uint8).tobytes())
    _write_png(image, path, _about(artefacts.grid, stamp))


def write_label_mask(values: NDArray[np.uint8], grid: Grid, path: Path, stamp: Mapping[str, str] | None = None) -> None:
    """Write classes, `IGNORE` among them, as PNG; `read_artefact_map` reads it back.

    Args:
        values: (H, W) uint8 on `grid`.
        grid: Grid of the map that was corrected.
        path: PNG file to write.
        stamp: Where the labels come from.
    """
    image = Image.fromarray(values)
    image.putpalette(_palette().tobytes())
    about = _about(grid, stamp)
    about["legend"]["ignore"] = {"id": IGNORE, "colour": _IGNORE_COLOUR}
    _write_png(image, path, about)


def read_artefact_map(path: Path) -> ArtefactMap:
    """Read a map that `write_artefact_map` wrote.

    Raises:
        RunError: If the file is no such map.
    """
    return _read_png(path, ArtefactMap, "artefact map")


def write_tissue_mask(tissue: TissueMask, path: Path, stamp: Mapping[str, str] | None = None) -> None:
    """Write a tissue mask as PNG, white where tissue is; the text chunk `slidegate` holds grid and stamp as JSON.

    Args:
        tissue: The mask.
        path: PNG file to write.
        stamp: Where the mask comes from.
    """
    _write_png(Image.fromarray(tissue.is_tissue), path, {"stamp": dict(stamp or {}), **_about_grid(tissue.grid)})


def read_tissue_mask(path: Path) -> TissueMask:
    """Read a mask that `write_tissue_mask` wrote.

    Raises:
        RunError: If the file is no such mask.
    """
    return _read_png(path, TissueMask, "tissue mask")


def write_label_tiff(artefacts: ArtefactMap, path: Path, stamp: Mapping[str, str] | None = None) -> None:
    """Write a map as a tiled TIFF with palette, cells per centimetre, and the JSON of the PNG as its description.

    Its GeoTIFF tags lay it over the slide's level-0 pixels where a program draws both.

    Args:
        artefacts: The map.
        path: TIFF file to write.
        stamp: Where the map comes from.
    """
    per_cm, pitch = 1e4 / artefacts.grid.cell_mpp, artefacts.grid.pitch
    with replacing(path) as partial:
        tifffile.imwrite(
            partial,
            artefacts.classes,
            photometric="palette",
            colormap=_palette().T.astype(np.uint16) * 257,
            compression="deflate",
            tile=(_TILE_CELLS, _TILE_CELLS),
            resolution=(per_cm, per_cm),
            resolutionunit="CENTIMETER",
            description=json.dumps({_KEY: _about(artefacts.grid, stamp)}),
            extratags=[
                (_PIXEL_SCALE, _DOUBLE, 3, (pitch, pitch, 0.0), True),
                (_TIE_POINT, _DOUBLE, 6, (0.0,) * 6, True),
            ],
            software="SlideGate",
            metadata=None,
            maxworkers=1,
        )


def read_label_tiff(path: Path) -> ArtefactMap:
    """Read a map that `write_label_tiff` wrote.

    Raises:
        ExchangeError: If the file is no such map.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            return ArtefactMap(np.asarray(page.asarray()), _grid(json.loads(page.description)[_KEY]))
    except (OSError, KeyError, ValueError, TypeError, tifffile.TiffFileError) as error:
        raise ExchangeError(f"{path} is no artefact map ({error})", "export it again") from error


def _write_png(image: Image.Image, path: Path, about: Mapping[str, Any]) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text(_KEY, json.dumps(about))
    with replacing(path) as partial:
        image.save(partial, "PNG", pnginfo=text)


def _read_png(path: Path, make: Callable[[NDArray[Any], Grid], Raster], what: str) -> Raster:
    try:
        with PngImagePlugin.PngImageFile(path) as image:  # not Image.open, which refuses maps of large slides
            return make(np.array(image), _grid(json.loads(image.info[_KEY])))
    except (OSError, SyntaxError, KeyError, ValueError) as error:
        raise RunError(f"{path} is no {what} ({error})", "assess the slide again") from error


def _palette() -> NDArray[np.uint8]:
    """(256, 3) uint8: colours of the classes and of `IGNORE`, black for values that mean nothing."""
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(ArtefactClass)] = [c.colour for c in ArtefactClass]
    palette[IGNORE] = _IGNORE_COLOUR
    return palette


def _about(grid: Grid, stamp: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "legend": {c.label: {"id": int(c), "colour": c.colour} for c in ArtefactClass},
        "stamp": dict(stamp or {}),
        **_about_grid(grid),
    }


def _about_grid(grid: Grid) -> dict[str, float]:
    return {
        "cell_mpp": grid.cell_mpp,
        "slide_mpp": grid.slide_mpp,
        "slide_width_px": grid.slide_size.width,
        "slide_height_px": grid.slide_size.height,
    }


def _grid(about: Mapping[str, Any]) -> Grid:
    size = Size(about["slide_width_px"], about["slide_height_px"])
    return Grid(size, Mpp(about["slide_mpp"]), Mpp(about["cell_mpp"]))
