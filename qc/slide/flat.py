"""Plain images as slides: PNG, JPEG and TIFF without a pyramid, which cannot state a trustworthy mpp."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from qc.errors import MissingMppError, NoUsableLevelError, TruncatedSlideError, UnopenableSlideError
from qc.geometry import Mpp
from qc.slide.memory import MemorySlide

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})


def open_image(path: Path, mpp: Mpp | None) -> MemorySlide:
    """Read a plain image into memory.

    The dpi that such files state is the printer's, not the scanner's, so it is not believed.

    Raises:
        UnopenableSlideError: If it is no 8-bit image that Pillow knows.
        NoUsableLevelError: If it has too many pixels for an image without a pyramid (Pillow's limit, 89 Mpx).
        TruncatedSlideError: If the pixels cannot be decoded.
        MissingMppError: If the caller gives no mpp.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoUsableLevelError(
            f"{path.name} is one flat image too large to hold in memory",
            "convert it to a pyramidal tiled TIFF (vips tiffsave in out --tile --pyramid)",
        ) from error
    except (UnidentifiedImageError, OSError) as error:
        raise UnopenableSlideError(
            f"{path.name} is neither a slide that OpenSlide reads nor a plain image",
            "check the file or convert it to a pyramidal TIFF",
        ) from error
    with image:
        if mpp is None:
            raise MissingMppError(f"{path.name} is a plain image and does not state its mpp", "pass --mpp")
        pixels = _decoded(image, path)
        file_format = (image.format or "image").lower()
    return MemorySlide(pixels, mpp, path.name, {"format": file_format, "mpp_source": "caller", "series": ""})


def _decoded(image: Image.Image, path: Path) -> np.ndarray:
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        raise UnopenableSlideError(f"{path.name} has more than 8 bits a channel", "convert it to 8-bit RGB")
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # libraries for printing turn it on for the whole process
    try:
        return np.array(image.convert("RGBA" if has_alpha else "RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise TruncatedSlideError(f"{path.name} cannot be decoded ({error})", "copy the file again") from error
