"""Tables that people upload: bytes of a CSV in, a table of texts with lower-case column names out."""

from io import StringIO

import pandas as pd

from qc.dashboard.frames import Frame
from qc.errors import SettingsError


def text_of(data: bytes) -> str:
    """The file as text, without the mark that spreadsheets put first.

    Raises:
        SettingsError: If it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError("the table is not in UTF-8", "save it as CSV in UTF-8") from error


def table_of(text: str) -> Frame:
    """A CSV as texts, empty where nothing is said; names of columns in lower case without spaces around.

    Raises:
        SettingsError: If it is no CSV.
    """
    try:
        table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise SettingsError(f"the table cannot be read as a CSV ({error})", "separate columns by commas") from error
    table.columns = [str(name).strip().lower() for name in table.columns]
    return table
