"""Who the images are of. In: the challenge's table. Out: patient and grade by image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from qc.errors import ExchangeError

_COLUMNS = ("name", "patient ID", "grade (GlaS)")


@dataclass(frozen=True)
class Cohort:
    """Patient and grade (benign, malignant) by `<folder>_<name>` of an image."""

    patient: Mapping[str, str]
    grade: Mapping[str, str]


def read_cohort(path: Path) -> Cohort:
    """The table that comes with the challenge's images.

    Raises:
        ExchangeError: If it cannot be read, or lacks a column.
    """
    try:
        table = pd.read_csv(path, skipinitialspace=True, dtype=str)
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{path} cannot be read as a table ({error})", "name the table of patients") from error
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise ExchangeError(f"{path} has no column {missing[0]}", f"give it the columns {', '.join(_COLUMNS)}")
    names = [str(one).strip() for one in table["name"]]
    patient, grade = (dict(zip(names, map(_stripped, table[column]), strict=True)) for column in _COLUMNS[1:])
    return Cohort(patient, grade)


def _stripped(text: object) -> str:
    return str(text).strip()
