"""What people and printers put on glass: marker strokes, writing, fiducial marks. Pure; randomness is an argument.

Out: optical density (H, W, 3) float32 to be laid over the light.
"""

import string

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.optics.field import Float, log_uniform
from qc.optics.ink import INKS
from qc.tissue.training.appearance import smooth_noise

Rng = np.random.Generator

_SHIFT = 4  # fractional bits of cv2's coordinates


def pen(shape: tuple[int, ...], mpp: float, rng: Rng) -> Float:
    """One to four strokes of one marker: rings, lines, ticks, scribbles, dots."""
    hue = np.array(INKS[str(rng.choice(list(INKS)))], np.float32) + rng.uniform(-0.06, 0.06, 3).astype(np.float32)
    strength = log_uniform(0.12, 2.0, rng)
    width_um = log_uniform(120, 1500, rng)
    canvas = np.zeros(shape[:2], np.uint8)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        _stroke(canvas, mpp, width_um, rng)
    amount = _soft(canvas, log_uniform(8, 90, rng) / mpp)
    wide = cv2.blur(amount, (2 * round(0.2 * width_um / mpp) + 1,) * 2)
    amount = np.clip(amount * (1 + float(rng.uniform(0, 0.8)) * (amount - wide)), 0, 2)
    felt = smooth_noise(shape, max(4.0, width_um * float(rng.uniform(0.3, 3)) / mpp), rng)
    amount = amount * np.clip(1 + float(rng.uniform(0, 0.2)) * felt, 0.3, 1.6)
    return (amount[..., None] * np.clip(hue, 0.01, 1.1) * strength).astype(np.float32)


def writing(shape: tuple[int, ...], mpp: float, rng: Rng) -> Float:
    """A few characters, printed or written, black or blue."""
    canvas = np.zeros(shape[:2], np.uint8)
    height_px = log_uniform(200, 1400, rng) / mpp
    letters = "".join(rng.choice(list(string.ascii_uppercase + string.digits + "-/."), int(rng.integers(2, 9))))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX]))
    at = int(rng.uniform(-0.3, 0.7) * shape[1]), int(rng.uniform(0.2, 1.1) * shape[0])
    thick = max(1, round(height_px * float(rng.uniform(0.06, 0.2))))
    cv2.putText(canvas, letters, at, font, height_px / 22, 255, thick, cv2.LINE_AA)
    if rng.random() < 0.3:
        canvas = np.asarray(cv2.flip(canvas, int(rng.integers(-1, 2))), np.uint8)
    hue = np.array(INKS["black" if rng.random() < 0.7 else "blue"], np.float32)
    return _soft(canvas, float(rng.uniform(0, 20)) / mpp)[..., None] * hue * np.float32(rng.uniform(0.3, 1.8))


def fiducials(shape: tuple[int, ...], mpp: float, rng: Rng) -> Float:
    """Dots, rings, crosses or corners, alone or in a row, dark grey to black."""
    canvas = np.zeros(shape[:2], np.uint8)
    size_px = max(1.5, log_uniform(30, 700, rng) / mpp)
    thick = max(1, round(size_px * float(rng.uniform(0.15, 0.4))))
    kind, count = int(rng.integers(4)), int(rng.choice([1, 1, 2, 5, 9]))
    first = np.array([rng.uniform(0, shape[1]), rng.uniform(0, shape[0])])
    step = (np.array([1.0, 0.0]) if rng.random() < 0.5 else np.array([0.0, 1.0])) * size_px * rng.uniform(2.2, 6)
    for index in range(count):
        x, y = (first + (index - count // 2) * step).tolist()
        if kind == 0:
            cv2.circle(canvas, _fixed(x, y), _fixed(size_px / 2, 0)[0], 255, -1, cv2.LINE_AA, _SHIFT)
        elif kind == 1:
            cv2.circle(canvas, _fixed(x, y), _fixed(size_px / 2, 0)[0], 255, thick, cv2.LINE_AA, _SHIFT)
        else:
            reach = size_px / 2 if kind == 2 else 0.0  # a cross, or a corner
            for dx, dy in ((1.0, 0.0), (0.0, 1.0)):
                low, high = _fixed(x - dx * reach, y - dy * reach), _fixed(x + dx * size_px, y + dy * size_px)
                cv2.line(canvas, low, high, 255, thick, cv2.LINE_AA, _SHIFT)
    shade = np.float32(log_uniform(0.15, 2.0, rng)) * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    return _soft(canvas, float(rng.uniform(0, 15)) / mpp)[..., None] * shade


def _stroke(canvas: NDArray[np.uint8], mpp: float, width_um: float, rng: Rng) -> None:
    height, width = canvas.shape
    centre = rng.uniform(-0.1, 1.1, 2) * (width, height)
    width_px = max(1, round(width_um * float(rng.uniform(0.7, 1.2)) / mpp))
    kind = str(rng.choice(["ring", "line", "line", "tick", "scribble", "dot"]))
    if kind == "dot":
        for _ in range(int(rng.integers(1, 5))):
            x, y = centre + rng.normal(0, 2.5 * width_px, 2)
            cv2.circle(
                canvas, _fixed(x, y), _fixed(width_px * rng.uniform(0.4, 0.9), 0)[0], 255, -1, cv2.LINE_AA, _SHIFT
            )
        return
    angle = float(rng.uniform(0, 2 * np.pi))
    if kind == "ring":
        radius = log_uniform(900, 9000, rng) / mpp
        around = np.linspace(0, float(rng.uniform(1.6, 2.15)) * np.pi, 60) + angle
        wobble = radius * (1 + 0.06 * np.sin(2 * around + angle) + 0.04 * np.sin(3 * around))
        aim = centre + radius * np.array([np.cos(angle), np.sin(angle)])  # so that its line passes near the centre
        points = aim + np.stack([np.cos(around) * wobble * rng.uniform(0.6, 1), np.sin(around) * wobble], 1)
    else:
        length = log_uniform(500, 6000, rng) / mpp
        along = np.linspace(-0.5, 0.5, 40)
        across = 0.12 * np.sin(along * rng.uniform(1, 7) + angle) * rng.uniform(0, 1)
        if kind == "scribble":
            across = 0.3 * np.abs(((along * rng.integers(3, 9)) % 1) * 2 - 1)
        if kind == "tick":
            across = np.abs(along) * float(rng.uniform(0.3, 1.2))
        c, s = np.cos(angle), np.sin(angle)
        points = centre + length * np.stack([c * along - s * across, s * along + c * across], 1)
    fixed = np.rint(points * 2**_SHIFT).astype(np.int32)
    cv2.polylines(canvas, [fixed], False, 255, width_px, cv2.LINE_AA, _SHIFT)


def _fixed(x: float, y: float) -> tuple[int, int]:
    return round(float(x) * 2**_SHIFT), round(float(y) * 2**_SHIFT)


def _soft(canvas: NDArray[np.uint8], sigma_px: float) -> Float:
    """(H, W) float32 0-1."""
    amount = canvas.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(amount, (0, 0), sigma_px), np.float32) if sigma_px > 0.3 else amount
