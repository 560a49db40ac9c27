"""From stained cells to pieces of tissue: joining, holes, margins. In and out: (H, W) bool masks. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings

Mask = NDArray[np.bool_]


def disc(radius_px: float) -> NDArray[np.uint8]:
    """Round kernel; a single cell when the radius is below half a cell."""
    side = 2 * max(0, round(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def enough(mask: Mask, min_area_px: float) -> Mask:
    """`mask` without connected parts smaller than `min_area_px`."""
    labels, area_px = _parts(mask, connectivity=8)
    keep = area_px >= min_area_px
    keep[0] = False
    return keep[labels]


def supported(mask: Mask, evidence: Mask, min_share: float) -> Mask:
    """`mask` without connected parts of which less than `min_share` (0-1) is `evidence`."""
    labels, area_px = _parts(mask, connectivity=8)
    keep = np.bincount(labels[evidence], minlength=len(area_px)) >= min_share * area_px
    keep[0] = False
    return keep[labels]


def grow_pieces(candidate: Mask, seed: Mask, min_seed_share: float, mpp: float, settings: TissueSettings) -> Mask:
    """Pieces of joined candidates that hold enough area and seeds, as a share (0-1) of it."""
    joined = cv2.morphologyEx(candidate.view(np.uint8), cv2.MORPH_CLOSE, disc(settings.closing_um / mpp))
    opened = cv2.morphologyEx(joined, cv2.MORPH_OPEN, disc(settings.opening_um / mpp))
    labels, area_px = _parts(opened.view(np.bool_), connectivity=8)
    seeds_px = np.bincount(labels[seed], minlength=len(area_px))
    is_seeded = (seeds_px >= min_seed_share * area_px) & (seeds_px > 0)
    keep = is_seeded & (area_px * mpp**2 >= settings.piece_min_area_um2)
    keep[0] = False
    return keep[labels]


def fill_holes(mask: Mask, textured: Mask, barred: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """`mask` with the holes of fat filled, except where `barred`.

    Holes as small as a few fat cells are filled always; larger ones only when most of them is textured,
    as membranes are and a lumen is not.
    """
    labels, area_px = _parts(~mask, connectivity=4)
    rough_px = np.bincount(labels[textured], minlength=len(area_px))
    is_fat = (area_px * mpp**2 <= settings.fat_max_area_um2) & (rough_px >= settings.fat_texture_share * area_px)
    fill = is_fat | (area_px * mpp**2 <= settings.hole_max_area_um2)
    fill[0] = False
    return mask | (fill[labels] & ~barred)


def with_margin(mask: Mask, margin_px: float) -> Mask:
    """`mask` grown on all sides by a round margin."""
    if margin_px < 0.5:
        return mask
    return cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3) <= margin_px


def _parts(mask: Mask, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Label (H, W) of each connected part, 0 outside, and the area of each label in cells."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=connectivity)
    return np.asarray(labels, np.int32), np.asarray(stats[:, cv2.CC_STAT_AREA], np.int32)
