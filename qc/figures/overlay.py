"""The overview with its artefacts laid over it: outline, colours, legend and scale bar. Pillow only."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qc.figures.scale_bar import scale_bar
from qc.geometry import Size
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap, TissueMask

_ALPHA = 0.6
_VISIBLE_SHARE = 0.25
_MARGIN_PX = 12
_LINE_PX = 22
_LEGEND_PX = 150
_TOP_PX = 34
_BOTTOM_PX = 36
_TISSUE_OUTLINE = (160, 32, 160)


def fitted(rgb: NDArray[np.uint8], side_max_px: int) -> NDArray[np.uint8]:
    """An image no longer than `side_max_px`, reduced by area; smaller images stay as they are."""
    height, width = rgb.shape[:2]
    scale = side_max_px / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def draw_overlay(
    rgb: NDArray[np.uint8], artefacts: ArtefactMap, tissue: TissueMask, title: str, side_max_px: int = 1600
) -> Image.Image:
    """The slide as a technician wants to see it.

    Args:
        rgb: (H, W, 3) uint8 overview of the whole slide, any resolution.
        artefacts: The artefact map.
        tissue: The tissue mask; its outline is drawn.
        title: One line above the picture.
        side_max_px: Longest side of the slide in the picture, pixels.
    """
    picture = fitted(rgb, side_max_px).copy()
    size = Size.of(picture.shape)
    shown = _visible_classes(artefacts.classes, size)
    for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED):
        is_class = shown == cls
        if cls is ArtefactClass.UNASSESSED:
            is_class &= _resized(tissue.is_tissue, size) >= 0.5
        _blend(picture, is_class, cls.colour)
    outline = (_resized(tissue.is_tissue, size) >= 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(outline, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, _TISSUE_OUTLINE, 1)
    um_per_px = artefacts.grid.slide_size.width * artefacts.grid.slide_mpp / size.width
    return _framed(picture, title, um_per_px)


def _visible_classes(classes: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Class to show per pixel: the artefact with the largest share, so that thin lines survive reduction."""
    shown = np.zeros(size.shape, np.uint8) + np.uint8(ArtefactClass.GLASS)
    best = np.full(size.shape, _VISIBLE_SHARE, np.float32)
    for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED):
        share = _resized(classes == cls, size)
        wins = share > best
        shown[wins], best[wins] = cls, share[wins]
    return shown


def _resized(mask: NDArray[np.bool_], size: Size) -> NDArray[np.float32]:
    """Share of a mask (0-1) under each pixel of a picture."""
    shares = cv2.resize(mask.astype(np.uint8) * np.uint8(255), (size.width, size.height), interpolation=cv2.INTER_AREA)
    return np.asarray(shares, np.float32) / np.float32(255)


def _blend(picture: NDArray[np.uint8], where: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    picture[where] = ((1 - _ALPHA) * picture[where] + _ALPHA * np.array(colour)).astype(np.uint8)


def unframed(overlay: Image.Image) -> Image.Image:
    """The slide alone out of a picture that `draw_overlay` made."""
    right = overlay.width - _LEGEND_PX - 2 * _MARGIN_PX
    return overlay.crop((_MARGIN_PX, _TOP_PX, right, overlay.height - _BOTTOM_PX))


def draw_legend(draw: ImageDraw.ImageDraw, left: int, top: int, step: tuple[int, int] = (0, _LINE_PX)) -> None:
    """Colour and name of each artefact class, `step` (x, y) pixels apart."""
    font = ImageFont.load_default(15)
    entries = [(cls.label, cls.colour, "black") for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED)]
    for i, (label, fill, outline) in enumerate([*entries, ("tissue outline", "white", _TISSUE_OUTLINE)]):
        x, y = left + i * step[0], top + i * step[1]
        draw.rectangle((x, y, x + 15, y + 15), fill, outline, 2 if fill == "white" else 1)
        draw.text((x + 22, y - 2), label, "black", font)


def _framed(picture: NDArray[np.uint8], title: str, um_per_px: float) -> Image.Image:
    font = ImageFont.load_default(15)
    height, width = picture.shape[:2]
    size = (max(width, 480) + _LEGEND_PX + 3 * _MARGIN_PX, max(height, 220) + _TOP_PX + _BOTTOM_PX)
    canvas = Image.new("RGB", size, "white")
    canvas.paste(Image.fromarray(picture), (_MARGIN_PX, _TOP_PX))
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN_PX, 8), shortened(title, canvas.width // 8), "black", font)
    draw_legend(draw, canvas.width - _LEGEND_PX - _MARGIN_PX, _TOP_PX)
    draw_scale_bar(draw, canvas.height - 26, um_per_px, width)
    return canvas


def draw_scale_bar(draw: ImageDraw.ImageDraw, top: int, um_per_px: float, width: int) -> None:
    """A bar of a round length below a picture, at most a third as long as its `width` pixels."""
    bar = scale_bar(um_per_px, width)
    length_px = round(bar.length_px)
    draw.rectangle((_MARGIN_PX, top + 6, _MARGIN_PX + length_px, top + 10), "black")
    draw.text((_MARGIN_PX + length_px + 8, top - 2), bar.label, "black", ImageFont.load_default(15))


def shortened(text: str, length: int) -> str:
    """A text cut to `length` characters."""
    return text if len(text) <= length else text[: length - 3] + "..."
