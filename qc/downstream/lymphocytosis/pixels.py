"""Pixels of cells as networks see them. In: image files. Out: one array a patient, on disc until looked at."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import CellSettings, PixelSettings
from qc.downstream.lymphocytosis.cells import Cells, read_image
from qc.downstream.lymphocytosis.segment import Rgb, lymphocytes_only
from qc.files import replacing


@dataclass(frozen=True)
class Pixels:
    """Reads cells once and keeps them.

    Attributes:
        settings: What is seen of an image.
        cells: How lymphocytes are found.
        folder: For one array a patient.
    """

    settings: PixelSettings
    cells: CellSettings
    folder: Path

    def of(self, cells: Cells) -> NDArray[np.uint8]:
        """(N, input_px, input_px, 3) uint8 of a patient's cells."""
        side = self.settings.input_px
        if not cells.files:
            return np.zeros((0, side, side, 3), np.uint8)
        digest = hashlib.sha256(f"{self.settings.model_dump_json()} {self.cells.model_dump_json()}".encode())
        digest.update(cells.digest.encode())
        file = self.folder / f"{digest.hexdigest()[:24]}.npy"
        if not file.is_file():
            seen = np.stack([self.seen(read_image(path)) for path in cells.files])
            with replacing(file) as partial, partial.open("wb") as handle:
                np.save(handle, seen)
        return np.load(file, mmap_mode="r")

    def seen(self, rgb: Rgb) -> Rgb:
        """(input_px, input_px, 3) uint8: the middle of an image, reduced by area."""
        shown = lymphocytes_only(rgb, self.cells) if self.settings.only_lymphocytes else rgb
        crop, (height, width) = min(self.settings.crop_px, *shown.shape[:2]), shown.shape[:2]
        top, left = (height - crop) // 2, (width - crop) // 2
        how = cv2.INTER_AREA if self.settings.input_px <= crop else cv2.INTER_CUBIC
        side = self.settings.input_px
        return cv2.resize(shown[top : top + crop, left : left + crop], (side, side), interpolation=how).astype(np.uint8)
