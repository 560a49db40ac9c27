"""Training slides made into what they are not. In: patches. Out: patches as another stain or fault shows.

Two-stain images of another staining are made by unmixing haematoxylin and eosin and mixing other dyes in their place,
with the vectors of ImageJ's Colour Deconvolution (Landini, after Ruifrok and Johnston 2001). That is no slide of that
stain: eosin goes where the second dye would not, and the tissue stays what it was.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.domain.features import Mask, Rgb
from qc.optics.stain import H_DAB, HE_RUIFROK, StainPair, to_od, to_transmittance

Patch = tuple[Rgb, Mask]
Variant = Callable[[Sequence[Patch]], list[Patch]]

_TRICHROME = StainPair((0.7995107, 0.5913521, 0.1052867), (0.0999716, 0.7373861, 0.6680326))
_GIEMSA = StainPair((0.834750, 0.513556, 0.196330), (0.092789, 0.954111, 0.283111))
_PAS = StainPair((0.644211, 0.716556, 0.266844), (0.175411, 0.972178, 0.154589))
_BLUE_INK = (0.25, 0.45, 0.85)
_PATCH_PX = 256
_SIDE_MIN_PX = 48


def _each(change: Callable[[Rgb], Rgb], every: int = 1) -> Variant:
    """A change of pixels in every so many patches."""
    return lambda patches: [(p if i % every else change(p), mask) for i, (p, mask) in enumerate(patches)]


def _restained(stains: StainPair) -> Variant:
    mixing = np.linalg.inv(_basis(HE_RUIFROK)) @ _basis(stains)
    table = to_od((np.arange(256, dtype=np.float32) + 0.5) / 256)

    def change(rgb: Rgb) -> Rgb:
        density = np.maximum(table[rgb] @ mixing.astype(np.float32), 0)
        return np.clip(np.rint(to_transmittance(density) * 256 - 0.5), 0, 255).astype(np.uint8)

    return _each(change)


def _basis(stains: StainPair) -> NDArray[np.floating]:
    third = np.cross(*stains.vectors)
    return np.vstack([stains.vectors, third / np.linalg.norm(third)])


def _scaled(factor: float) -> Variant:
    """As if the mpp were wrong by a factor: above 1 structures look larger than they are."""

    def change(patches: Sequence[Patch]) -> list[Patch]:
        return [patch for patch in (_resized(rgb, mask, factor) for rgb, mask in patches) if _is_large(patch)]

    return change


def _resized(rgb: Rgb, mask: Mask, factor: float) -> Patch:
    side = min(_PATCH_PX, int(_PATCH_PX / factor))
    rgb, mask = rgb[:side, :side], mask[:side, :side]
    size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    found = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(rgb, size, interpolation=method), np.uint8), found.view(np.bool_)


def _is_large(patch: Patch) -> bool:
    return min(patch[1].shape) >= _SIDE_MIN_PX


def _blurred(sigma_um: float) -> Variant:
    return _each(lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_um), np.uint8))


def _filtered(rgb: Rgb, transmittance: tuple[float, float, float]) -> Rgb:
    return np.rint(rgb * np.asarray(transmittance)).astype(np.uint8)


def _compressed(rgb: Rgb) -> Rgb:
    _, data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 20])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


INSIDE: dict[str, Variant] = {
    "defocus, Gaussian of 3 um": _blurred(3.0),
    "defocus, Gaussian of 6 um": _blurred(6.0),
    "a quarter of the patches under blue ink": _each(lambda rgb: _filtered(rgb, _BLUE_INK), 4),
    "a quarter of the patches twice as dense": _each(
        lambda rgb: (rgb.astype(np.uint16) ** 2 // 255).astype(np.uint8), 4
    ),
    "JPEG quality 20": _each(_compressed),
}
"""Faults that are the artefact stage's business: colours stay those of the training slides."""

OUTSIDE: dict[str, Variant] = {
    "inverted": _each(lambda rgb: 255 - rgb),
    "grey": _each(lambda rgb: np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)),
    "red and blue swapped": _each(lambda rgb: np.ascontiguousarray(rgb[..., ::-1])),
    "red and green swapped": _each(lambda rgb: np.ascontiguousarray(rgb[..., [1, 0, 2]])),
    "as Masson trichrome": _restained(_TRICHROME),
    "as Giemsa": _restained(_GIEMSA),
    "as haematoxylin and PAS": _restained(_PAS),
    "as haematoxylin and DAB": _restained(H_DAB),
    "structures 4 times too small": _scaled(0.25),
    "structures 2 times too small": _scaled(0.5),
    "structures 2 times too large": _scaled(2.0),
    "structures 4 times too large": _scaled(4.0),
}
"""What networks have not seen."""
