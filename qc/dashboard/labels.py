"""A table of labels in, truth out: which slides of a run a person or another laboratory calls unusable."""

import pandas as pd

from qc.cohort_table import match_names
from qc.dashboard.frames import Column
from qc.dashboard.uploads import table_of
from qc.errors import SettingsError

_BAD = {"no": True, "0": True, "false": True, "yes": False, "1": False, "true": False}


def read_labels(text: str, path_of: dict[str, str]) -> Column:
    """A CSV with columns `slide` and `usable` (yes or no).

    Args:
        text: The CSV.
        path_of: Path of each slide of the run, by slide id.

    Returns:
        True for slides that shall not be used, by slide id; slides that the table does not name are left out.

    Raises:
        SettingsError: If it is no such table.
    """
    table = table_of(text)
    if not {"slide", "usable"} <= set(table.columns):
        raise SettingsError("the table lacks a column", "give slide and usable")
    answers = table["usable"].str.strip().str.lower()
    wrong = sorted(set(answers) - set(_BAD))
    if wrong:
        raise SettingsError(f"{wrong[0]!r} is no answer", "write yes or no in the column usable")
    bad_of = dict(zip(table["slide"].str.strip(), answers.map(_BAD), strict=True))
    names = match_names(bad_of, path_of)
    return pd.Series({slide_id: bad_of[name] for slide_id, name in names.items()}, dtype="boolean")
