"""Images sent back for want of sharpness, before glands are sought. In: judged images. Out: who stays.

Some of the test images are blurred by known discs. The gate knows only the sharpness of the images trained on: what is
less sharp than nearly all of these goes back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qc.downstream.glands.judge import Judged


@dataclass(frozen=True)
class Gated:
    """A set of images, some of them blurred.

    Attributes:
        sharp: All of them as scanned.
        mixed: All of them, some blurred.
        kept: Those of `mixed` that the gate lets through.
        sent_back: By radius of blur: images sent back, images in all. Radius 0: sharp ones in the mixture.
    """

    sharp: Sequence[Judged]
    mixed: Sequence[Judged]
    kept: Sequence[Judged]
    sent_back: Mapping[float, tuple[int, int]]


def limit(trained_sharpness: Sequence[float], centile: float) -> float:
    """Sharpness below which an image goes back."""
    return float(np.percentile(np.asarray(trained_sharpness), centile))


def gate(by_radius: Mapping[float, Sequence[Judged]], share: float, least: float, seed: int = 0) -> Gated:
    """Blur a share of the images, by radii in turn, and send back what is not sharp.

    Args:
        by_radius: The same images by radius of blur, 0 among them.
        share: Of the images that are blurred, 0-1.
        least: From `limit`.
        seed: Of the draw of images.
    """
    sharp = by_radius[0.0]
    radii = [radius for radius in by_radius if radius]
    order = np.random.default_rng(seed).permutation(len(sharp))[: round(share * len(sharp))]
    radius_of = {int(image): radii[i % len(radii)] for i, image in enumerate(order)} if radii else {}
    mixed = [by_radius[radius_of.get(i, 0.0)][i] for i in range(len(sharp))]
    kept = [one for one in mixed if one.sharpness >= least]
    sent_back = {
        radius: (
            sum(one.sharpness < least for one in mixed if one.blur_um == radius),
            sum(one.blur_um == radius for one in mixed),
        )
        for radius in by_radius
    }
    return Gated(sharp, mixed, kept, sent_back)
