"""From the tissue plan to stain planes: two uint8 images of the whole slide in steps of `OD_STEP`."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.phantom.compartment import Compartment
from qc.phantom.plan import PLAN_UM, Plan
from qc.phantom.spec import PhantomSpec
from qc.phantom.sprites import Structure, structures
from qc.phantom.texture import texture

BLOCK_PX = 512
VARIANTS = 2  # draws of each texture and structure; a slide uses one

Bytes = NDArray[np.uint8]


def upsampled(plane: Bytes, mpp: float, x: int, y: int, shape: tuple[int, int]) -> Bytes:
    """The part of a plan-sized uint8 plane under pixels (x, y) and onwards at `mpp`, linearly interpolated."""
    ratio = mpp / PLAN_UM
    times = round(1 / ratio)
    if times >= 1 and abs(times * ratio - 1) < 1e-9 and x % times == 0 and y % times == 0:
        return _enlarged(plane, times, x // times, y // times, shape)
    matrix = np.array([[ratio, 0, (x + 0.5) * ratio - 0.5], [0, ratio, (y + 0.5) * ratio - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(plane, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _enlarged(plane: Bytes, times: int, column: int, row: int, shape: tuple[int, int]) -> Bytes:
    """`upsampled` for whole ratios, several times faster."""
    height, width = -(-shape[0] // times), -(-shape[1] // times)
    rows = np.clip(np.arange(row - 1, row + height + 1), 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(column - 1, column + width + 1), 0, plane.shape[1] - 1)
    part = plane[rows[:, None], columns]
    big = cv2.resize(part, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    return np.asarray(big, np.uint8)[times : times + shape[0], times : times + shape[1]]


def render_stains(plan: Plan, spec: PhantomSpec, rng: np.random.Generator) -> Bytes:
    """(2, H, W) uint8: both stains of every pixel."""
    width, height = spec.size_px
    planes = np.zeros((2, height, width), np.uint8)
    painter = _Painter(plan, spec, rng)
    for y in range(0, height, BLOCK_PX):
        for x in range(0, width, BLOCK_PX):
            painter.paint(planes[:, y : y + BLOCK_PX, x : x + BLOCK_PX], x, y)
    variant = spec.seed % VARIANTS
    for kind, places in (("vessel", plan.vessels), ("gland", plan.glands)):
        if len(places):
            bank = structures(kind, spec.mpp, spec.stain, variant)
            for place, which in zip(places, rng.integers(len(bank), size=len(places)), strict=True):
                _stamp(planes, bank[which], place / spec.mpp)
    return planes


class _Painter:
    """Fills blocks with the textures of the compartments that reach into them."""

    def __init__(self, plan: Plan, spec: PhantomSpec, rng: np.random.Generator) -> None:
        self.mpp = spec.mpp
        self.plan = plan
        self.thickness = np.clip(plan.thickness * 128, 0, 255).astype(np.uint8)
        self.fields: dict[int, tuple[Bytes, Bytes]] = {}
        self.offsets: dict[int, NDArray[np.int64]] = {}
        self.alphas: dict[int, Bytes] = {}
        for value in np.unique(plan.labels):
            if value == Compartment.GLASS:
                continue
            field = texture(Compartment(int(value)), spec.mpp, spec.stain, spec.seed % VARIANTS)
            pad = ((0, BLOCK_PX), (0, BLOCK_PX))
            self.fields[int(value)] = (np.pad(field.first, pad, "wrap"), np.pad(field.second, pad, "wrap"))
            self.offsets[int(value)] = rng.integers(field.first.shape[0], size=2)
            self.alphas[int(value)] = _soft(plan.labels == value)

    def paint(self, block: Bytes, x: int, y: int) -> None:
        """Fill (2, H, W) at pixel (x, y)."""
        shape = block.shape[1], block.shape[2]
        ratio = self.mpp / PLAN_UM
        rows = slice(max(0, int(y * ratio) - 2), int((y + shape[0]) * ratio) + 3)
        columns = slice(max(0, int(x * ratio) - 2), int((x + shape[1]) * ratio) + 3)
        here = np.unique(self.plan.labels[rows, columns])
        for value in here:
            if value != Compartment.GLASS:
                self._add(block, int(value), x, y, alone=len(here) == 1)
        if here.any():
            gain = upsampled(self.thickness, self.mpp, x, y, shape)
            for plane in block:
                cv2.multiply(plane, gain, dst=plane, scale=1 / 128)

    def _add(self, block: Bytes, value: int, x: int, y: int, alone: bool) -> None:
        height, width = block.shape[1:]
        fields = self.fields[value]
        period = fields[0].shape[0] - BLOCK_PX
        oy, ox = (self.offsets[value] + (y, x)) % period
        for plane, field in zip(block, fields, strict=True):
            piece = field[oy : oy + height, ox : ox + width]
            if alone:
                plane[:] = piece
            else:
                alpha = upsampled(self.alphas[value], self.mpp, x, y, (height, width))
                cv2.add(plane, cv2.multiply(piece, alpha, scale=1 / 255), dst=plane)


def _soft(mask: NDArray[np.bool_]) -> Bytes:
    """A mask as uint8 weight whose corners are rounded before it is interpolated."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.uint8) * 255, (3, 3), 0), np.uint8)


def _stamp(planes: Bytes, one: Structure, middle: NDArray[np.float64]) -> None:
    height, width = one.shape.shape
    x, y = round(float(middle[0]) - width / 2), round(float(middle[1]) - height / 2)
    if x < 0 or y < 0 or x + width > planes.shape[2] or y + height > planes.shape[1]:
        return
    np.copyto(planes[0, y : y + height, x : x + width], one.first, where=one.shape)
    np.copyto(planes[1, y : y + height, x : x + width], one.second, where=one.shape)
