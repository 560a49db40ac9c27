"""Shares of tissue, scanners and paths of a run's slides: what screens need beside the worklist, each one query."""

import json

import pandas as pd
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from qc.labels import ArtefactClass
from qc.store.engine import as_run_error
from qc.store.schema import CoverageRow, Slide


def class_shares(engine: Engine, run_id: str) -> pd.DataFrame:
    """Share of tissue (0-1) under each class.

    Returns:
        Indexed by `slide_id`, a column for each class by its name in files; NaN where nothing could be computed. Slides
        that were not assessed are left out.
    """
    query = (
        select(Slide.slide_id, CoverageRow.artefact_class, CoverageRow.share)
        .join(CoverageRow, CoverageRow.slide_row == Slide.id)
        .where(Slide.run_id == run_id)
    )
    with as_run_error(str(engine.url)), Session(engine) as session:
        rows = pd.DataFrame.from_records(session.execute(query).all(), columns=["slide_id", "name", "share"])
    shares = rows.pivot(index="slide_id", columns="name", values="share").astype("float64")
    names = [c.name.lower() for c in ArtefactClass if c is not ArtefactClass.GLASS]
    return shares.reindex(columns=names).rename_axis(columns=None)


def paths(engine: Engine, run_id: str) -> dict[str, str]:
    """Path of each slide file, by slide id."""
    query = select(Slide.slide_id, Slide.record_json).where(Slide.run_id == run_id)
    with as_run_error(str(engine.url)), Session(engine) as session:
        return {slide_id: json.loads(text)["stamp"]["path"] for slide_id, text in session.execute(query)}


def scans(engine: Engine, run_id: str) -> pd.DataFrame:
    """How slides were scanned, as their headers say.

    Returns:
        Indexed by `slide_id`: `scanner` and `scanned_at`, empty where the header does not say.
    """
    query = select(Slide.slide_id, Slide.scanner, Slide.scanned_at).where(Slide.run_id == run_id)
    with as_run_error(str(engine.url)), Session(engine) as session:
        rows = session.execute(query).all()
    return pd.DataFrame.from_records(rows, columns=["slide_id", "scanner", "scanned_at"]).set_index("slide_id")
