"""Stain normalisation: Reinhard in CIELAB, Macenko in optical density. In: tiles. Out: tiles in a target's colours.

Statistics are taken of all tiles of a slide, or of each tile; the target's are the mean over the slides that are
trained on. torchstain does the same for single images, four to six times slower, and cannot pool a slide's tiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.downstream import StainMethod
from qc.optics.stain import HE_MACENKO

Rgb = NDArray[np.uint8]
Float = NDArray[np.float32]

_GLASS_LIGHTNESS = 95.0  # in CIELAB; glass between cells is no stain
_WHITE = 245.0
_THIN = 0.15  # natural optical density below which a pixel says nothing about its stains
_EDGE_CENTILE = 1.0
_STRONG_CENTILE = 99.0
_LEAST_DEVIATION = 1.0
_LEAST_INKED_PX = 100
_SAMPLE_PX = 200_000


@dataclass(frozen=True)
class LabLook:
    """Mean and deviation of L, a and b over stained pixels."""

    mean: Float
    deviation: Float

    @classmethod
    def of(cls, rgb: Rgb) -> "LabLook":
        """Of (..., 3) uint8 pixels; glass is left out unless there is nothing else."""
        lab = to_lab(rgb.reshape(1, -1, 3))[0]
        stained = lab[lab[:, 0] < _GLASS_LIGHTNESS]
        used = stained if len(stained) else lab
        return cls(used.mean(axis=0), np.maximum(used.std(axis=0), _LEAST_DEVIATION))

    @classmethod
    def mean_of(cls, looks: Sequence["LabLook"]) -> "LabLook":
        """The look in the middle of several."""
        return cls(
            np.stack([one.mean for one in looks]).mean(axis=0),
            np.stack([one.deviation for one in looks]).mean(axis=0),
        )

    def to(self, target: "LabLook", rgb: Rgb) -> Rgb:
        """Pixels of this look in that of `target` (Reinhard et al. 2001, doi:10.1109/38.946629)."""
        gain = (target.deviation / self.deviation).astype(np.float32)
        return from_lab((to_lab(rgb) - self.mean) * gain + target.mean)


@dataclass(frozen=True)
class StainLook:
    """Two stain vectors, (2, 3) in natural optical density, and the strong density of each."""

    vectors: Float
    strong: Float

    @classmethod
    def of(cls, rgb: Rgb) -> "StainLook":
        """Of (..., 3) uint8 pixels (Macenko et al. 2009, doi:10.1109/ISBI.2009.5193250)."""
        density = _density(rgb.reshape(-1, 3))
        inked = density[(density >= _THIN).all(axis=1)]
        vectors = _vectors(inked) if len(inked) >= _LEAST_INKED_PX else HE_MACENKO.vectors.astype(np.float32)
        amounts = density @ np.linalg.pinv(vectors)
        strong = np.maximum(np.percentile(amounts, _STRONG_CENTILE, axis=0), 0.05)
        return cls(vectors, strong.astype(np.float32))

    @classmethod
    def mean_of(cls, looks: Sequence["StainLook"]) -> "StainLook":
        """The look in the middle of several."""
        vectors = np.stack([one.vectors for one in looks]).mean(axis=0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return cls(vectors, np.stack([one.strong for one in looks]).mean(axis=0))

    def to(self, target: "StainLook", rgb: Rgb) -> Rgb:
        """Pixels of this look in that of `target`: the same stains in the same places, of its hues and strengths."""
        turn = np.linalg.pinv(self.vectors) @ np.diag(target.strong / self.strong) @ target.vectors
        out = _WHITE * np.exp(-(_density(rgb) @ turn.astype(np.float32)))
        return np.clip(np.rint(out), 0, 255).astype(np.uint8)


Look = LabLook | StainLook
_LOOKS: Mapping[StainMethod, type[LabLook] | type[StainLook]] = {"reinhard": LabLook, "macenko": StainLook}


@dataclass(frozen=True)
class Normaliser:
    """Brings tiles to one look.

    Attributes:
        method: What a look is.
        target: The look of the slides that are trained on; None leaves tiles as they are.
        looks: Look of each slide; a slide that is not there is normalised tile by tile.
    """

    method: StainMethod
    target: Look | None
    looks: Mapping[str, Look]

    def __call__(self, rgb: Rgb, slide_id: str) -> Rgb:
        """(H, W, 3) uint8 of a slide, normalised."""
        match self.target:
            case None:
                return rgb
            case LabLook():
                own = self.looks.get(slide_id) or LabLook.of(rgb)
                return own.to(self.target, rgb) if isinstance(own, LabLook) else rgb
            case StainLook():
                own = self.looks.get(slide_id) or StainLook.of(rgb)
                return own.to(self.target, rgb) if isinstance(own, StainLook) else rgb


def normaliser(method: StainMethod, per_slide: bool, train: Mapping[str, Rgb], test: Mapping[str, Rgb]) -> Normaliser:
    """Looks of slides and of the target.

    Args:
        method: Kind of look; `none` for no change.
        per_slide: Take a slide's look from all its tiles; otherwise tiles are normalised one by one.
        train: (N, H, W, 3) uint8 tiles by slide; the target is their mean look.
        test: The same of slides that are only brought to it.
    """
    if method == "none":
        return Normaliser(method, None, {})
    kind = _LOOKS[method]
    looks = {slide: kind.of(_sampled(tiles)) for part in (test, train) for slide, tiles in part.items()}
    target = kind.mean_of([looks[slide] for slide in train])  # type: ignore[arg-type]
    return Normaliser(method, target, looks if per_slide else {})


def to_lab(rgb: Rgb) -> Float:
    """(H, W, 3) uint8 RGB to CIELAB: L 0-100, a and b about 0."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def from_lab(lab: Float) -> Rgb:
    """Back to uint8; colours that cannot be shown are clipped."""
    rgb = np.asarray(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB))
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)


def _density(rgb: Rgb) -> Float:
    table = np.maximum(-np.log((np.arange(256, dtype=np.float32) + 1) / np.float32(_WHITE)), 0)
    return table[rgb]


def _vectors(inked: Float) -> Float:
    """The two most different directions of colour, haematoxylin (more red absorbed) first."""
    _, axes = np.linalg.eigh(np.cov(inked.T))
    plane = axes[:, [2, 1]] * np.where(axes[:, [2, 1]].sum(axis=0) < 0, -1, 1)
    angles = np.arctan2(inked @ plane[:, 1], inked @ plane[:, 0])
    edges = np.percentile(angles, (_EDGE_CENTILE, 100 - _EDGE_CENTILE))
    found = np.stack([plane @ (np.cos(edge), np.sin(edge)) for edge in edges])
    ordered = found[np.argsort(-found[:, 0])]
    return np.maximum(ordered, 0.0).astype(np.float32) / np.linalg.norm(ordered, axis=1, keepdims=True)


def _sampled(tiles: Rgb) -> Rgb:
    """At most `_SAMPLE_PX` pixels, spread evenly."""
    pixels = tiles.reshape(-1, 3)
    return pixels[:: max(1, len(pixels) // _SAMPLE_PX)]
