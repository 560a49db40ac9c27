"""From stained pixels to pieces of tissue. In: seed, candidate and ink masks. Out: the tissue mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings

Mask = NDArray[np.bool_]


def disc(radius_px: float) -> NDArray[np.uint8]:
    """Round kernel; a single cell when the radius is below half a pixel."""
    side = 2 * max(0, round(radius_px)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def grow_pieces(candidate: Mask, seed: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """Pieces of joined candidates that hold enough seeds and area."""
    joined = cv2.morphologyEx(candidate.view(np.uint8), cv2.MORPH_CLOSE, disc(settings.closing_um / mpp))
    opened = cv2.morphologyEx(joined, cv2.MORPH_OPEN, disc(settings.opening_um / mpp))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    area_px = stats[:, cv2.CC_STAT_AREA]
    seeds_px = np.bincount(labels[seed], minlength=count)
    keep = (area_px * mpp**2 >= settings.piece_min_area_um2) & (seeds_px >= settings.piece_min_seed_share * area_px)
    keep[0] = False
    return keep[labels]


def fill_holes(mask: Mask, fillable: Mask, max_area_px: float) -> Mask:
    """`mask` with enclosed holes up to `max_area_px` filled where `fillable`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= max_area_px
    small[0] = False
    return mask | (small[labels] & fillable)


def bracketed(ink: Mask, tissue: Mask, max_run_px: float) -> Mask:
    """Ink pixels with tissue at both ends of their shortest run across the stroke.

    Runs are measured along rows, columns and both diagonals.
    """
    best = np.full(ink.shape, np.inf, np.float32)
    found = np.zeros(ink.shape, np.bool_)
    for forward, step_px in (((0, 1), 1.0), ((1, 0), 1.0), ((1, 1), 2**0.5), ((1, -1), 2**0.5)):
        backward = (-forward[0], -forward[1])
        ahead_px, ahead_tissue = _run(ink, tissue, forward)
        behind_px, behind_tissue = _run(ink, tissue, backward)
        run_px = (ahead_px + behind_px) * np.float32(step_px)
        shorter = ink & (run_px < best)
        best[shorter] = run_px[shorter]
        found[shorter] = (ahead_tissue & behind_tissue)[shorter]
    return found & (best <= max_run_px)


def _run(ink: Mask, tissue: Mask, step: tuple[int, int]) -> tuple[NDArray[np.float32], Mask]:
    """For each pixel the steps to the first pixel that is not ink, and whether that one is tissue."""
    dy, dx = step
    height, width = ink.shape
    length = np.zeros(ink.shape, np.float32)
    ends_in_tissue = tissue & ~ink
    rows = range(height - 1, -1, -1) if dy > 0 else range(height)
    if dy == 0:
        flipped = _run(ink.T, tissue.T, (dx, 0))
        return flipped[0].T, flipped[1].T
    for row in rows:
        previous = row + dy
        if not 0 <= previous < height:
            continue
        here = slice(max(0, -dx), width - max(0, dx))
        there = slice(max(0, dx), width - max(0, -dx))
        inside = ink[row, here]
        length[row, here] = np.where(inside, length[previous, there] + 1, 0)
        ends_in_tissue[row, here] |= inside & ends_in_tissue[previous, there]
    return length, ends_in_tissue
