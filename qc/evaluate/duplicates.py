"""Near-duplicates, measured. In: overviews of real slides. Out: how far altered copies and other slides lie apart."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.cohort.duplicates import Look, bits_between, look_at
from qc.errors import SettingsError
from qc.geometry import Mpp
from qc.slide.files import SlideFile, open_slide
from qc.slide.window import native_grid, read_overview

Rgb = NDArray[np.uint8]

_TABLES = {"slide-views": "{}/overview.jpg", "overviews/tcga-coadread": "{}.png"}
_PYRAMIDS = {"lymph-node-metastasis-he": 1.2, "lymph-node-metastasis-cytokeratin": 1.2}  # their tag says 1000 mpp
_ONE_BLOCK = (
    frozenset({*_PYRAMIDS, "insidious-lymph-node-metastasis"}),
    frozenset({"mucosa-biopsy", "bs27"}),
    frozenset({"spleen-bubbles", "congestion-spleen"}),
)
_SIDE_PX = 1024
_OVERVIEW_MPP = 8.0


@dataclass(frozen=True)
class Overview:
    """A slide as a whole: name, (H, W, 3) uint8 and micrometres per pixel."""

    name: str
    rgb: Rgb
    mpp: float


@dataclass(frozen=True)
class PairOfSlides:
    """Two slides, the bits by which they differ, and whether they were cut from one block."""

    first: str
    second: str
    bits: int
    is_one_block: bool


@dataclass(frozen=True)
class Duplicates:
    """What was measured.

    Attributes:
        copies: Bits between each slide and its altered copy, by alteration, slides in the order of `slides`.
        pairs: All pairs of slides.
        slides: Names.
    """

    copies: dict[str, list[int]]
    pairs: list[PairOfSlides]
    slides: list[str]


def evaluate_duplicates(root: Path, tell: Callable[[str], object]) -> Duplicates:
    """Measure the overviews under a data folder.

    Raises:
        SettingsError: If it holds none.
    """
    looks: dict[str, Look] = {}
    copies: dict[str, list[int]] = {name: [] for name in ALTERATIONS}
    for overview in _overviews(root):
        tell(overview.name)
        looks[overview.name] = _look(overview)
        rng = np.random.default_rng(len(looks))
        for name, change in ALTERATIONS.items():
            copies[name].append(int(bits_between([looks[overview.name], _look(change(overview, rng))])[0, 1]))
    if not looks:
        raise SettingsError(f"{root} holds no overviews", "see datasets/README.md")
    return Duplicates(copies, _pairs(looks), list(looks))


def _pairs(looks: dict[str, Look]) -> list[PairOfSlides]:
    names = list(looks)
    bits = bits_between(list(looks.values()))
    return sorted(
        (
            PairOfSlides(
                names[i], names[j], int(bits[i, j]), any({names[i], names[j]} <= block for block in _ONE_BLOCK)
            )
            for i in range(len(names))
            for j in range(i)
        ),
        key=lambda pair: pair.bits,
    )


def _overviews(root: Path) -> Iterator[Overview]:
    for folder, pattern in _TABLES.items():
        table = root / folder / "slides.csv"
        for row in pd.read_csv(table).to_dict("records") if table.exists() else ():
            path = table.parent / pattern.format(row["slide"])
            image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
            if image is None:
                raise SettingsError(f"{path} is no image", "copy the data again")
            yield _reduced(Overview(str(row["slide"]), np.asarray(image, np.uint8), float(row["overview_mpp"])))
    for path in sorted(root.glob("slides/pyramids/*.tif")):
        mpp = _PYRAMIDS.get(path.stem)
        with closing(open_slide(SlideFile(path, Mpp(mpp) if mpp else None))) as slide:
            grid = native_grid(slide, _OVERVIEW_MPP)
            yield _reduced(Overview(path.stem, read_overview(slide, grid).rgb, grid.cell_mpp))


def _look(overview: Overview) -> Look:
    return look_at(overview.rgb, np.ones(overview.rgb.shape[:2], np.bool_), overview.mpp, overview.name)


def _reduced(overview: Overview) -> Overview:
    zoom = _SIDE_PX / max(overview.rgb.shape[:2])
    return _scaled(overview, zoom) if zoom < 1 else overview


def _changed(overview: Overview, rgb: NDArray[np.uint8] | cv2.typing.MatLike, mpp: float | None = None) -> Overview:
    return Overview(overview.name, np.ascontiguousarray(rgb, np.uint8), mpp or overview.mpp)


def _scaled(overview: Overview, zoom: float) -> Overview:
    resized = cv2.resize(overview.rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    return _changed(overview, resized, overview.mpp / zoom)


def _glass(rgb: Rgb) -> tuple[float, ...]:
    bright = rgb[rgb.min(axis=2) > 200]
    return tuple(np.median(bright, axis=0).tolist()) if len(bright) else (240.0,) * 3


def _jpeg(overview: Overview, quality: int) -> Overview:
    _, data = cv2.imencode(".jpg", overview.rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _changed(overview, np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))


def _toned(overview: Overview, gamma: float = 1.0, gain: Sequence[float] = (1.0, 1.0, 1.0)) -> Overview:
    return _changed(overview, np.clip(255 * (overview.rgb / 255.0) ** gamma * np.asarray(gain), 0, 255))


def _turned(overview: Overview, degrees: float) -> Overview:
    height, width = overview.rgb.shape[:2]
    place = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine, sine = abs(place[0, 0]), abs(place[0, 1])
    wide, high = int(width * cosine + height * sine), int(width * sine + height * cosine)
    place[:, 2] += (wide - width) / 2, (high - height) / 2
    glass = _glass(overview.rgb)
    return _changed(overview, cv2.warpAffine(overview.rgb, place, (wide, high), borderValue=glass))


def _cropped(overview: Overview, share: float) -> Overview:
    height, width = overview.rgb.shape[:2]
    return _changed(overview, overview.rgb[int(share * height) :, int(share * width) :])


def _padded(overview: Overview, share: float) -> Overview:
    height, width = (int(share * side) for side in overview.rgb.shape[:2])
    glass = _glass(overview.rgb)
    return _changed(
        overview, cv2.copyMakeBorder(overview.rgb, height, 2 * height, 0, width, cv2.BORDER_CONSTANT, value=glass)
    )


def _scanned_again(overview: Overview, rng: np.random.Generator) -> Overview:
    """Another way round, a little askew, another field, light, colour, resolution and compression."""
    turned = _changed(overview, np.rot90(overview.rgb, int(rng.integers(4))))
    field = _padded(_cropped(_turned(turned, rng.uniform(-3, 3)), 0.03), 0.05)
    toned = _toned(field, rng.uniform(0.85, 1.2), rng.uniform(0.93, 1.0, 3).tolist())
    return _jpeg(_scaled(toned, rng.uniform(0.5, 0.9)), 60)


ALTERATIONS: dict[str, Callable[[Overview, np.random.Generator], Overview]] = {
    "half the resolution": lambda one, _: _scaled(one, 0.5),
    "JPEG quality 30": lambda one, _: _jpeg(one, 30),
    "turned by 90 degrees and mirrored": lambda one, _: _changed(one, np.rot90(one.rgb[::-1])),
    "10 % darker": lambda one, _: _toned(one, gain=(0.9, 0.9, 0.9)),
    "gamma 1.2": lambda one, _: _toned(one, 1.2),
    "gamma 0.8": lambda one, _: _toned(one, 0.8),
    "turned by 2 degrees": lambda one, _: _turned(one, 2),
    "turned by 4 degrees": lambda one, _: _turned(one, -4),
    "4 % cut off two sides": lambda one, _: _cropped(one, 0.04),
    "10 % cut off two sides": lambda one, _: _cropped(one, 0.10),
    "glass added on three sides": lambda one, _: _padded(one, 0.1),
    "scanned again": _scanned_again,
}
"""What is done to an overview to make a copy of it; `scanned again` does several at random."""
