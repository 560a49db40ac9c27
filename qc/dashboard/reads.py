"""What several pages read from the store for the run that is shown."""

import pandas as pd
import streamlit as st
from sqlalchemy import Engine

from qc.dashboard.context import Context
from qc.dashboard.frames import Frame
from qc.store import queries, shares
from qc.store.work import Lock


def worklist(context: Context, is_decided: bool | None = None) -> Frame:
    """Slides, urgent ones first, then the worst; columns as `qc.store.queries.worklist` says."""
    engine = context.store.engine
    version = (str(engine.url), context.run_id, pulse(context))
    table = _with_locks(_worklist(version, engine), context.store.locks(context.run_id))
    if is_decided is None:
        return table
    return table[table["decision_id"].notna() == is_decided].reset_index(drop=True)


def pulse(context: Context) -> tuple[int, str, int]:
    """Changes whenever a result or a decision comes in."""
    return queries.pulse(context.store.engine, context.run_id)


def everything(context: Context) -> Frame:
    """The latest result of every slide over all runs, in the same columns."""
    return queries.worklist(context.store.engine)


def class_shares(context: Context) -> Frame:
    """Share of tissue under each class, by slide id."""
    return shares.class_shares(context.store.engine, context.run_id)


def opinions(context: Context) -> Frame:
    """What each person last said about each slide."""
    return queries.opinions(context.store.engine, context.run_id)


@st.cache_data(max_entries=4, show_spinner=False)
def _worklist(version: tuple[str, str, tuple[int, str, int]], _engine: Engine) -> Frame:
    """The list, kept until a result or a decision comes in; everything but locks is part of the version."""
    _, run_id, _ = version
    return queries.worklist(_engine, run_id)


def _with_locks(table: Frame, locks: dict[str, Lock]) -> Frame:
    """The list with the locks that hold now."""
    held = table["slide_id"].map(locks)
    for column, field in (("locked_by", "subject"), ("locked_by_name", "name"), ("locked_until", "until")):
        table[column] = held.map(lambda lock, field=field: getattr(lock, field) if isinstance(lock, Lock) else None)
    table["locked_until"] = pd.to_datetime(table["locked_until"], utc=True)
    return table
