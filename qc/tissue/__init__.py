"""Tissue mask of a slide. In: an overview and where the scanner gave pixels. Out: (H, W) bool. Pure; no files."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.glass import estimate_glass
from qc.tissue.regions import bracketed, fill_holes, grow_pieces
from qc.tissue.stain import Densities, find_ink, measure

__all__ = ["find_tissue"]

Mask = NDArray[np.bool_]

_BRACKET_MPP = 32.0


def find_tissue(rgb: NDArray[np.uint8], is_scanned: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """Where there is tissue, in two passes.

    The first pass finds pixels that are stained beyond doubt. They tell how strongly this slide is stained,
    which sets the second, lower threshold; what exceeds it stays when it is joined to a seed.

    Args:
        rgb: (H, W, 3) uint8 overview.
        is_scanned: (H, W) bool, False where the scanner gave nothing.
        mpp: Micrometres per pixel of the overview, 4 to 70.
        settings: Thresholds.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: If the two arrays differ in height or width.
    """
    if rgb.shape[:2] != is_scanned.shape:
        raise ValueError(f"overview {rgb.shape[:2]} and scanned mask {is_scanned.shape} differ")
    if mpp >= settings.work_mpp * 0.9:
        return _find(rgb, is_scanned, mpp, settings)
    height, width = is_scanned.shape
    factor = mpp / settings.work_mpp
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = _find(
        cv2.resize(rgb, size, interpolation=cv2.INTER_AREA),
        cv2.resize(is_scanned.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(np.bool_),
        settings.work_mpp,
        settings,
    )
    found = cv2.resize(small.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).view(np.bool_)
    return found & is_scanned


def _find(rgb: NDArray[np.uint8], is_scanned: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """`find_tissue` at the working resolution."""
    od = measure(rgb, estimate_glass(rgb, is_scanned, settings))
    ink = find_ink(od, mpp, settings)
    stain = od.stain
    usable = is_scanned & ~ink & (stain > settings.stain_over_density * od.mean)
    floor, seed_level = _levels(stain, usable, settings)
    candidate = usable & (stain > floor)
    pieces = grow_pieces(candidate, candidate & (stain > seed_level), mpp, settings)
    pieces = fill_holes(pieces, is_scanned & ~ink, settings.hole_max_area_um2 / mpp**2)
    under = _under_ink(ink | _is_black(od, settings), pieces, mpp, settings)
    return fill_holes(pieces | under, is_scanned, settings.hole_max_area_um2 / mpp**2) & is_scanned


def _levels(stain: NDArray[np.float32], usable: Mask, settings: TissueSettings) -> tuple[float, float]:
    """Stain that extends a piece and stain that starts one."""
    noise = 0.0
    certain = stain[usable & (stain > max(settings.stain_seed_floor, noise))]
    floor = max(settings.stain_floor, noise)
    if certain.size == 0:
        return floor, settings.stain_seed_ceiling
    own = float(np.median(certain))
    seed = min(max(settings.stain_seed_floor, settings.stain_seed_share * own), settings.stain_seed_ceiling)
    return floor, seed


def _is_black(od: Densities, settings: TissueSettings) -> Mask:
    """Opaque and colourless."""
    density = od.mean
    return (density > 0.4) & (od.stain <= settings.stain_over_density * density)


def _under_ink(ink: Mask, pieces: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """Ink that lies between tissue on both sides of the stroke, judged on a coarse grid."""
    if not ink.any():
        return np.zeros_like(ink)
    factor = min(1.0, mpp / _BRACKET_MPP)
    size = (max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor)))
    coarse_ink = cv2.resize(ink.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3
    coarse_tissue = cv2.resize(pieces.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3
    inside = bracketed(coarse_ink, coarse_tissue, settings.stroke_max_um / (mpp / factor))
    full = cv2.resize(inside.view(np.uint8), ink.shape[::-1], interpolation=cv2.INTER_NEAREST).view(np.bool_)
    return full & ink
