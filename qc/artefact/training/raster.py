"""Annotations of one image as a raster of classes, whatever form they came in."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import rasterio.features
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from rasterio.transform import Affine

from qc.config.training import Meaning
from qc.errors import SettingsError
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass

Classes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Raster:
    """(H, W) uint8 on cells of `mpp` from the image's top left corner."""

    values: Classes
    mpp: float

    def window(self, grid: Grid, window: Window, outside: int = IGNORE) -> Classes:
        """Values at the centres of a window's cells; the nearest, never between two."""
        rows = self._indices(window.y, window.bottom, grid.cell_mpp)
        columns = self._indices(window.x, window.right, grid.cell_mpp)
        height, width = self.values.shape
        out = self.values[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)].copy()
        out[(rows < 0) | (rows >= height)] = outside
        out[:, (columns < 0) | (columns >= width)] = outside
        return out

    def smooth(self, grid: Grid, window: Window) -> NDArray[np.bool_]:
        """A mask of 0 and 1 on a finer grid without steps: its outline goes between the cells' centres."""
        ratio = grid.cell_mpp / self.mpp
        matrix = np.array(
            [[ratio, 0, (window.x + 0.5) * ratio - 0.5], [0, ratio, (window.y + 0.5) * ratio - 0.5]], np.float64
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        weight = cv2.warpAffine(
            self.values * np.uint8(255), matrix, (window.width, window.height), flags=flags,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.asarray(weight) > 127

    def _indices(self, start: int, stop: int, cell_mpp: float) -> NDArray[np.intp]:
        return np.floor((np.arange(start, stop) + 0.5) * (cell_mpp / self.mpp)).astype(np.intp)


def class_id(meaning: Meaning) -> int:
    """Value in a raster."""
    return IGNORE if meaning == "ignore" else int(ArtefactClass[meaning.upper()])


def from_mask(path: Path, size: Size, mpp: float, values: dict[str, Meaning], rest: Meaning) -> Raster:
    """A mask image of any resolution over an image of `size` pixels at `mpp`.

    HistoQC's masks hold 0 and 255; GrandQC's hold the values of `ArtefactClass`. A mask that states its grid, as our
    own do, is laid there, for its last cells may reach beyond the image; any other is taken to cover it exactly.

    Raises:
        SettingsError: If the mask cannot be read, has another shape than the image, or a key is no pixel value.
    """
    try:
        with _opened(path) as image:
            mask = np.array(image if image.mode == "P" else image.convert("L"))
            stated = _stated_grid(image)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} cannot be read as a mask ({error})", "check `annotation`") from error
    if stated and (stated.slide_size != size or stated.shape != mask.shape):
        raise SettingsError(
            f"{path} was made for a slide of {stated.slide_size} pixels, its image has {size}", "check `annotation`"
        )
    if abs(mask.shape[1] / mask.shape[0] / (size.width / size.height) - 1) > 0.05 and not stated:
        raise SettingsError(f"{path} is {mask.shape[1]} x {mask.shape[0]}, its image {size}", "check `annotation`")
    out = np.full(mask.shape, class_id(rest), np.uint8)
    for key, meaning in values.items():
        if not (key.isdecimal() and int(key) < 256):
            raise SettingsError(f"{key} is no value of a mask", "write values between 0 and 255 as keys")
        out[mask == int(key)] = class_id(meaning)
    return Raster(out, mpp * (stated.pitch if stated else size.width / mask.shape[1]))


def from_geojson(path: Path, grid: Grid, values: dict[str, Meaning], rest: Meaning) -> Raster:
    """QuPath annotations in level-0 pixels on a grid; where areas overlap, artefacts win and later ones come on top.

    Raises:
        SettingsError: If the file cannot be read as GeoJSON.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        features = content["features"] if isinstance(content, dict) else content
        named = [((one["properties"].get("classification") or {}).get("name"), one["geometry"]) for one in features]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} cannot be read as GeoJSON ({error})", "export annotations from QuPath") from error
    shapes = [(geometry, class_id(values[name])) for name, geometry in named if name in values]
    shapes.sort(key=lambda shape: shape[1] in ARTEFACTS)
    if not shapes:
        return Raster(np.full(grid.shape, class_id(rest), np.uint8), grid.cell_mpp)
    burnt = rasterio.features.rasterize(
        shapes, out_shape=grid.shape, fill=class_id(rest), transform=Affine.scale(grid.pitch), dtype="uint8"
    )
    return Raster(burnt, grid.cell_mpp)


def _opened(path: Path) -> Image.Image:
    """The image; as PNG without the limit by which Pillow refuses masks of large slides."""
    return PngImagePlugin.PngImageFile(path) if path.suffix.lower() == ".png" else Image.open(path)


def _stated_grid(image: Image.Image) -> Grid | None:
    """The grid that the text chunk `slidegate` states; None for masks of other programs."""
    if "slidegate" not in image.info:
        return None
    about = json.loads(image.info["slidegate"])
    size = Size(about["slide_width_px"], about["slide_height_px"])
    return Grid(size, Mpp(about["slide_mpp"]), Mpp(about["cell_mpp"]))
