"""Slides too large to hold in memory: one phantom repeated over the plane, its tiles encoded once per level."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from qc.files import replacing
from qc.phantom.make import make_phantom
from qc.phantom.spec import PhantomSpec

_TILE_PX = 256
_REPEAT_PX = 4096
_LEVELS = 5
_QUALITY = 85


def write_large(path: Path, side_px: int, mpp: float = 0.5) -> None:
    """Write a square tiled pyramidal TIFF whose every 4096 x 4096 pixels are the same phantom.

    Args:
        path: File to write.
        side_px: Width and height, pixels; rounded up to whole repeats.
        mpp: Micrometres per pixel of level 0.
    """
    repeats = -(-side_px // _REPEAT_PX)
    side_mm = _REPEAT_PX * mpp / 1000
    spec = PhantomSpec(name="large", width_mm=side_mm, height_mm=side_mm, mpp=mpp, cover=0.8, pieces=1)
    rgb = make_phantom(spec).rgb
    with replacing(path) as partial, tifffile.TiffWriter(partial, bigtiff=True) as writer:
        for level in range(_LEVELS):
            side = _REPEAT_PX >> level
            image = np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            per_cm = 1e4 / (mpp * 2**level)
            writer.write(
                _repeated(image, repeats),
                shape=(repeats * side, repeats * side, 3),
                dtype=np.uint8,
                tile=(_TILE_PX, _TILE_PX),
                photometric="ycbcr",
                subsampling=(2, 2),
                compression="jpeg",
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                subfiletype=0 if level == 0 else 1,
                metadata=None,
            )


def _repeated(image: NDArray[np.uint8], repeats: int) -> Iterator[bytes]:
    """Encoded tiles of the repeated image, row by row."""
    tiles = [
        [_encoded(image[y : y + _TILE_PX, x : x + _TILE_PX]) for x in range(0, image.shape[1], _TILE_PX)]
        for y in range(0, image.shape[0], _TILE_PX)
    ]
    for _ in range(repeats):
        for row in tiles:
            yield from row * repeats


def _encoded(tile: NDArray[np.uint8]) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(tile), level=_QUALITY, subsampling="420"))
