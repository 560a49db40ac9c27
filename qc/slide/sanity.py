"""The gate before any stage: is this a brightfield slide whose pixels and size can be believed?

In: an open slide, then its overview. Out: nothing, or the `SlideError` that names the reason and the way out.
"""

import numpy as np
from numpy.typing import NDArray

from qc.config.sanity import SanitySettings
from qc.errors import (
    ImplausibleColourError,
    ImplausibleMppError,
    NotBrightfieldError,
    NoTissueError,
    NoUsableLevelError,
    OnlyPaddingError,
    TooSmallError,
)
from qc.geometry import Grid, Size
from qc.maps import TissueMask
from qc.slide.protocol import Slide
from qc.slide.window import Pixels, level_for

_PADDING_BLOCK = 16
_SAMPLE_PIXELS = 500_000
_PADDING_LEVELS = (0, 255)


def check_header(slide: Slide, settings: SanitySettings) -> None:
    """Is the stated pixel size plausible, and the scanned area large enough for tissue?

    Raises:
        ImplausibleMppError: If the mpp lies outside the settings' range.
        TooSmallError: If the shorter side is too short.
    """
    if not settings.mpp_min <= slide.mpp <= settings.mpp_max:
        source = "was given as" if slide.properties.get("mpp_source") == "caller" else "states"
        raise ImplausibleMppError(
            f"{slide.name} {source} {slide.mpp:g} um per pixel, outside {settings.mpp_min:g} to {settings.mpp_max:g}",
            "pass the true value with --mpp or list the slide in --mpp-table",
        )
    side_um = min(slide.size.width, slide.size.height) * slide.mpp
    if side_um < settings.side_min_um:
        raise TooSmallError(
            f"{slide.name} is {slide.size} px at {slide.mpp:g} mpp, only {side_um:.0f} um on its shorter side",
            "check that this is the slide and not its thumbnail",
        )


def check_overview_cost(slide: Slide, overview_grid: Grid, settings: SanitySettings) -> None:
    """Can the whole slide be looked at without decoding it at full resolution?

    Raises:
        NoUsableLevelError: If the nearest level has too many pixels.
    """
    level = slide.levels[level_for(slide, overview_grid)]
    if level.size.area > settings.overview_decode_max_mpx * 1e6:
        raise NoUsableLevelError(
            f"{slide.name} has no level between {level.size} px and the {overview_grid.size} px of an overview",
            "convert it to a pyramidal TIFF (vips tiffsave in out --tile --pyramid)",
        )


def scanned_area(overview: Pixels) -> NDArray[np.bool_]:
    """(H, W) bool: `is_scanned` less the padding that some scanners write as flat black or flat white blocks."""
    values = overview.rgb
    is_flat = np.zeros(overview.is_scanned.shape, np.bool_)
    height, width = Size.of(values.shape).shape
    step = _PADDING_BLOCK
    for level in _PADDING_LEVELS:
        is_level = np.pad((values == level).all(axis=2), [(0, -side % step) for side in (height, width)], mode="edge")
        blocks = is_level.reshape(is_level.shape[0] // step, step, is_level.shape[1] // step, step).all(axis=(1, 3))
        is_flat |= blocks.repeat(step, 0).repeat(step, 1)[:height, :width]
    return overview.is_scanned & ~is_flat


def check_overview(name: str, overview: Pixels, is_scanned: NDArray[np.bool_], settings: SanitySettings) -> None:
    """Is there an image at all, is it light on glass, and are its colours those of glass and stain?

    Raises:
        OnlyPaddingError: If nothing was scanned.
        NotBrightfieldError: If the image is light on black.
        ImplausibleColourError: If the colours look like undeclared YCbCr, or the glass is strongly coloured.
    """
    if not is_scanned.any():
        raise OnlyPaddingError(f"{name} holds only padding", "re-scan, or check the scanner's scan area")
    pixels = overview.rgb[is_scanned]
    pixels = pixels[:: max(1, len(pixels) // _SAMPLE_PIXELS)]
    brightest = pixels.max(axis=1)
    is_dark = brightest < settings.dark_level
    if is_dark.mean() > settings.dark_share_max:
        raise NotBrightfieldError(
            f"{name} is light on black ({is_dark.mean():.0%} of the scanned area is black), as fluorescence is",
            "assess brightfield slides only",
        )
    _check_colours(name, pixels, settings)
    if np.percentile(pixels.min(axis=1), 99) < settings.bright_level and not _is_stained(pixels):
        raise NotBrightfieldError(
            f"{name} has neither bright glass nor stained tissue", "check the scanner's exposure and re-scan"
        )


def check_tissue(name: str, tissue: TissueMask, settings: SanitySettings) -> None:
    """Is there enough tissue to speak about?

    Raises:
        NoTissueError: If the tissue area is below the settings' minimum.
    """
    if tissue.area_mm2 < settings.tissue_min_mm2:
        raise NoTissueError(
            f"{name} shows {tissue.area_mm2:.3f} mm2 of tissue, less than {settings.tissue_min_mm2:g} mm2",
            "look at the overview; if tissue is there, lower sanity.tissue_min_mm2",
        )


def _check_colours(name: str, pixels: NDArray[np.uint8], settings: SanitySettings) -> None:
    chroma = pixels[:, 1:].astype(np.int16) - 128
    luma_range = np.ptp(np.percentile(pixels[:, 0], (1, 99)))
    looks_like_ycbcr = (np.abs(chroma) <= settings.chroma_level_spread).mean() > 0.99 and luma_range > 20
    if looks_like_ycbcr:
        raise ImplausibleColourError(
            f"{name} has green and blue near 128 everywhere, as YCbCr read as RGB has",
            "export it again with the right photometric interpretation",
        )
    luminance = pixels.mean(axis=1)
    bright = pixels[luminance >= np.percentile(luminance, 90)].astype(np.float32).mean(axis=0)
    saturation = float(1 - bright.min() / bright.max())
    if saturation > settings.glass_saturation_max:
        raise ImplausibleColourError(
            f"{name} has strongly coloured light (saturation {saturation:.2f} in its brightest tenth)",
            "check the scanner's white balance and the channel order",
        )


def _is_stained(pixels: NDArray[np.uint8]) -> bool:
    """Full-frame dark tissue has no glass, but its colours differ from channel to channel."""
    return bool(np.abs(np.diff(pixels.astype(np.int16), axis=1)).mean() > 10)
