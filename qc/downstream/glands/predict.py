"""Glands of many images, one by one. In: what finds glands, images. Out: label files, pictures, a table of glands."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from qc.downstream.glands.images import Labels, Picture, Rgb
from qc.downstream.glands.outlines import TRUE, outlined, write_labels, write_picture
from qc.files import replacing

TABLE = "glands.csv"
_COLUMNS = ("image", "gland", "x_px", "y_px", "area_um2", "perimeter_um", "touches_edge")


def predict(
    find: Callable[[Rgb], Labels],
    mpp: float,
    pictures: Sequence[Picture],
    folder: Path,
    told: Callable[[int, int], None],
) -> Path:
    """Write `<name>-glands.png` (instance labels), `<name>-outlines.png` and `glands.csv`.

    In a picture what was found is blue; what the mask says, where there is one, is yellow.

    Args:
        find: Instance labels of an image.
        mpp: Micrometres per pixel of the images.
        pictures: Images, read one after the other.
        folder: For all files.
        told: Told after each image how many are done, and how many there are.

    Returns:
        The table's path.
    """
    rows: list[tuple[object, ...]] = []
    for done, picture in enumerate(pictures, 1):
        rgb = picture.rgb()
        labels = find(rgb)
        write_labels(labels, folder / f"{picture.name}-glands.png")
        drawn = outlined(rgb, picture.labels(), TRUE, width_px=1) if picture.mask else rgb
        write_picture(outlined(drawn, labels), folder / f"{picture.name}-outlines.png")
        rows += [(picture.name, *row) for row in measured(labels, mpp)]
        told(done, len(pictures))
    with replacing(folder / TABLE) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    return folder / TABLE


def measured(labels: Labels, mpp: float) -> list[tuple[int, float, float, float, float, bool]]:
    """Number, centre (pixels), area (um2), perimeter (um) of each gland, and whether the image cuts it."""
    height, width = labels.shape
    found = []
    for number in range(1, int(labels.max(initial=0)) + 1):
        is_gland = labels == number
        rows, columns = np.nonzero(is_gland)
        outlines, _ = cv2.findContours(is_gland.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        around = sum(cv2.arcLength(outline, closed=True) for outline in outlines) * mpp
        is_cut = bool(rows.min() == 0 or columns.min() == 0 or rows.max() == height - 1 or columns.max() == width - 1)
        centre = round(float(columns.mean()), 1), round(float(rows.mean()), 1)
        found.append((number, *centre, round(len(rows) * mpp**2, 1), round(around, 1), is_cut))
    return found
