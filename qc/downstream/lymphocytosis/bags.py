"""Bags of cells with clinical values: what every model learns from. In: patients, their cells. Out: parts of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.config.lymphocytosis import QualitySettings
from qc.downstream.lymphocytosis.cells import Cells
from qc.downstream.lymphocytosis.cohort import Patient, clinical_of, target_of
from qc.downstream.lymphocytosis.quality import reasons

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Bags:
    """Patients with their cells; a patient may have none.

    Attributes:
        patients: (P,).
        cells: (P,) cells of each.

    Raises:
        ValueError: If these are of different length.
    """

    patients: tuple[Patient, ...]
    cells: tuple[Cells, ...]

    def __post_init__(self) -> None:
        if len(self.patients) != len(self.cells):
            raise ValueError(f"{len(self.patients)} patients and cells of {len(self.cells)}")

    def __len__(self) -> int:
        return len(self.patients)

    def at(self, rows: Sequence[int] | NDArray[np.intp]) -> "Bags":
        """Some patients."""
        return Bags(tuple(self.patients[i] for i in rows), tuple(self.cells[i] for i in rows))

    def kept(self, settings: QualitySettings) -> "Bags":
        """The same patients with the cells that are good enough."""
        if not settings.is_on:
            return self
        good = [np.array([not why for why in reasons(one.quality, settings)], bool) for one in self.cells]
        return Bags(
            self.patients, tuple(one.at(np.flatnonzero(fine)) for one, fine in zip(self.cells, good, strict=True))
        )

    @property
    def target(self) -> NDArray[np.bool_]:
        """(P,) True for tumoral."""
        return target_of(self.patients)

    @property
    def clinical(self) -> Float:
        """(P, 3): logarithm of the lymphocyte count, age in years, 1 for a woman; NaN where missing."""
        values = clinical_of(self.patients)
        return np.column_stack([np.log(values[:, 0]), values[:, 1:]])

    @property
    def counts(self) -> NDArray[np.int64]:
        """(P,) cells of each patient."""
        return np.array([len(one.files) for one in self.cells], np.int64)

    @property
    def digest(self) -> str:
        """Name of the content: patients, labels, clinical values, cells and what was measured of them."""
        found = hashlib.sha256()
        for patient, cells in zip(self.patients, self.cells, strict=True):
            found.update(f"{patient.name} {patient.label} {patient.clinical} {cells.digest}".encode())
            found.update(np.ascontiguousarray(cells.values).tobytes())
        return found.hexdigest()
