"""What the laboratory knows about slides: barcode, scanner, stainer, stain, batch, day.

In: the headers of slide files, as their records tell, and a table of the laboratory, kept as a versioned setting of the
store or as `cohort.csv` in the run folder; the table goes before the headers.
Out: a row for each slide of the run; what neither says is `unknown`, never guessed.
"""

from pathlib import Path

import pandas as pd
import streamlit as st
from sqlalchemy import Engine

from qc.cohort_table import match_names
from qc.dashboard.context import Context
from qc.dashboard.frames import Frame
from qc.dashboard.uploads import table_of
from qc.errors import SettingsError
from qc.files import write_text
from qc.store.queries import pulse
from qc.store.shares import paths, scans

UNKNOWN = "unknown"
GROUPS = ("scanner", "stainer", "stain", "batch")
"""Columns by which slides can be grouped."""

_COLUMNS = ("barcode", *GROUPS, "scanned")
_FILE = "cohort.csv"


def setting_name(run_id: str) -> str:
    """Name under which the store keeps a run's table."""
    return f"cohort/{run_id}"


def attributes(context: Context) -> Frame:
    """What is known about the slides of the run that is shown.

    Returns:
        Indexed by `slide_id`: `barcode` (empty when unknown), `scanner`, `stainer`, `stain`, `batch` (`unknown` when
        unknown) and `scanned` (a day, NaT when unknown), for every slide.

    Raises:
        SettingsError: If the table cannot be used.
    """
    engine = context.store.engine
    version = (str(engine.url), context.run_id, pulse(engine, context.run_id))
    return _attributes(version, source(context), engine)


@st.cache_data(max_entries=8, show_spinner=False)
def _attributes(version: tuple[str, str, tuple[int, str, int]], text: str, _engine: Engine) -> Frame:
    """The same, kept until a result or a decision comes in."""
    _, run_id, _ = version
    told = matched(read_table(text), paths(_engine, run_id)) if text else _empty()
    return completed(told, scans(_engine, run_id))


def completed(told: Frame, scans: Frame) -> Frame:
    """The laboratory's lines for all slides, with scanner and day of the header where the laboratory is silent.

    Args:
        told: What `matched` gives.
        scans: `scanner` and `scanned_at` by slide id; empty where the header does not say.
    """
    out = told.reindex(scans.index)
    out["barcode"] = out["barcode"].fillna("")
    for name in GROUPS:
        out[name] = out[name].fillna(UNKNOWN)
    is_silent = out["scanner"] == UNKNOWN
    out["scanner"] = out["scanner"].mask(is_silent, scans["scanner"].replace("", UNKNOWN))
    days = pd.to_datetime(scans["scanned_at"].where(scans["scanned_at"] != ""), errors="coerce", format="ISO8601")
    out["scanned"] = out["scanned"].fillna(days.dt.normalize())
    return out


def source(context: Context) -> str:
    """The table as text: the store's newest version, or else the run folder's file; empty without either."""
    versions = context.store.setting_versions(setting_name(context.run_id))
    if versions:
        return versions[-1].content
    path = context.run.root / _FILE if context.run else None
    return path.read_text(encoding="utf-8-sig") if path and path.is_file() else ""


def read_table(text: str) -> Frame:
    """A CSV with the column `slide` and any of `barcode`, `scanner`, `stainer`, `stain`, `batch`, `scanned`.

    Raises:
        SettingsError: If it is no such table.
    """
    table = table_of(text)
    if "slide" not in table:
        raise SettingsError("the table has no column slide", f"give columns slide, {', '.join(_COLUMNS)}")
    table["slide"] = table["slide"].str.strip()
    if table["slide"].duplicated().any():
        twice = table.loc[table["slide"].duplicated(), "slide"].iloc[0]
        raise SettingsError(f"the table lists slide {twice or '(empty)'} twice", "keep the line that is right")
    return table


def matched(table: Frame, path_of: dict[str, str]) -> Frame:
    """The lines of a table for the slides of a run, in our columns."""
    names = match_names(frozenset(table["slide"]), path_of)
    if not names:
        return _empty()
    lines = table.set_index("slide").reindex(list(names.values()))
    lines.index = pd.Index(names.keys(), name="slide_id")
    lines = lines.reindex(columns=_COLUMNS, fill_value="")
    days = lines["scanned"].str.strip()
    lines["scanned"] = pd.to_datetime(days.where(days != ""), errors="coerce", format="ISO8601").dt.normalize()
    if lines["scanned"].isna().sum() > (days == "").sum():
        wrong = days[(days != "") & lines["scanned"].isna()].iloc[0]
        raise SettingsError(f"the table's column scanned holds {wrong!r}", "write days as 2026-01-31")
    for name in GROUPS:
        lines[name] = lines[name].str.strip().replace("", UNKNOWN)
    return lines


def write_demo_table(run: Path) -> None:
    """Give the demonstration's run its table, unless it has one.

    Raises:
        RunError: If it cannot be written.
    """
    if not (run / _FILE).exists():
        write_text(run / _FILE, Path(__file__).with_name("demo-cohort.csv").read_text(encoding="utf-8"))


def _empty() -> Frame:
    empty = pd.DataFrame({name: pd.Series(dtype="object") for name in _COLUMNS}, index=pd.Index([], name="slide_id"))
    return empty.astype({"scanned": "datetime64[ns]"})
