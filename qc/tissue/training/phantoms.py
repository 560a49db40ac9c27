"""Synthetic overviews with exact masks, of seeds that no cohort file uses."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue_training import PhantomDraws
from qc.optics.field import log_uniform
from qc.phantom import PhantomSpec, make_phantom
from qc.phantom.spec import ScannerSpec, TissueKind
from qc.tissue.training.labels import from_truth

_FINER = 2  # drawn at half the mpp and averaged, so that no structure is narrower than a pixel of the drawing
_TISSUES: tuple[TissueKind, ...] = ("stroma", "glands", "fat", "lymphoid")
_SHARES = (0.3, 0.3, 0.28, 0.12)


@dataclass(frozen=True, eq=False)
class DrawnOverview:
    """A phantom's overview: (H, W, 3) uint8 and (H, W) classes."""

    name: str
    rgb: NDArray[np.uint8]
    classes: NDArray[np.uint8]


def draw_overviews(draws: PhantomDraws, mpp: float, band_um: float) -> Iterator[DrawnOverview]:
    """Phantoms at an overview's mpp.

    Args:
        draws: How many, and their size.
        mpp: Micrometres per pixel.
        band_um: Half width of the open band along outlines.
    """
    for index in range(draws.count):
        spec = draw_spec(draws, draws.first_seed + index, mpp / _FINER)
        phantom = make_phantom(spec)
        height, width = phantom.rgb.shape[0] // _FINER, phantom.rgb.shape[1] // _FINER
        even = phantom.rgb[: height * _FINER, : width * _FINER]
        rgb = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        is_tissue = phantom.truth.is_tissue[:height, :width]
        yield DrawnOverview(spec.name, rgb, from_truth(is_tissue, band_um / mpp / 2))


def draw_spec(draws: PhantomDraws, seed: int, mpp: float) -> PhantomSpec:
    """The specification of one seed: any tissue, stain and scanner; about every third is immunostained."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 4))
    tissues: tuple[TissueKind, ...] = tuple(
        _TISSUES[int(i)] for i in rng.choice(len(_TISSUES), count, replace=False, p=_SHARES)
    )
    return PhantomSpec(
        name=f"phantom-{seed}",
        seed=seed,
        width_mm=draws.width_mm,
        height_mm=draws.height_mm,
        mpp=mpp,
        truth_mpp=mpp * _FINER,
        stain="dab" if rng.random() < 0.33 else "he",
        stain_strength=log_uniform(0.35, 1.6, rng),
        eosin=float(rng.uniform(0.5, 1.5)),
        tissues=tissues,
        pieces=int(rng.integers(1, 7)),
        cover=float(rng.uniform(0.15, 0.6)),
        scanner=ScannerSpec(
            gamma=float(rng.uniform(0.8, 1.3)),
            saturation=float(rng.uniform(0.7, 1.2)),
            warmth=float(rng.uniform(-0.5, 0.5)),
            white=float(rng.uniform(0.88, 1.0)),
            falloff=float(rng.uniform(0, 0.06)),
            noise=float(rng.uniform(0, 2)),
        ),
    )
