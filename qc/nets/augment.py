"""Augmentation: what differs between laboratories and scanners, so that none of it is a cue.

In: a tile's pixels and classes. Out: the same tile as another laboratory would have stained and scanned it, turned and
scaled; classes move with the pixels, by the nearest.
"""

import albumentations as A  # noqa: N812 - its own documentation's name
import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.training import AugmentSettings
from qc.optics.field import log_uniform
from qc.optics.stain import H_DAB, HE_RUIFROK, to_od, to_transmittance

Rgb = NDArray[np.uint8]


class Augmentation:
    """Varies tiles; one object per worker, the same draws for the same seed.

    Args:
        settings: Ranges and chances.
    """

    def __init__(self, settings: AugmentSettings) -> None:
        self._settings = settings
        self._pipeline = _pipeline(settings)

    def __call__(self, rgb: Rgb, classes: NDArray[np.uint8], seed: int) -> tuple[Rgb, NDArray[np.uint8]]:
        """Another look of a tile.

        Args:
            rgb: (H, W, 3) uint8.
            classes: (H, W) uint8 of `ArtefactClass` or 255.
            seed: Equal seeds give equal looks.
        """
        rng = np.random.default_rng(seed)
        stained = jitter_stain(rgb, self._settings, rng) if rng.random() < self._settings.chance else rgb
        self._pipeline.set_random_seed(int(rng.integers(2**31)))
        out = self._pipeline(image=stained, mask=classes)
        noise = rng.standard_normal(rgb.shape, np.float32) * np.float32(rng.uniform(0, self._settings.noise))
        noisy = np.clip(np.rint(out["image"] + noise), 0, 255).astype(np.uint8)
        return noisy, np.ascontiguousarray(out["mask"])

    def look(self, rgb: Rgb, seed: int) -> Rgb:
        """Another look of a tile whose classes do not matter."""
        return self(rgb, np.zeros(rgb.shape[:2], np.uint8), seed)[0]


def jitter_stain(rgb: Rgb, settings: AugmentSettings, rng: np.random.Generator) -> Rgb:
    """Stain concentrations scaled and shifted in optical density.

    After Tellez et al. 2018 (doi:10.1109/TMI.2018.2820199).
    The third direction is what neither stain explains, so ink, rust and melanin keep their own colour.

    Args:
        rgb: (H, W, 3) uint8.
        settings: `stain_gain`, `density`, `stain_shift` and `recolour`.
        rng: Draws gains and shifts.
    """
    vectors = np.vstack([HE_RUIFROK.vectors, np.cross(*HE_RUIFROK.vectors)]).astype(np.float32)
    vectors[2] /= np.linalg.norm(vectors[2])
    gain = 1 + rng.uniform(-settings.stain_gain, settings.stain_gain, 3)
    if settings.density:
        gain *= (1 + settings.density) ** rng.uniform(-1, 1)
    shift = rng.uniform(-settings.stain_shift, settings.stain_shift, 3)
    seen = vectors.copy()
    if rng.random() < settings.recolour:
        seen[1] = H_DAB.vectors[1]
        gain[1] *= log_uniform(0.1, 1.5, rng)
    mixing = np.linalg.inv(vectors) @ np.diag(gain) @ seen
    table = to_od((np.arange(256, dtype=np.float32) + 0.5) / 256)
    od = table[rgb] @ mixing.astype(np.float32) + (shift @ seen).astype(np.float32)
    return np.clip(np.rint(to_transmittance(od) * 256 - 0.5), 0, 255).astype(np.uint8)


def _pipeline(settings: AugmentSettings) -> A.Compose:
    s, p = settings, settings.chance
    gamma = (100 / (1 + s.gamma), 100 * (1 + s.gamma))
    return A.Compose(
        [
            A.SquareSymmetry(p=1.0),
            A.Affine(
                scale=(s.scale_min, s.scale_max),
                interpolation=cv2.INTER_LINEAR,
                mask_interpolation=cv2.INTER_NEAREST,
                border_mode=cv2.BORDER_REFLECT_101,
                p=p,
            ),
            A.ColorJitter(
                brightness=(1, 1), contrast=(1, 1), saturation=(1 - s.saturation, 1 + s.saturation), hue=s.hue, p=p
            ),
            A.RandomGamma(gamma_limit=gamma, p=p),
            A.MultiplicativeNoise(
                multiplier=(1 - s.white_balance, 1 + s.white_balance), per_channel=True, elementwise=False, p=p
            ),
            A.Downscale(scale_range=(0.7, 0.95), p=0.15 * p),
            A.ImageCompression(quality_range=(s.jpeg_min, 95), p=p),
        ]
    )
