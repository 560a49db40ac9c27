"""The OpenSlide adapter: every format OpenSlide reads, DICOM included. Sole importer of openslide."""

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray

from qc.errors import MissingMppError, TruncatedSlideError, UnopenableSlideError
from qc.geometry import Mpp, Size
from qc.slide.macro import without_label
from qc.slide.protocol import Level
from qc.slide.scan import scan_of

DecodedCache = openslide.OpenSlideCache
"""Decoded tiles, which several open slides may share; made with its size in bytes."""

_CACHE_BYTES = 64 << 20
_MPP_ANISOTROPY = 0.1


class OpenSlideSlide:
    """A file read through OpenSlide.

    OpenSlide refuses every read after its first failed one, so a failed handle is replaced: one bad
    tile must not blind us to the rest of the slide, nor the threads that read other tiles just then.

    Args:
        path: The slide file; for DICOM any file of the series.
        mpp: Overrides what the header says.
        cache: Shared with other slides; by default one of its own.

    Raises:
        UnopenableSlideError: If OpenSlide does not open the file.
        MissingMppError: If neither the header nor the caller gives an mpp.
    """

    def __init__(self, path: Path, mpp: Mpp | None = None, cache: DecodedCache | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._cache = cache or DecodedCache(_CACHE_BYTES)
        self._handle = _open(path, self._cache)
        header = self._handle.properties
        self.mpp = mpp or _header_mpp(path, header)
        scan = scan_of(header)
        self.properties: Mapping[str, str] = {
            "format": header.get(openslide.PROPERTY_NAME_VENDOR, ""),
            "mpp_source": "caller" if mpp else "header",
            "series": header.get("dicom.SeriesInstanceUID", ""),
            "scanner": scan.scanner,
            "scanned_at": scan.scanned_at,
        }
        self.levels = tuple(
            Level(Size(*size), downsample)
            for size, downsample in zip(self._handle.level_dimensions, self._handle.level_downsamples, strict=True)
        )

    @property
    def name(self) -> str:
        """File name without its folder."""
        return self._path.name

    @property
    def size(self) -> Size:
        """Level-0 size in pixels."""
        return self.levels[0].size

    def read(self, level: int, x: int, y: int, size: Size) -> NDArray[np.uint8]:
        """See `Slide.read`."""
        downsample = self.levels[level].downsample
        location, size_px = (round(x * downsample), round(y * downsample)), (size.width, size.height)
        handle = self._handle
        try:
            return np.asarray(handle.read_region(location, level, size_px))
        except openslide.OpenSlideError:
            self._replace(handle)
        try:
            with _open(self._path, self._cache) as own:  # the shared handle may have failed over another thread's tile
                return np.asarray(own.read_region(location, level, size_px))
        except openslide.OpenSlideError as error:
            raise TruncatedSlideError(
                f"{self.name} cannot be decoded at level {level}, pixel {location} ({error})",
                "copy the file again from the scanner or re-scan",
            ) from error

    def _replace(self, failed: openslide.OpenSlide) -> None:
        with self._lock:
            if self._handle is failed:
                self._handle = _open(self._path, self._cache)

    def macro(self) -> NDArray[np.uint8] | None:
        """The photograph of the whole glass, (H, W, 3) uint8 with its label covered; None when the file has none.

        Raises:
            TruncatedSlideError: If it cannot be decoded.
        """
        try:
            with _open(self._path, self._cache) as own:
                images = own.associated_images
                image = images["macro"].convert("RGB") if "macro" in images else None
        except openslide.OpenSlideError as error:
            message = f"the macro image of {self.name} cannot be decoded ({error})"
            raise TruncatedSlideError(message, "look at the glass itself") from error
        return None if image is None else without_label(np.asarray(image), self.properties["format"])

    def close(self) -> None:
        """Give the file handle back."""
        self._handle.close()


def detect_format(path: Path) -> str | None:
    """OpenSlide's name for the format of a file, or None when it knows none."""
    return openslide.OpenSlide.detect_format(path)


def library_version() -> str:
    """Version of the OpenSlide library in use."""
    return openslide.__library_version__


def series_of(path: Path) -> str:
    """DICOM series a file belongs to; empty when it is no readable DICOM slide."""
    try:
        with openslide.OpenSlide(path) as handle:
            return handle.properties.get("dicom.SeriesInstanceUID", "")
    except openslide.OpenSlideError:
        return ""


def header_of(path: Path) -> dict[str, str]:
    """All that the header says, for those who pick from it; empty when OpenSlide does not open the file."""
    try:
        with openslide.OpenSlide(path) as handle:
            return dict(handle.properties)
    except openslide.OpenSlideError:
        return {}


def _open(path: Path, cache: DecodedCache) -> openslide.OpenSlide:
    try:
        handle = openslide.OpenSlide(path)
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise UnopenableSlideError(
            f"{path.name} is not a slide format that OpenSlide knows, or its header is damaged",
            "check the file or convert it to a pyramidal TIFF",
        ) from error
    except openslide.OpenSlideError as error:
        raise UnopenableSlideError(
            f"{path.name} cannot be opened ({error})", "copy the file again from the scanner or convert it"
        ) from error
    handle.set_cache(cache)
    return handle


def _header_mpp(path: Path, header: Mapping[str, str]) -> Mpp:
    x, y = (_number(header.get(key)) for key in (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y))
    hint = "pass --mpp (scanners: 40x is about 0.25, 20x about 0.5) or list the slide in --mpp-table"
    if x is None or y is None:
        raise MissingMppError(f"{path.name} does not say how many micrometres a pixel is", hint)
    if abs(x - y) > _MPP_ANISOTROPY * min(x, y):
        raise MissingMppError(f"{path.name} states different mpp across ({x:g}) and down ({y:g})", hint)
    return Mpp((x * y) ** 0.5)


def _number(text: str | None) -> float | None:
    """A positive finite number, or None."""
    try:
        return float(Mpp(float(text or "")))
    except ValueError:
        return None
