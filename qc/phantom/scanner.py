"""The scanner's look: transmittance to pixel values. In: float transmittance 0-1. Out: uint8 RGB."""

import numpy as np
from numpy.typing import NDArray

from qc.optics.field import Float
from qc.phantom.spec import PhantomSpec, ScannerSpec

_NOISE_PX = 512
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def colour_matrix(scanner: ScannerSpec) -> NDArray[np.float32]:
    """(3, 3): keeps grey grey but for `warmth`."""
    matrix = scanner.saturation * np.eye(3) + (1 - scanner.saturation) * np.tile(_LUMA, (3, 1))
    tint = np.array([1 + 0.05 * scanner.warmth, 1.0, 1 - 0.05 * scanner.warmth])
    return (tint[:, None] * matrix).astype(np.float32)


def exposed(transmittance: Float, scanner: ScannerSpec) -> Float:
    """Grey levels (..., 3), float, before illumination, noise and rounding."""
    light = np.power(np.clip(transmittance, 0, 1), np.float32(scanner.gamma))
    return (light @ colour_matrix(scanner).T) * np.float32(255 * scanner.white)


def illumination(spec: PhantomSpec, x_px: float, y_px: float) -> float:
    """Relative brightness at a pixel: brightest in the middle, steps between scanned strips."""
    width, height = spec.size_px
    far = ((2 * x_px / width - 1) ** 2 + (2 * y_px / height - 1) ** 2) / 2
    gain = 1 - spec.scanner.falloff * far
    if spec.scanner.stitch_um:
        strip = int(x_px * spec.mpp // spec.scanner.stitch_um)
        gain *= 1 - spec.scanner.stitch_step * (strip * 7919 % 5) / 4
    return gain


def noise_bank(scanner: ScannerSpec, rng: np.random.Generator, block_px: int) -> tuple[NDArray[np.uint8], int]:
    """Sensor noise, (N, N, 3) uint8 with `block_px` repeated, and its mean, to be taken off beforehand."""
    mean = int(np.ceil(3 * scanner.noise))
    plane = rng.normal(mean, scanner.noise, (_NOISE_PX, _NOISE_PX, 3))
    bank = np.clip(np.round(plane), 0, 2 * mean).astype(np.uint8)
    return np.pad(bank, ((0, block_px), (0, block_px), (0, 0)), "wrap"), mean
