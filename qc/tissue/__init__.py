"""Tissue mask of a slide. In: an overview and where the scanner gave pixels. Out: (H, W) bool. Pure; no files."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.glass import estimate_glass
from qc.tissue.regions import bracketed, disc, fill_holes, grow_pieces
from qc.tissue.stain import Densities, find_ink, is_grey, measure

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
    usable = is_scanned & ~ink & ~is_grey(od, settings)
    fine = usable & (od.stain > settings.stain_floor)
    pale, seed = _local_evidence(od, usable, mpp, settings)
    pieces = grow_pieces(fine | pale, seed, mpp, settings)
    hole_px = settings.hole_max_area_um2 / mpp**2
    pieces = fill_holes(pieces, is_scanned & ~ink, hole_px)
    under = _under_ink(ink | (is_grey(od, settings) & (od.mean > 0.4)), pieces, mpp, settings)
    return fill_holes(pieces | under, is_scanned, hole_px) & is_scanned


def _local_evidence(od: Densities, usable: Mask, mpp: float, settings: TissueSettings) -> tuple[Mask, Mask]:
    """Pale but textured tissue, and pixels stained beyond doubt for this slide.

    Judged on a coarser grid. The pale mask is eroded by what the averaging added around it.
    """
    factor = min(1.0, mpp / settings.region_mpp)
    region_mpp = mpp / factor
    shape = usable.shape
    size = (max(1, round(shape[1] * factor)), max(1, round(shape[0] * factor)))
    stain = _shrink(np.where(usable, od.stain, np.float32(0)), size)
    texture = _texture(od.green, size, settings.texture_window_um / mpp)
    sigma = max(0.7, settings.smooth_um / region_mpp)
    local = cv2.GaussianBlur(stain, (0, 0), sigma)
    density = cv2.GaussianBlur(_shrink(od.mean, size), (0, 0), sigma)
    textured = texture > _texture_level(texture, density, settings)
    pale = textured & (local > settings.stain_floor_local) & (local > settings.pale_share * density)
    pale = cv2.erode(pale.view(np.uint8), disc(settings.pale_margin_um / region_mpp)).view(np.bool_)
    seed = textured & (local > _seed_level(local[textured], settings))
    return _enlarge(pale, shape) & usable, _enlarge(seed, shape) & usable


def _seed_level(stain: NDArray[np.float32], settings: TissueSettings) -> float:
    """Stain that starts a piece: a share of what is typical of this slide's certain tissue."""
    certain = stain[stain > settings.stain_seed_floor]
    if certain.size == 0:
        return settings.stain_seed_floor
    own = settings.stain_seed_share * float(np.median(certain))
    return min(max(settings.stain_seed_floor, own), settings.stain_seed_ceiling)


def _texture_level(texture: NDArray[np.float32], density: NDArray[np.float32], settings: TissueSettings) -> float:
    """Texture beyond that of this slide's glass; a noisy scanner or compression raises it."""
    glass = texture[density < settings.glass_max_density]
    if glass.size == 0:
        return settings.texture_floor
    own = settings.texture_over_glass * float(np.median(glass))
    return min(max(settings.texture_floor, own), settings.texture_ceiling)


def _texture(density: NDArray[np.float32], size: tuple[int, int], window_px: float) -> NDArray[np.float32]:
    """Local standard deviation of `density` over a square window, on a grid of `size`."""
    side = 2 * max(1, round(window_px / 2)) + 1
    mean = cv2.blur(density, (side, side))
    square = cv2.sqrBoxFilter(density, cv2.CV_32F, (side, side))
    return _shrink(cv2.sqrt(np.maximum(square - mean * mean, 0)), size)


def _shrink(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _enlarge(mask: Mask, shape: tuple[int, ...]) -> Mask:
    return cv2.resize(mask.view(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST).view(np.bool_)


def _under_ink(ink: Mask, pieces: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """Ink that lies between tissue on both sides of the stroke, judged on a coarse grid."""
    if not ink.any():
        return np.zeros_like(ink)
    factor = min(1.0, mpp / _BRACKET_MPP)
    size = (max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor)))
    coarse_ink = cv2.resize(ink.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3
    coarse_tissue = cv2.resize(pieces.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3
    inside = bracketed(coarse_ink, coarse_tissue, settings.stroke_max_um / (mpp / factor))
    side = 2 * max(1, round(settings.stroke_agreement_um / 2 * factor / mpp)) + 1
    agreed = cv2.blur(inside.astype(np.float32), (side, side)) > 0.5 * cv2.blur(coarse_ink.astype(np.float32), (side, side))
    inside = agreed & coarse_ink
    full = cv2.resize(inside.view(np.uint8), ink.shape[::-1], interpolation=cv2.INTER_NEAREST).view(np.bool_)
    return full & ink
