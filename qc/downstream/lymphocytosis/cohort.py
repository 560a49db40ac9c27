"""Patients with smears. In: a folder with `clinical.csv` and `images/<patient>/`. Out: patients and their image files.

The table's columns are `patient`, `age_years`, `lymphocyte_count` (10^9 per litre), `sex` (M or F) and, to train or to
judge, `label` (1 tumoral, 0 reactive). A value may be missing, a patient's images too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.errors import SettingsError

TABLE, IMAGES = "clinical.csv", "images"
CLINICAL = ("lymphocyte_count", "age_years", "is_female")
_COLUMNS = ("patient", "age_years", "lymphocyte_count", "sex")
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
_FEMALE = {"F": 1.0, "M": 0.0}


@dataclass(frozen=True)
class Patient:
    """One patient.

    Attributes:
        name: As in the table.
        label: 1 tumoral, 0 reactive, None unknown.
        clinical: Values of `CLINICAL`; NaN where missing.
        images: Files of single cells.
    """

    name: str
    label: int | None
    clinical: tuple[float, float, float]
    images: tuple[Path, ...]


def read_cohort(folder: Path, needs_labels: bool) -> tuple[Patient, ...]:
    """All patients of the table, in its order.

    Args:
        folder: Holds the table and the images.
        needs_labels: Whether every patient must have a label, and both labels must be there.

    Raises:
        SettingsError: If the table is missing, lacks a column, repeats a patient or holds what is no value.
    """
    path = folder / TABLE
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror})", "name the folder that holds it") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no table ({error})", "save it as CSV in UTF-8") from error
    wanted = (*_COLUMNS, "label") if needs_labels else _COLUMNS
    missing = [name for name in wanted if name not in table]
    if missing:
        raise SettingsError(f"{path} has no column {missing[0]}", f"its columns must be {', '.join(wanted)}")
    names = table["patient"].tolist()
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SettingsError(f"{path} names patient {twice[0]} twice", "keep one line for each patient")
    patients = tuple(_patient(row, folder, path) for row in table.to_dict("records"))
    if needs_labels:
        _check_labels(patients, path)
    return patients


def clinical_of(patients: Sequence[Patient]) -> NDArray[np.float64]:
    """(P, 3) values of `CLINICAL`."""
    return np.array([one.clinical for one in patients], np.float64).reshape(-1, len(CLINICAL))


def target_of(patients: Sequence[Patient]) -> NDArray[np.bool_]:
    """(P,) True for tumoral; ValueError when one is unknown."""
    if any(one.label is None for one in patients):
        raise ValueError("a patient has no label")
    return np.array([one.label == 1 for one in patients])


def _patient(row: dict[object, str], folder: Path, path: Path) -> Patient:
    name, sex = str(row["patient"]).strip(), str(row["sex"]).strip().upper()
    if not name or Path(name).name != name:
        raise SettingsError(f"{path}: {name!r} is no name of a patient", "use the name of the patient's image folder")
    if sex and sex not in _FEMALE:
        raise SettingsError(f"{path}: sex of {name} is {sex!r}", "write M, F or nothing")
    count, age = (_number(row[key], f"{path}: {key} of {name}") for key in ("lymphocyte_count", "age_years"))
    if count <= 0:
        raise SettingsError(f"{path}: lymphocyte_count of {name} is {count:g}", "write a positive number or nothing")
    label = str(row.get("label", "")).strip()
    if label not in ("", "0", "1"):
        raise SettingsError(f"{path}: label of {name} is {label!r}", "write 1 for tumoral, 0 for reactive")
    home = folder / IMAGES / name
    files = sorted(one for one in home.glob("*") if one.suffix.lower() in IMAGE_SUFFIXES) if home.is_dir() else []
    return Patient(name, int(label) if label else None, (count, age, _FEMALE.get(sex, math.nan)), tuple(files))


def _number(text: str, what: str) -> float:
    if not text.strip():
        return math.nan
    try:
        value = float(text)
    except ValueError as error:
        raise SettingsError(f"{what} is {text!r}", "write a number or nothing") from error
    if not math.isfinite(value):
        raise SettingsError(f"{what} is {text!r}", "write a number or nothing")
    return value


def _check_labels(patients: Sequence[Patient], path: Path) -> None:
    unlabelled = [one.name for one in patients if one.label is None]
    if unlabelled:
        raise SettingsError(f"{path}: patient {unlabelled[0]} has no label", "write 1 or 0, or leave the patient out")
    for label, what in ((0, "reactive"), (1, "tumoral")):
        if not any(one.label == label for one in patients):
            raise SettingsError(f"{path}: no patient is {what} (label {label})", "both are needed to learn from")
