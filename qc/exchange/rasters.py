"""Artefact maps as paletted PNG: one byte a cell, the class id; the legend travels in the file."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from qc.errors import RunError
from qc.files import replacing
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap

_KEY = "slidegate"


def write_artefact_map(artefacts: ArtefactMap, path: Path, stamp: Mapping[str, str] | None = None) -> None:
    """Write a map; the text chunk `slidegate` holds the grid, the legend and the stamp as JSON.

    Args:
        artefacts: The map.
        path: PNG file to write.
        stamp: Where the map comes from.
    """
    image = Image.fromarray(artefacts.classes)
    image.putpalette(np.array([c.colour for c in ArtefactClass], np.uint8).tobytes())
    grid = artefacts.grid
    about = {
        "legend": {c.label: {"id": int(c), "colour": c.colour} for c in ArtefactClass},
        "stamp": dict(stamp or {}),
        "cell_mpp": grid.cell_mpp,
        "slide_mpp": grid.slide_mpp,
        "slide_width_px": grid.slide_size.width,
        "slide_height_px": grid.slide_size.height,
    }
    text = PngImagePlugin.PngInfo()
    text.add_text(_KEY, json.dumps(about))
    with replacing(path) as partial:
        image.save(partial, "PNG", pnginfo=text)


def read_artefact_map(path: Path) -> ArtefactMap:
    """Read a map that `write_artefact_map` wrote.

    Raises:
        RunError: If the file is no such map.
    """
    try:
        with PngImagePlugin.PngImageFile(path) as image:  # not Image.open, which refuses maps of large slides
            about = json.loads(image.info[_KEY])
            size = Size(about["slide_width_px"], about["slide_height_px"])
            return ArtefactMap(np.array(image), Grid(size, Mpp(about["slide_mpp"]), Mpp(about["cell_mpp"])))
    except (OSError, SyntaxError, KeyError, ValueError) as error:
        raise RunError(f"{path} is no artefact map ({error})", "assess the slide again") from error
