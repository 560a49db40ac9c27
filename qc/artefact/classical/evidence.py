"""What one tile gives to the rules. In: pixels of one tile at about 1 mpp. Out: small planes on the map grid.

Evidence is local: a cell depends on pixels no farther away than `REACH_UM`, so tiles read with a halo at least
as wide agree where they overlap.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.reading import MAP_BLOCK_CELLS

REACH_UM = 32.0
BLOCK_CELLS = MAP_BLOCK_CELLS

_FINE_SIGMA_UM = 1.0
_COARSE_SIGMAS_UM = (2.0, 7.0)
_TRUNCATE = 3.0
_MIN_SIGMA_PX = 0.8


@dataclass(frozen=True, eq=False)
class Evidence:
    """Planes of one tile, (h, w) cells of the artefact map; the focus planes on blocks of cells.

    Attributes:
        rgb: (h, w, 3) uint8, mean colour of each cell.
        is_scanned: (h, w) bool, False where any pixel of the cell was not scanned.
        fine: (hb, wb) float16, RMS optical density finer than about 1 um; hb = ceil(h / BLOCK_CELLS).
        coarse: (hb, wb) float16, RMS optical density between about 2 and 7 um; 0 where it cannot be measured.
        cell_um: Side of a cell in micrometres.
    """

    rgb: NDArray[np.uint8]
    is_scanned: NDArray[np.bool_]
    fine: NDArray[np.float16]
    coarse: NDArray[np.float16]
    cell_um: float

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the artefact map."""
        return self.is_scanned.shape[0], self.is_scanned.shape[1]

    @property
    def nbytes(self) -> int:
        """Memory held by the planes."""
        scanned = self.is_scanned.nbytes if any(self.is_scanned.strides) else 1
        return self.rgb.nbytes + self.fine.nbytes + self.coarse.nbytes + scanned


def measure(rgb: NDArray[np.uint8], is_scanned: NDArray[np.bool_], read_mpp: float, stride: int = 2) -> Evidence:
    """Reduce one tile to its evidence; OpenCV does the work and releases the GIL.

    Args:
        rgb: (H, W, 3) uint8, tile with halo.
        is_scanned: (H, W) bool, False on padding.
        read_mpp: Micrometres per pixel of `rgb`.
        stride: Pixels per cell side.

    Raises:
        ValueError: If the sides are not multiples of `stride` or the two arrays differ in size.
    """
    height, width = rgb.shape[:2]
    if height % stride or width % stride or is_scanned.shape != (height, width):
        raise ValueError(f"tile {rgb.shape} and mask {is_scanned.shape} do not fit cells of {stride} px")
    cells = (width // stride, height // stride)
    cell_um = read_mpp * stride
    density = _density(rgb)
    scanned = _reduce_scanned(is_scanned, cells)
    fine = _fine_power(density, read_mpp)
    coarse = _coarse_power(_resized(density, cells), cell_um)
    is_measurable = _far_from_padding(scanned, cell_um)
    return Evidence(
        rgb=cv2.resize(rgb, cells, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False),
        is_scanned=scanned,
        fine=_block_rms(_resized(fine, cells), is_measurable),
        coarse=_block_rms(coarse, is_measurable),
        cell_um=cell_um,
    )


@cache
def _density_table() -> NDArray[np.float32]:
    """Optical density (decadic) of the 256 grey values against white."""
    return -np.log10((np.arange(256, dtype=np.float32) + 1) / 256)


def _density(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) mean optical density of the three channels."""
    mean = np.full((1, 3), 1 / 3, np.float32)
    return cv2.transform(cv2.LUT(rgb, _density_table()), mean)  # type: ignore[return-value]


def _resized(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Mean over areas; `size` is (width, height)."""
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _blur(image: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    side = 2 * int(np.ceil(_TRUNCATE * sigma_px)) + 1
    return cv2.GaussianBlur(image, (side, side), sigma_px)  # type: ignore[return-value]


def _fine_power(density: NDArray[np.float32], mpp: float) -> NDArray[np.float32]:
    """(H, W) squared density finer than `_FINE_SIGMA_UM`."""
    detail = density - _blur(density, max(_FINE_SIGMA_UM / mpp, _MIN_SIGMA_PX))
    return cv2.multiply(detail, detail)  # type: ignore[return-value]


def _coarse_power(density: NDArray[np.float32], mpp: float) -> NDArray[np.float32]:
    """(h, w) squared density between the two `_COARSE_SIGMAS_UM`."""
    small, large = (_blur(density, max(sigma / mpp, _MIN_SIGMA_PX)) for sigma in _COARSE_SIGMAS_UM)
    return cv2.multiply(small - large, small - large)  # type: ignore[return-value]


def _reduce_scanned(is_scanned: NDArray[np.bool_], cells: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) bool, True where the whole cell was scanned; takes no memory when the whole tile was."""
    if is_scanned.all():
        return np.broadcast_to(np.True_, cells[::-1])
    return cv2.resize(is_scanned.astype(np.float32), cells, interpolation=cv2.INTER_AREA) > 1 - 1e-4


def _far_from_padding(is_scanned: NDArray[np.bool_], cell_um: float) -> NDArray[np.float32]:
    """(h, w) 1 where no unscanned cell lies within the reach of the filters, else 0."""
    if not any(is_scanned.strides):
        return np.ones(is_scanned.shape, np.float32)
    side = 2 * int(np.ceil(_TRUNCATE * _COARSE_SIGMAS_UM[1] / cell_um)) + 1
    return cv2.erode(is_scanned.astype(np.float32), np.ones((side, side), np.uint8))  # type: ignore[return-value]


def _block_rms(power: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float16]:
    """Root of the mean power in blocks of `BLOCK_CELLS`, 0 where a cell of the block has no weight."""
    height, width = power.shape
    pad = (-height % BLOCK_CELLS, -width % BLOCK_CELLS)
    blocks = ((width + pad[1]) // BLOCK_CELLS, (height + pad[0]) // BLOCK_CELLS)
    both = cv2.merge([power, weight])
    if any(pad):
        both = cv2.copyMakeBorder(both, 0, pad[0], 0, pad[1], cv2.BORDER_REPLICATE)
    mean = cv2.resize(both, blocks, interpolation=cv2.INTER_AREA)
    return np.where(mean[..., 1] > 1 - 1e-4, np.sqrt(mean[..., 0]), 0).astype(np.float16)
