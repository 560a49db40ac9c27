"""How sharp tissue is. In: the focus planes of `Evidence`. Out: focus on the map grid, and a slide score 0-10.

Focus is the ratio of the RMS density finer than about 1 um to that between about 2 and 7 um, each pooled over the
tissue of a window. A stain twice as strong doubles both, so contrast cancels; defocus is a low pass, so the ratio
falls with it. Flat tissue has little of either and is not judged.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.evidence import BLOCK_CELLS, Evidence

_NOISE_DENSITY = 0.002  # RMS that rounding to 8 bits and JPEG leave on tissue
_BROAD_SIGMAS_UM = (7.0, 25.0)
_BROAD_STEP = 2
_SCORE_CUT = 4.0
_FOCUS_AT_CUT = 0.45
_POINTS_PER_OCTAVE = 2.5


def focus_map(
    evidence: Evidence, is_tissue: NDArray[np.bool_], window_um: float, contrast_cap: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Focus and coarse contrast around each cell, from tissue only.

    Args:
        evidence: Planes of one tile.
        is_tissue: (h, w) bool on the map grid.
        window_um: Side of the pooling window in micrometres.
        contrast_cap: Coarse density above which a block counts no more than this: else one dark edge would outweigh
            all nuclei around it.

    Returns:
        Focus (h, w), 0 where it cannot be measured, and RMS coarse density (h, w).
    """
    share = _tissue_share(evidence, is_tissue) * (evidence.coarse > 0)
    side = max(1, round(window_um / (evidence.cell_um * BLOCK_CELLS))) | 1
    fine_power = np.maximum(np.square(evidence.fine.astype(np.float32)) - _NOISE_DENSITY**2, 0)
    coarse_power = np.square(evidence.coarse.astype(np.float32))
    weight = share * np.minimum(1, np.float32(contrast_cap**2) / np.maximum(coarse_power, np.float32(1e-9)))
    fine = _pool(fine_power * weight, side)
    coarse = _pool(coarse_power * weight, side)
    pooled_weight = _pool(share, side)
    focus = np.sqrt(fine / np.maximum(coarse, 1e-9))
    contrast = np.sqrt(coarse / np.maximum(pooled_weight, 1e-3))
    return _to_cells(focus, evidence.shape), _to_cells(contrast, evidence.shape)


def broad_contrast(
    density: NDArray[np.float32], is_tissue: NDArray[np.bool_], cell_um: float, window_um: float
) -> NDArray[np.float32]:
    """RMS density between about 7 and 25 um around each cell (h, w), from tissue only.

    Defocus so strong that nothing is left at 2 to 7 um still leaves this; tissue that is smooth by nature has neither.

    Args:
        density: (h, w) mean optical density of cells.
        is_tissue: (h, w) bool.
        cell_um: Side of a cell in micrometres.
        window_um: Side of the pooling window in micrometres.
    """
    coarse = (-(-density.shape[1] // _BROAD_STEP), -(-density.shape[0] // _BROAD_STEP))
    weight = np.asarray(cv2.resize(is_tissue.astype(np.float32), coarse, interpolation=cv2.INTER_AREA), np.float32)
    reduced = np.asarray(cv2.resize(density, coarse, interpolation=cv2.INTER_AREA), np.float32)
    step_um = cell_um * _BROAD_STEP
    small, large = (_tissue_mean(reduced, weight, sigma_um / step_um) for sigma_um in _BROAD_SIGMAS_UM)
    side = max(1, round(window_um / step_um)) | 1
    mean = _pool(np.square(small - large) * weight, side) / np.maximum(_pool(weight, side), 1e-3)
    rms = np.sqrt(np.maximum(mean, 0))  # sliding sums may end below zero
    return np.asarray(cv2.resize(rms, density.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def score_of_focus(focus: float) -> float:
    """Focus score 0-10 of a slide: 4 at focus 0.45, 2.5 points more for each doubling.

    >>> score_of_focus(0.45), score_of_focus(0.9)
    (4.0, 6.5)
    """
    if not focus > 0:
        return math.nan if math.isnan(focus) else 0.0
    score = _SCORE_CUT + _POINTS_PER_OCTAVE * math.log2(focus / _FOCUS_AT_CUT)
    return min(10.0, max(0.0, score))


def _tissue_share(evidence: Evidence, is_tissue: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(hb, wb) share of tissue in each block."""
    height, width = evidence.shape
    tissue = cv2.copyMakeBorder(
        is_tissue.astype(np.float32), 0, -height % BLOCK_CELLS, 0, -width % BLOCK_CELLS, cv2.BORDER_REPLICATE
    )
    return cv2.resize(tissue, evidence.fine.shape[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _tissue_mean(density: NDArray[np.float32], weight: NDArray[np.float32], sigma_cells: float) -> NDArray[np.float32]:
    """Gaussian mean over tissue cells alone, so that the tissue's own outline is no contrast."""
    total = cv2.GaussianBlur(density * weight, (0, 0), sigma_cells)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma_cells), 1e-3), np.float32)


def _pool(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Mean over `side` x `side` blocks; nothing lies beyond the tile."""
    return cv2.boxFilter(plane, -1, (side, side), borderType=cv2.BORDER_CONSTANT)  # type: ignore[return-value]


def _to_cells(plane: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) plane from (hb, wb) blocks."""
    size = (plane.shape[1] * BLOCK_CELLS, plane.shape[0] * BLOCK_CELLS)
    return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]  # type: ignore[return-value]
