"""Annotations made worse on purpose, in the ways in which real ones are bad (Foucart et al. 2018, 2021).

In: exact classes of a tile. Out: what a hurried annotator would have drawn, with borders nobody is held to.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.training import LabelNoiseSettings
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass

Classes = NDArray[np.uint8]


def spoil(classes: Classes, mpp: float, settings: LabelNoiseSettings, rng: np.random.Generator) -> Classes:
    """Annotations of a tile after the settings' kinds of noise; all off leaves them as they are.

    Args:
        classes: (H, W) uint8 of `ArtefactClass` or IGNORE.
        mpp: Micrometres per pixel.
        settings: Which kinds, and how much.
        rng: Decides what is missed and where areas slip to.

    Returns:
        (H, W) uint8; glass and ignored pixels never become annotated.
    """
    if _is_spoiling(settings):
        classes = _redrawn(classes, mpp, settings, rng)
    if settings.ignore_band_um:
        classes = with_ignore_bands(classes, settings.ignore_band_um / mpp)
    return classes


def with_ignore_bands(classes: Classes, width_px: float) -> Classes:
    """IGNORE along all borders between classes, half the width on either side."""
    reach = max(1, round(width_px / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    known = np.where(classes == IGNORE, 0, classes).astype(np.uint8)
    high = np.asarray(cv2.dilate(known, kernel))
    low = np.asarray(cv2.erode(np.where(classes == IGNORE, 255, classes).astype(np.uint8), kernel))
    return np.where(high != low, IGNORE, classes).astype(np.uint8)


def _is_spoiling(settings: LabelNoiseSettings) -> bool:
    return bool(settings.missing or settings.shifted_um or settings.eroded_um or settings.polygon_um)


def _redrawn(classes: Classes, mpp: float, settings: LabelNoiseSettings, rng: np.random.Generator) -> Classes:
    is_artefact = np.isin(classes, ARTEFACTS)
    out = np.where(is_artefact, ArtefactClass.CLEAN, classes).astype(np.uint8)
    may_be_drawn = is_artefact | (classes == ArtefactClass.CLEAN)
    for label, area in _areas(classes):
        is_missing = rng.random() < settings.missing
        slip_px = rng.normal(0, 1, 2) * (settings.shifted_um / mpp)
        if not is_missing:
            drawn = _polygon(_grown(_shifted(area, slip_px), -settings.eroded_um / mpp), settings.polygon_um / mpp)
            out[(drawn > 0) & may_be_drawn] = label
    return out


def _areas(classes: Classes) -> Iterator[tuple[int, Classes]]:
    for label in ARTEFACTS:
        count, components = cv2.connectedComponents((classes == label).astype(np.uint8))
        for index in range(1, count):
            yield int(label), (components == index).astype(np.uint8)


def _shifted(area: Classes, slip_px: NDArray[np.float64]) -> Classes:
    if not np.abs(slip_px).max() > 0:
        return area
    matrix = np.array([[1, 0, slip_px[0]], [0, 1, slip_px[1]]], np.float64)
    moved = cv2.warpAffine(area, matrix, area.shape[::-1], flags=cv2.INTER_NEAREST)
    return np.asarray(moved, np.uint8)


def _grown(area: Classes, width_px: float) -> Classes:
    reach = round(abs(width_px))
    if not reach:
        return area
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    change = cv2.dilate if width_px > 0 else cv2.erode
    return np.asarray(change(area, kernel), np.uint8)


def _polygon(area: Classes, tolerance_px: float) -> Classes:
    if not tolerance_px:
        return area
    outlines, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    coarse = [cv2.approxPolyDP(outline, tolerance_px, closed=True) for outline in outlines]
    return np.asarray(cv2.fillPoly(np.zeros_like(area), coarse, (1,)), np.uint8)
