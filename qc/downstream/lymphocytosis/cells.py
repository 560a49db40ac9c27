"""Cells of patients, measured once and kept. In: image files. Out: values, quality and pixels of each cell."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import CellSettings
from qc.downstream.lymphocytosis.cohort import Patient
from qc.downstream.lymphocytosis.morphology import NAMES, cell_values
from qc.downstream.lymphocytosis.quality import MEASURES, quality_of
from qc.downstream.lymphocytosis.segment import find_cell
from qc.errors import SettingsError
from qc.files import replacing

Rgb = NDArray[np.uint8]
Float = NDArray[np.float64]

_VERSION = 4  # of what is measured; another number measures again


@dataclass(frozen=True)
class Cells:
    """The cells of one patient.

    Attributes:
        files: (N,) where they come from.
        contents: (N,) fingerprints of the files.
        values: (N, len(NAMES)) morphology, NaN where no lymphocyte was found.
        quality: (N, len(MEASURES)).
    """

    files: tuple[Path, ...]
    contents: tuple[str, ...]
    values: Float
    quality: Float

    @property
    def digest(self) -> str:
        """Name of the content: which pictures these are, whatever was measured of them."""
        return hashlib.sha256(" ".join(self.contents).encode()).hexdigest()

    def at(self, rows: NDArray[np.intp]) -> "Cells":
        """Some of the cells."""
        files, contents = (tuple(which[i] for i in rows) for which in (self.files, self.contents))
        return Cells(files, contents, self.values[rows], self.quality[rows])


def measure_all(
    patients: Sequence[Patient], settings: CellSettings, folder: Path, done: Callable[[], None]
) -> tuple[Cells, ...]:
    """Cells of each patient; what was measured before is read from the folder.

    Args:
        patients: Whose.
        settings: How cells are found.
        folder: One small file for each patient, named after content and settings.
        done: Called after each patient.

    Raises:
        SettingsError: If a file is no image, or too small for a cell.
    """
    found = []
    for patient in patients:
        found.append(_kept(patient, settings, folder))
        done()
    return tuple(found)


def read_image(path: Path) -> Rgb:
    """(H, W, 3) uint8 RGB.

    Raises:
        SettingsError: If the file is no image, or too small for a cell.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SettingsError(f"{path} is no image that can be read", "take it away or save it again")
    if min(image.shape[:2]) < 32:
        raise SettingsError(f"{path} is {image.shape[1]} x {image.shape[0]} px, too small for a cell", "take it away")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8)


def _kept(patient: Patient, settings: CellSettings, folder: Path) -> Cells:
    contents = tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in patient.images)
    what = f"{_VERSION} {settings.model_dump_json()} {' '.join(contents)}"
    file = folder / f"{patient.name.strip('/')}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.npz"
    if not file.is_file():
        values, quality = _measure(patient, settings)
        with replacing(file) as partial:
            np.savez(partial, values=values, quality=quality)
    with np.load(file) as kept:
        return Cells(patient.images, contents, kept["values"], kept["quality"])


def _measure(patient: Patient, settings: CellSettings) -> tuple[Float, Float]:
    images = [read_image(path) for path in patient.images]
    cells = [find_cell(one, settings) for one in images]
    values = np.array([cell_values(one) for one in cells], np.float64).reshape(-1, len(NAMES))
    pairs = zip(images, cells, strict=True)
    quality = np.array([quality_of(*pair, settings) for pair in pairs], np.float64).reshape(-1, len(MEASURES))
    return values, quality
