"""Where the glass ends: slide edges, labels, dark frames, unscanned blocks. Pure; randomness is an argument."""

from dataclasses import dataclass

import cv2
import numpy as np

from qc.optics.field import Float, Mask, log_uniform, smoothstep
from qc.optics.stain import filtered
from qc.tissue.training.appearance import smooth_noise

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Frame:
    """What a straight border does to the light.

    Attributes:
        lines: (H, W, 3) float32 factor of transmittance.
        inside: (H, W, 1) float32, 0-1: how far beyond the border.
        fill: Light beyond it, broadcastable to (H, W, 3).
        is_opaque: Whether `fill` stands in for what is there, or only filters it.
    """

    lines: Float
    inside: Float
    fill: Float
    is_opaque: bool

    def over(self, light: Float) -> Float:
        """The (H, W, 3) light with the border on it."""
        beyond = self.fill if self.is_opaque else self.fill * light
        return (light * (1 - self.inside) + beyond * self.inside) * self.lines


def draw_frame(shape: tuple[int, ...], mpp: float, rng: Rng) -> Frame:
    """A line or two along a straight border, with nothing, shade, black, paper or frosted glass beyond it."""
    beyond = _beyond_um(shape, mpp, rng)
    lines = np.ones((*shape[:2], 3), np.float32)
    hue = rng.uniform(0.92, 1.08, 3).astype(np.float32)
    for _ in range(int(rng.integers(0, 4))):
        at_um, width_um = float(rng.uniform(-150, 150)), log_uniform(6, 90, rng)
        depth = log_uniform(0.05, 1.5, rng)
        line = depth * np.exp(-(((beyond - at_um) / width_um) ** 2))
        lines *= filtered(line[..., None] * hue)
    kind = str(rng.choice(["nothing", "shade", "black", "paper", "frosted"]))
    is_opaque = kind in ("black", "paper")
    soft_um = log_uniform(5, 1500 if kind in ("shade", "black") else 120, rng)
    inside = smoothstep(beyond, 0.0, soft_um)[..., None]
    fill = np.ones(1, np.float32) if kind == "nothing" else _fill(kind, shape, rng)
    return Frame(lines, inside, fill, is_opaque)


def draw_padding(shape: tuple[int, ...], rng: Rng) -> tuple[Mask, Float]:
    """Blocks along one or two sides that were not scanned, and the level (3,) 0-255 they are filled with."""
    mask = np.zeros(shape[:2], np.bool_)
    height, width = mask.shape
    for _ in range(int(rng.integers(1, 3))):
        side, depth = int(rng.integers(4)), float(rng.uniform(0.05, 0.5))
        turned = np.rot90(mask, side)  # a view
        turned[: round(depth * turned.shape[0])] = True
        if rng.random() < 0.4:  # a staircase of blocks
            turned[:, : round(float(rng.uniform(0.1, 0.6)) * turned.shape[1])] = False
    if mask.all():
        mask[height // 4 :, width // 4 :] = False
    level = float(rng.choice([255, 255, 255, 0, 0, 240, 128]))
    return mask, np.full(3, level, np.float32)


def _beyond_um(shape: tuple[int, ...], mpp: float, rng: Rng) -> Float:
    """(H, W) distance beyond a border that leaves most of the tile on this side, nearly along a side."""
    height, width = shape[:2]
    angle = int(rng.integers(4)) * np.pi / 2 + float(rng.normal(0, 0.04))
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x = (np.arange(width, dtype=np.float32) - width / 2)[None, :]
    y = (np.arange(height, dtype=np.float32) - height / 2)[:, None]
    place = (c * x + s * y) - np.float32(rng.uniform(-0.05, 0.48)) * min(height, width)
    return (place * mpp).astype(np.float32)


def _fill(kind: str, shape: tuple[int, ...], rng: Rng) -> Float:
    """(H, W, 3) or broadcastable factor of light beyond the border."""
    grain = smooth_noise(shape, float(rng.uniform(1, 12)), rng)[..., None] * np.float32(rng.uniform(0, 0.12))
    if kind == "black":
        return np.float32(rng.uniform(0.0, 0.25)) * (1 + grain)
    if kind == "shade":
        return np.float32(rng.uniform(0.35, 0.95)) * (1 + 0.3 * grain)
    tint = np.array([1.0, rng.uniform(0.94, 1.0), rng.uniform(0.75, 1.0)], np.float32)
    if kind == "frosted":
        return np.float32(rng.uniform(0.55, 0.97)) * tint * (1 + grain)
    paper = np.float32(rng.uniform(0.55, 1.05)) * tint * (1 + 0.3 * grain)
    lines = smooth_noise(shape, float(rng.uniform(3, 15)), rng) > 1.0  # print, unreadable at this scale
    ink = cv2.blur(lines.astype(np.float32), (3, 3))[..., None] * np.float32(rng.choice([0.0, 0.6]))
    return paper * (1 - ink)
