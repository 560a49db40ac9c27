"""The mpp of single slides from a CSV file."""

from pathlib import Path

import pandas as pd

from qc.errors import SettingsError
from qc.geometry import Mpp


def read_mpp_table(path: Path) -> dict[str, Mpp]:
    """Read columns `slide` (path, file name or stem) and `mpp` (micrometres per pixel).

    Raises:
        SettingsError: If a column or a name is missing, a slide is listed twice, or a value is no positive number.
    """
    try:
        table = pd.read_csv(path, dtype=str)
        names, values = table["slide"].str.strip(), table["mpp"].str.strip()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise SettingsError(f"{path} is no CSV with columns slide and mpp ({error})", "correct the file") from error
    if names.isna().any():
        raise SettingsError(f"{path} has a line without a slide", "name the slide or remove the line")
    if names.duplicated().any():
        raise SettingsError(f"{path} lists {names[names.duplicated()].iloc[0]} twice", "keep one line")
    result = {}
    for name, value in zip(names, values, strict=True):
        try:
            result[name] = Mpp(float(value))
        except (TypeError, ValueError) as error:
            raise SettingsError(f"{path}: mpp of {name} is {value!r}", "give micrometres per pixel") from error
    return result
