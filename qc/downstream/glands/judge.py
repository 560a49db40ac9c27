"""Images judged one by one. In: a model, images with masks, blur. Out: a row per image, and figures of many rows.

Glands found are kept under a hash of all that decides them, so that a study that was stopped goes on.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.downstream.glands.images import Labels, Picture, Rgb, read_labels
from qc.downstream.glands.model import WEIGHTS, GlandModel
from qc.downstream.glands.outlines import write_labels
from qc.downstream.sharpness import sharpness
from qc.files import replacing
from qc.metrics import Counts, bootstrap_interval
from qc.metrics.objects import Agreement, agreement, pooled
from qc.optics.defocus import blur


@dataclass(frozen=True)
class Judged:
    """One image, as it was shown to the network.

    Attributes:
        name: Of the image.
        blur_um: Radius of the disc it was blurred with; 0 as scanned.
        sharpness: Of what was shown, see `qc.downstream.sharpness`.
        objects: Glands found against true glands, pixels of the image.
        pixels: Gland or not, pixel by pixel.
    """

    name: str
    blur_um: float
    sharpness: float
    objects: Agreement
    pixels: Counts


FIGURES: Mapping[str, Callable[[Sequence[Judged]], float]] = {
    "object F1": lambda rows: pooled(row.objects for row in rows).f1,
    "object Dice": lambda rows: pooled(row.objects for row in rows).dice,
    "object Hausdorff (px)": lambda rows: pooled(row.objects for row in rows).hausdorff_px,
    "pixel Dice": lambda rows: sum((row.pixels for row in rows), start=Counts(0, 0, 0, 0)).dice,
}
"""All glands of several images together, as the challenge has it."""


def mean_over_images(rows: Iterable[Judged]) -> tuple[float, float, float]:
    """F1, Dice and Hausdorff distance of single images, averaged; images without any gland are left out."""
    each = [(one.objects.f1, one.objects.dice, one.objects.hausdorff_px) for one in rows]
    means = np.nanmean(np.array(each), axis=0) if each else np.full(3, np.nan)
    return float(means[0]), float(means[1]), float(means[2])


def interval(
    rows: Sequence[Judged], person_of: Mapping[str, str], figure: Callable[[Sequence[Judged]], float], repeats: int
) -> tuple[float, float]:
    """95 % interval of a figure over patients; an image of nobody known is one of its own.

    Args:
        rows: Images.
        person_of: Patient by name of the image.
        figure: One of `FIGURES`.
        repeats: Resamples.
    """
    people: dict[str, list[Judged]] = {}
    for row in rows:
        people.setdefault(person_of.get(row.name, f"image {row.name}"), []).append(row)
    return bootstrap_interval([_together(some) for some in people.values()], figure, np.random.default_rng(0), repeats)


def _together(rows: Sequence[Judged]) -> Judged:
    """All glands of a patient as if in one image."""
    pixels = sum((row.pixels for row in rows), start=Counts(0, 0, 0, 0))
    return replace(rows[0], objects=pooled(row.objects for row in rows), pixels=pixels)


class Judge:
    """Finds glands by one model and judges them; what was found in an image is kept.

    Args:
        model: Trained.
        weights: Folder of the model, whose weights name what is kept.
        folder: For what is kept.
    """

    def __init__(self, model: GlandModel, weights: Path, folder: Path) -> None:
        self._model, self._folder = model, folder
        settings = model.settings.model_dump_json(exclude={"fit", "augment", "seed"})
        self._by = hashlib.sha256((weights / WEIGHTS).read_bytes() + settings.encode()).digest()

    def instances(self, rgb: Rgb) -> Labels:
        """(H, W) int32 instance labels."""
        key = hashlib.sha256(self._by + str(rgb.shape).encode() + rgb.tobytes()).hexdigest()
        path = self._folder / f"{key[:32]}.png"
        if not path.is_file():
            write_labels(self._model.instances(rgb), path)
        return read_labels(path)

    def __call__(self, picture: Picture, blur_um: float = 0.0) -> Judged:
        """One image, blurred by a disc or as it is."""
        shown = blurred(picture.rgb(), blur_um, self._model.settings.image_mpp)
        return judged(picture.name, blur_um, shown, picture.labels(), self.instances(shown))


def judged(name: str, blur_um: float, shown: Rgb, truth: Labels, found: Labels) -> Judged:
    """What was found in an image against the truth."""
    return Judged(name, blur_um, sharpness(shown), agreement(truth, found), Counts.of(truth > 0, found > 0))


def blurred(rgb: Rgb, radius_um: float, mpp: float) -> NDArray[np.uint8]:
    """An image out of focus."""
    if not radius_um:
        return rgb
    light = blur(rgb.astype(np.float32) / 255, radius_um, mpp)
    return np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)


def write_rows(rows: Sequence[Judged], path: Path) -> Path:
    """A table of images: counts of glands and the figures of each."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("image", "tp", "fp", "fn", "f1", "object_dice", "object_hausdorff_px", "pixel_dice"))
        for row in rows:
            one = row.objects
            figures = (one.f1, one.dice, one.hausdorff_px, row.pixels.dice)
            writer.writerow((row.name, one.tp, one.fp, one.fn, *("" if f != f else round(f, 4) for f in figures)))
    return path
