"""Phantoms on disc: a tiled pyramidal JPEG TIFF that OpenSlide reads with its mpp, and the truth beside it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from qc.files import replacing, write_text
from qc.phantom.make import Phantom, PhantomTruth, make_phantom
from qc.phantom.spec import CohortSpec, PhantomSpec

_TILE_PX = 256
_SMALLEST_LEVEL_PX = 600


@dataclass(frozen=True)
class PhantomFile:
    """Where a phantom and its truth were written."""

    path: Path
    truth_path: Path

    @classmethod
    def of(cls, spec: PhantomSpec, folder: Path) -> "PhantomFile":
        """Where a phantom of this name lies in `folder`, written or not."""
        return cls(folder / f"{spec.name}.tiff", folder / f"{spec.name}.truth.npz")


def write_phantom(spec: PhantomSpec, folder: Path) -> PhantomFile:
    """Make the phantom and write `<name>.tiff`, `<name>.truth.npz` and, if any, its `<name>.geojson` of metastases."""
    return save_phantom(make_phantom(spec), folder)


def save_phantom(phantom: Phantom, folder: Path) -> PhantomFile:
    """Write a phantom that is in memory; both files appear complete or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file = PhantomFile.of(phantom.spec, folder)
    with replacing(file.path) as partial:
        _write_pyramid(phantom, partial)
    if phantom.spec.lesions:
        write_text(folder / f"{phantom.spec.name}.geojson", json.dumps(phantom.lesions))
    with replacing(file.truth_path) as partial:
        _write_truth(phantom, partial)
    return file


def is_written(spec: PhantomSpec, folder: Path) -> bool:
    """Whether `folder` holds this very phantom; its truth, written last, keeps the specification."""
    file = PhantomFile.of(spec, folder)
    if not (file.path.is_file() and file.truth_path.is_file()):
        return False
    with np.load(file.truth_path) as stored:
        return "spec" in stored and str(stored["spec"]) == spec.model_dump_json()


def write_cohort(
    cohort: CohortSpec, folder: Path, progress: Callable[[PhantomFile], None] | None = None
) -> list[PhantomFile]:
    """Write every slide of a cohort; `progress` is called with each as it is finished."""
    files = []
    for spec in cohort.slides:
        files.append(write_phantom(spec, folder))
        if progress is not None:
            progress(files[-1])
    return files


def read_truth(path: Path) -> PhantomTruth:
    """The truth written beside a phantom."""
    with np.load(path) as stored:
        return PhantomTruth(stored["is_tissue"], stored["classes"], float(stored["mpp"]))


def _write_truth(phantom: Phantom, path: Path) -> None:
    truth, spec = phantom.truth, np.array(phantom.spec.model_dump_json())
    with path.open("wb") as file:
        np.savez_compressed(
            file, is_tissue=truth.is_tissue, classes=truth.classes, mpp=np.float64(truth.mpp), spec=spec
        )


def _write_pyramid(phantom: Phantom, path: Path) -> None:
    spec = phantom.spec
    with tifffile.TiffWriter(path, bigtiff=phantom.rgb.nbytes > 2**31) as writer:
        for step, level in _levels(phantom.rgb):
            per_cm = 1e4 / (spec.mpp * step)
            writer.write(
                _tiles(level),
                shape=level.shape,
                dtype=np.uint8,
                tile=(_TILE_PX, _TILE_PX),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": spec.scanner.jpeg_quality},
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                subfiletype=0 if step == 1 else 1,
                description=f"phantom {spec.name} seed {spec.seed}" if step == 1 else None,
                software="slidegate",
                metadata=None,
                maxworkers=1,
            )


def _levels(rgb: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    step = 1
    yield step, rgb
    while max(rgb.shape[:2]) > 2 * _SMALLEST_LEVEL_PX:
        rgb = np.asarray(
            cv2.resize(rgb, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8
        )
        step *= 2
        yield step, rgb


def _tiles(level: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    height, width = level.shape[:2]
    for y in range(0, height, _TILE_PX):
        for x in range(0, width, _TILE_PX):
            tile = level[y : y + _TILE_PX, x : x + _TILE_PX]
            if tile.shape[:2] != (_TILE_PX, _TILE_PX):
                pad = ((0, _TILE_PX - tile.shape[0]), (0, _TILE_PX - tile.shape[1]), (0, 0))
                tile = np.pad(tile, pad, "edge")
            yield np.ascontiguousarray(tile)
