"""Buttons that save a table as CSV, the same on every page; the table is made when the button is pressed."""

from collections.abc import Callable

import streamlit as st

from qc.dashboard import lis
from qc.dashboard.frames import Frame


def csv_button(label: str, make: Callable[[], Frame], name: str, key: str | None = None) -> None:
    """A button.

    Args:
        label: What it saves, without the word CSV.
        make: Makes the table.
        name: Of the file, between `slidegate-` and `.csv`.
        key: Of the element, where a page has two of the same label.
    """
    st.download_button(
        f"{label} (CSV)",
        lambda: lis.csv_bytes(make()),
        file_name=f"slidegate-{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )
