"""What screens and reports ask of a store: pure reads, each one query; tables come as DataFrames.

A run id of "" asks for the latest result of each slide over all runs.
"""

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, Select, Subquery, and_, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from qc.labels import Verdict
from qc.store.change import HEAD_ID
from qc.store.decision import Action
from qc.store.decisions import in_force_ids, opinion_ids
from qc.store.engine import as_run_error
from qc.store.requests import last_ids
from qc.store.schema import AuditHead, DecisionRow, LockRow, PriorityRow, ReviewRequestRow, Run, Slide

_WORST_FIRST = (Verdict.UNASSESSED, Verdict.REJECT, Verdict.REVIEW, Verdict.USABLE)
_OF_SLIDE = ("run_id", "slide_id", "slide_fingerprint", "recorded", "verdict", "reason", "artefact_share")
_SCORES = ("tissue_mm2", "usable_mm2", "focus_score", "stain_score", "domain_distance")
_OF_DECISION = ("action", "reason", "note", "could_be_used", "subject", "name", "at")


def worklist(
    engine: Engine,
    run_id: str = "",
    *,
    verdicts: tuple[Verdict, ...] = (),
    actions: tuple[Action, ...] = (),
    is_decided: bool | None = None,
    limit: int | None = None,
    offset: int = 0,
    now: datetime | None = None,
) -> pd.DataFrame:
    """Slides to look at: urgent ones first, then those that a filter asks about, then the worst.

    Args:
        engine: Of the store.
        run_id: One run; "" for the latest result of each slide.
        verdicts: Only these verdicts of the software; all when empty.
        actions: Only slides with one of these decisions in force; all when empty. One gives a queue.
        is_decided: Only slides with a decision in force, or without one.
        limit: Rows of a page; all by default.
        offset: Rows before the page.
        now: When a lock has to hold; by default now.

    Returns:
        A row for each slide. Columns: those of the result (`run_id`, `slide_id`, `slide_fingerprint`, `recorded`,
        `verdict`, `reason`, `artefact_share`, `tissue_mm2`, `usable_mm2`, `focus_score`, `stain_score`,
        `domain_distance`), `priority`, `decision_id` and `decision_*` (empty without a decision in force),
        `asked_why` and `asked_by` (why and whose filter last asked for a review; empty without an open request),
        `locked_by`, `locked_by_name` and `locked_until` (empty without a lock). Times are UTC.
    """
    ids, decision = _in_force(run_id), aliased(DecisionRow)
    asked_ids, asked = last_ids(*_of_run(ReviewRequestRow.run_id, run_id)).subquery(), aliased(ReviewRequestRow)
    conditions = [Slide.verdict.in_([str(v) for v in verdicts])] if verdicts else []
    if actions:
        conditions.append(decision.action.in_([str(a) for a in actions]))
    if is_decided is not None:
        conditions.append(decision.id.is_not(None) if is_decided else decision.id.is_(None))
    priority = func.coalesce(PriorityRow.priority, 0)
    is_asked = case((asked.id.is_not(None), 1), else_=0)
    rank = case({str(v): i for i, v in enumerate(_WORST_FIRST)}, value=Slide.verdict)
    query = (
        select(
            *(getattr(Slide, name) for name in (*_OF_SLIDE, *_SCORES)),
            priority.label("priority"),
            decision.id.label("decision_id"),
            *(getattr(decision, name).label(f"decision_{name}") for name in _OF_DECISION),
            asked.why.label("asked_why"),
            asked.name.label("asked_by"),
            LockRow.subject.label("locked_by"),
            LockRow.name.label("locked_by_name"),
            LockRow.until.label("locked_until"),
        )
        .select_from(Slide)
        .outerjoin(ids, and_(ids.c.run_id == Slide.run_id, ids.c.slide_id == Slide.slide_id))
        .outerjoin(decision, decision.id == ids.c.id)
        .outerjoin(asked_ids, and_(asked_ids.c.run_id == Slide.run_id, asked_ids.c.slide_id == Slide.slide_id))
        .outerjoin(asked, and_(asked.id == asked_ids.c.id, decision.id.is_(None)))
        .outerjoin(PriorityRow, and_(PriorityRow.run_id == Slide.run_id, PriorityRow.slide_id == Slide.slide_id))
        .outerjoin(
            LockRow,
            and_(
                LockRow.run_id == Slide.run_id,
                LockRow.slide_id == Slide.slide_id,
                LockRow.until > (now or datetime.now(UTC)),
            ),
        )
        .where(*conditions, *_of_run(Slide.run_id, run_id))
        .order_by(
            *(priority.desc(), is_asked.desc(), rank),
            *(func.coalesce(Slide.artefact_share, 0).desc(), Slide.slide_id),
        )
        .limit(limit)
        .offset(offset or None)
    )
    table = _frame(engine, _latest_only(query, run_id))
    for name in ("recorded", "decision_at", "locked_until"):
        table[name] = pd.to_datetime(table[name], utc=True)
    return table.astype({"decision_id": "Int64", "decision_could_be_used": "boolean"})


def opinions(engine: Engine, run_id: str) -> pd.DataFrame:
    """What each person last decided about each slide, whether or not somebody decided after them.

    Returns:
        A row for each slide and person: `slide_id`, `subject`, `name`, `action`, `could_be_used`; withdrawn decisions
        and those on another file are left out.
    """
    ids = opinion_ids(DecisionRow.run_id == run_id).subquery()
    names = ("slide_id", "subject", "name", "action", "could_be_used")
    query = select(*(getattr(DecisionRow, name) for name in names)).join(ids, ids.c.id == DecisionRow.id)
    return _frame(engine, query.order_by(DecisionRow.id)).astype({"could_be_used": "boolean"})


def pulse(engine: Engine, run_id: str) -> tuple[int, str, int]:
    """What moves when results or decisions come in: number of results, time of the newest, rows of the audit."""
    query = select(
        func.count(Slide.id),
        func.max(Slide.recorded),
        select(AuditHead.seq).where(AuditHead.id == HEAD_ID).scalar_subquery(),
    ).where(Slide.run_id == run_id)
    with as_run_error(str(engine.url)), Session(engine) as session:
        results, newest, rows = session.execute(query).one()
    return int(results), str(newest or ""), int(rows or 0)


def runs(engine: Engine) -> pd.DataFrame:
    """Runs, newest first: `run_id`, `created`, `profile`, `software_version`, `settings_fingerprint`, `slides`."""
    query = (
        select(
            Run.id.label("run_id"),
            Run.created,
            Run.profile,
            Run.software_version,
            Run.settings_fingerprint,
            func.count(Slide.id).label("slides"),
        )
        .outerjoin(Slide, Slide.run_id == Run.id)
        .group_by(Run.id)
        .order_by(Run.created.desc(), Run.id)
    )
    return _frame(engine, query)


def _of_run(column: InstrumentedAttribute[str], run_id: str) -> list:
    return [column == run_id] if run_id else []


def _in_force(run_id: str) -> Subquery:
    """Ids of decisions in force; joined by slide first and by id then, so that both joins find an index."""
    return in_force_ids(*_of_run(DecisionRow.run_id, run_id)).subquery()


def _latest_only(query: Select, run_id: str) -> Select:
    """Over all runs, leave of each slide the result that was recorded last."""
    if run_id:
        return query
    newer = aliased(Slide)
    is_newer = (newer.recorded > Slide.recorded) | ((newer.recorded == Slide.recorded) & (newer.id > Slide.id))
    return query.where(~select(newer.id).where(newer.slide_id == Slide.slide_id, is_newer).exists())


def _frame(engine: Engine, query: Select) -> pd.DataFrame:
    """Rows as a table; by the connection alone, for a session would look for entities in each row."""
    with as_run_error(str(engine.url)), engine.connect() as connection:
        result = connection.execute(query)
        return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
