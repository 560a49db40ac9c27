"""What several pages read from the store for the run that is shown."""

from qc.dashboard.context import Context
from qc.dashboard.frames import Frame
from qc.store import queries, shares


def worklist(context: Context, is_decided: bool | None = None) -> Frame:
    """Slides, urgent ones first, then the worst; columns as `qc.store.queries.worklist` says."""
    return queries.worklist(context.store.engine, context.run_id, is_decided=is_decided)


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
