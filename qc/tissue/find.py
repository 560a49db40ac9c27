"""The two passes. In: an overview and where the scanner gave pixels. Out: the tissue mask. Pure; no files."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.dirt import find_grey, find_ink
from qc.tissue.evidence import Evidence, Plane, measure
from qc.tissue.faint import find_dark_grey, find_faint, is_immunostained
from qc.tissue.glass import estimate_glass
from qc.tissue.regions import disc, fill_holes, grow_pieces, with_margin
from qc.tissue.strokes import inked_tissue

Mask = NDArray[np.bool_]

_HUE_SAMPLE = 50_000


def find_tissue(rgb: NDArray[np.uint8], is_scanned: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """Where there is tissue, in two passes.

    The first pass finds what is stained beyond doubt. It tells how strongly and in which hues this slide is
    stained; the second pass extends pieces over paler, textured surroundings of those hues, or of any hue where
    no eosin colours them.
    Ink, dust, frames and shadows are left out; ink between tissue on both sides of a stroke is kept.

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
    if not is_scanned.any():
        return np.zeros_like(is_scanned)
    work_rgb, work_mpp = _reduced(rgb, mpp, settings.work_mpp)
    work_scanned = _resized(is_scanned, work_rgb.shape)
    glass = estimate_glass(work_rgb, work_scanned, settings)
    seen = measure(work_rgb, glass, work_mpp, settings)
    tissue = _pieces(seen, _resized(is_scanned, seen.red.shape), settings)
    tissue = with_margin(tissue, settings.margin_um / seen.mpp)
    return _enlarged(tissue, is_scanned.shape, seen.mpp / mpp) & is_scanned


def _pieces(seen: Evidence, is_scanned: Mask, settings: TissueSettings) -> Mask:
    """Tissue on the grid of `seen`."""
    density = seen.density
    ink = find_ink(seen, settings)
    grey = find_grey(seen, density, settings)
    usable = is_scanned & ~ink & ~grey
    textured = seen.texture > _texture_level(seen.texture[is_scanned], density[is_scanned], settings)
    pale, seed = _local_evidence(seen, density, usable, textured, settings)
    candidate = pale | (usable & (seen.stained_share >= 0.5))
    covered = ink | (grey & (density > settings.cover_density))
    min_seed_share = settings.piece_min_seed_share
    if is_immunostained(seen, seed, settings):
        min_seed_share = settings.faint_min_seed_share
        covered |= find_dark_grey(seen, grey, settings)
        candidate |= find_faint(seen, covered, is_scanned, settings)
    pieces = grow_pieces(candidate, seed, min_seed_share, seen.mpp, settings)
    pieces = fill_holes(pieces, textured, ink | ~is_scanned, seen.mpp, settings)
    pieces |= inked_tissue(covered, pieces, seen.mpp, settings)
    return fill_holes(pieces, textured, ~is_scanned, seen.mpp, settings)


def _local_evidence(
    seen: Evidence, density: Plane, usable: Mask, textured: Mask, settings: TissueSettings
) -> tuple[Mask, Mask]:
    """Pale but textured tissue of this slide's hues, and cells stained beyond doubt for this slide.

    The pale mask is eroded by the margin that averaging adds around it.
    """
    sigma = max(0.7, settings.smooth_um / seen.mpp)
    local = _averaged(np.where(usable, seen.stain, np.float32(0)), sigma)
    seed = usable & textured & (local > _seed_level(local[textured & usable], settings))
    pale = textured & (local > settings.stain_floor_local) & (local > settings.pale_share * _averaged(density, sigma))
    local_green = _averaged(seen.green, sigma)
    for other in (seen.red, seen.blue):
        most = _largest_share(other[seed], seen.green[seed], settings)
        pale &= _averaged(other, sigma) <= most * local_green
    pale = cv2.erode(pale.view(np.uint8), disc(settings.pale_margin_um / seen.mpp)).view(np.bool_)
    return pale & usable, seed


def _largest_share(other: Plane, green: Plane, settings: TissueSettings) -> float:
    """How much of red or blue this slide's stains absorb for each unit of green, with a margin for pale tissue."""
    step = max(1, green.size // _HUE_SAMPLE)
    if green.size == 0:
        return settings.hue_share_floor
    own = float(np.quantile(other[::step] / np.maximum(green[::step], np.float32(0.01)), 0.98))
    return max(settings.hue_share_floor, own + settings.hue_margin)


def _averaged(plane: Plane, sigma_px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px), np.float32)


def _seed_level(stain: Plane, settings: TissueSettings) -> float:
    """Stain that starts a piece: a share of what is typical of this slide's certain tissue."""
    certain = stain[stain > settings.stain_seed_floor]
    if certain.size == 0:
        return settings.stain_seed_floor
    own = settings.stain_seed_share * float(np.median(certain))
    return min(max(settings.stain_seed_floor, own), settings.stain_seed_ceiling)


def _texture_level(texture: Plane, density: Plane, settings: TissueSettings) -> float:
    """Texture beyond that of this slide's glass; a noisy scanner or compression raises it."""
    glass = texture[density < settings.glass_max_density]
    if glass.size == 0:
        return settings.texture_floor
    own = settings.texture_over_glass * float(np.median(glass))
    return min(max(settings.texture_floor, own), settings.texture_ceiling)


def _reduced(rgb: NDArray[np.uint8], mpp: float, work_mpp: float) -> tuple[NDArray[np.uint8], float]:
    """An overview clearly finer than `work_mpp` averaged down to it, and its micrometres per pixel."""
    if mpp > 0.8 * work_mpp:
        return rgb, mpp
    size = tuple(max(1, round(side * mpp / work_mpp)) for side in (rgb.shape[1], rgb.shape[0]))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), work_mpp


def _resized(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """`mask` on a grid of `shape`, by the nearest cell."""
    return cv2.resize(mask.view(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST).view(np.bool_)


def _enlarged(mask: Mask, shape: tuple[int, ...], ratio: float) -> Mask:
    """`mask` on the finer grid of the overview, its outline smoothed; `ratio` is pixels per cell."""
    if mask.shape == shape:
        return mask
    height, width = (max(side, round(cells * ratio)) for side, cells in zip(shape, mask.shape, strict=True))
    fine = cv2.resize(mask.view(np.uint8) * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
    return fine[: shape[0], : shape[1]] > 127
