"""Tissue under marker strokes. In: ink and tissue masks. Out: the ink that lies over tissue. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings

Mask = NDArray[np.bool_]

_COARSE_MPP = 32.0
_STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 2**0.5), (1, -1, 2**0.5))


def inked_tissue(ink: Mask, tissue: Mask, mpp: float, settings: TissueSettings) -> Mask:
    """Ink that has tissue on both sides of its stroke, as most of the stroke around it has.

    A ring drawn on glass around a piece has tissue on one side at most and stays out.

    Args:
        ink: (H, W) bool.
        tissue: (H, W) bool, tissue found so far.
        mpp: Micrometres per cell.
        settings: Thresholds.
    """
    if not ink.any():
        return ink
    step = max(1, round(_COARSE_MPP / mpp))
    coarse_ink, coarse_tissue = _reduced(ink, step), _reduced(tissue, step)
    inside = bracketed(coarse_ink, coarse_tissue, settings.stroke_max_um / (mpp * step))
    side = 2 * max(1, round(settings.stroke_agreement_um / (2 * mpp * step))) + 1
    over_tissue, stroke = (cv2.blur(mask.astype(np.float32), (side, side)) for mask in (inside, coarse_ink))
    agreed = (over_tissue > 0.5 * stroke) & coarse_ink
    return cv2.resize(agreed.view(np.uint8), ink.shape[::-1], interpolation=cv2.INTER_NEAREST).view(np.bool_) & ink


def bracketed(ink: Mask, tissue: Mask, max_run_px: float) -> Mask:
    """Ink cells with tissue at both ends of their shortest run: along the row, the column or a diagonal."""
    shortest = np.full(ink.shape, np.inf, np.float32)
    found = np.zeros_like(ink)
    for dy, dx, length in _STEPS:
        ahead, ends_ahead = _run(ink, tissue, dy, dx)
        behind, ends_behind = _run(ink[::-1, ::-1], tissue[::-1, ::-1], dy, dx)
        run = (ahead + behind[::-1, ::-1]) * np.float32(length)
        shorter = ink & (run < shortest)
        shortest[shorter] = run[shorter]
        found[shorter] = (ends_ahead & ends_behind[::-1, ::-1])[shorter]
    return found & (shortest <= max_run_px)


def _run(ink: Mask, tissue: Mask, dy: int, dx: int) -> tuple[NDArray[np.float32], Mask]:
    """For each ink cell the number of steps (dy, dx) until the ink ends, and whether it ends in tissue."""
    if dy == 0:
        steps, ends = _run(ink.T, tissue.T, dx, 0)
        return steps.T, ends.T
    height, width = ink.shape
    steps = ink.astype(np.float32)
    ends = tissue & ~ink
    here, there = slice(max(0, -dx), width - max(0, dx)), slice(max(0, dx), width - max(0, -dx))
    for row in range(height - 2, -1, -1):
        inside = ink[row, here]
        steps[row, here] += inside * steps[row + 1, there]
        ends[row, here] |= inside & ends[row + 1, there]
    return steps, ends


def _reduced(mask: Mask, step: int) -> Mask:
    """Cells of `step` x `step` of which at least a third is set."""
    size = (max(1, mask.shape[1] // step), max(1, mask.shape[0] // step))
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3
