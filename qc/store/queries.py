"""What screens and reports ask of a store: pure reads, each one query; tables come as DataFrames, sums as values.

A run id of "" asks for the latest result of each slide over all runs. Days are days in UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine, Select, Subquery, and_, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from qc.labels import Verdict
from qc.store.decision import Action
from qc.store.decisions import in_force_ids
from qc.store.engine import as_run_error
from qc.store.schema import DecisionRow, LockRow, PriorityRow, Run, Slide

_WORST_FIRST = (Verdict.UNASSESSED, Verdict.REJECT, Verdict.REVIEW, Verdict.USABLE)
_OF_SLIDE = ("run_id", "slide_id", "slide_fingerprint", "recorded", "verdict", "reason", "artefact_share")
_SCORES = ("tissue_mm2", "usable_mm2", "focus_score", "stain_score", "domain_distance")
_OF_DECISION = ("action", "reason", "note", "could_be_used", "subject", "name", "at")


@dataclass(frozen=True)
class Usability:
    """Slides and tissue of a run, by what the software and people say.

    Attributes:
        slides: Slides with a result.
        by_verdict: Slides by the software's verdict.
        by_action: Slides by the action of the decision in force.
        decided: Slides with a decision in force.
        rescued: Slides that were accepted although the software did not call them usable.
        rejected: Slides that were called usable and were not accepted.
        could_be_used: Slides whose result a person said could reasonably be used.
        could_not_be_used: Slides whose result a person said could not.
        tissue_mm2: Tissue found, square millimetres.
        usable_mm2: Clean tissue of all of them, whatever was decided, square millimetres.
    """

    slides: int
    by_verdict: dict[Verdict, int]
    by_action: dict[Action, int]
    decided: int
    rescued: int
    rejected: int
    could_be_used: int
    could_not_be_used: int
    tissue_mm2: float
    usable_mm2: float


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
    """Slides to look at: urgent ones first, then the worst.

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
        `locked_by`, `locked_by_name` and `locked_until` (empty without a lock). Times are UTC.
    """
    ids, decision = _in_force(run_id), aliased(DecisionRow)
    conditions = [Slide.verdict.in_([str(v) for v in verdicts])] if verdicts else []
    if actions:
        conditions.append(decision.action.in_([str(a) for a in actions]))
    if is_decided is not None:
        conditions.append(decision.id.is_not(None) if is_decided else decision.id.is_(None))
    priority = func.coalesce(PriorityRow.priority, 0)
    rank = case({str(v): i for i, v in enumerate(_WORST_FIRST)}, value=Slide.verdict)
    query = (
        select(
            *(getattr(Slide, name) for name in (*_OF_SLIDE, *_SCORES)),
            priority.label("priority"),
            decision.id.label("decision_id"),
            *(getattr(decision, name).label(f"decision_{name}") for name in _OF_DECISION),
            LockRow.subject.label("locked_by"),
            LockRow.name.label("locked_by_name"),
            LockRow.until.label("locked_until"),
        )
        .select_from(Slide)
        .outerjoin(ids, and_(ids.c.run_id == Slide.run_id, ids.c.slide_id == Slide.slide_id))
        .outerjoin(decision, decision.id == ids.c.id)
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
        .order_by(priority.desc(), rank, func.coalesce(Slide.artefact_share, 0).desc(), Slide.slide_id)
        .limit(limit)
        .offset(offset or None)
    )
    table = _frame(engine, _latest_only(query, run_id))
    for name in ("recorded", "decision_at", "locked_until"):
        table[name] = pd.to_datetime(table[name], utc=True)
    return table.astype({"decision_id": "Int64", "decision_could_be_used": "boolean"})


def usability(engine: Engine, run_id: str = "") -> Usability:
    """Sums over a run, or over the latest result of each slide."""
    ids, decision = _in_force(run_id), aliased(DecisionRow)
    query = (
        select(
            Slide.verdict,
            decision.action,
            decision.could_be_used,
            func.count().label("slides"),
            func.coalesce(func.sum(Slide.tissue_mm2), 0.0).label("tissue_mm2"),
            func.coalesce(func.sum(Slide.usable_mm2), 0.0).label("usable_mm2"),
        )
        .select_from(Slide)
        .outerjoin(ids, and_(ids.c.run_id == Slide.run_id, ids.c.slide_id == Slide.slide_id))
        .outerjoin(decision, decision.id == ids.c.id)
        .where(*_of_run(Slide.run_id, run_id))
        .group_by(Slide.verdict, decision.action, decision.could_be_used)
    )
    table = _frame(engine, _latest_only(query, run_id))
    is_usable, is_accepted = table["verdict"] == Verdict.USABLE, table["action"] == Action.ACCEPT
    is_decided = table["action"].notna()

    def slides(chosen: Any) -> int:
        return int(table.loc[chosen, "slides"].to_numpy().sum())

    def total(column: str, kind: Any) -> Any:
        return kind(np.sum(table[column].to_numpy()))

    return Usability(
        slides=total("slides", int),
        by_verdict={verdict: slides(table["verdict"] == verdict) for verdict in Verdict},
        by_action={action: slides(table["action"] == action) for action in Action},
        decided=slides(is_decided),
        rescued=slides(is_accepted & ~is_usable),
        rejected=slides(is_decided & ~is_accepted & is_usable),
        could_be_used=slides(table["could_be_used"].isin([True])),
        could_not_be_used=slides(table["could_be_used"].isin([False])),
        tissue_mm2=total("tissue_mm2", float),
        usable_mm2=total("usable_mm2", float),
    )


def per_day(engine: Engine, run_id: str = "") -> pd.DataFrame:
    """Results by the day they were recorded, and decisions in force by the day they were made.

    Returns:
        Indexed by `day` (datetime64, days without either left out): `slides`, a column for each verdict, `decided`
        and a column for each action.
    """
    day = func.date(Slide.recorded).label("day")
    results = select(day, Slide.verdict.label("what"), func.count().label("slides")).where(
        *_of_run(Slide.run_id, run_id)
    )
    ids = _in_force(run_id)
    decided = func.date(DecisionRow.at).label("day")
    decisions = select(decided, DecisionRow.action.label("what"), func.count().label("slides")).join(
        ids, ids.c.id == DecisionRow.id
    )
    verdicts = _by_day(_frame(engine, _latest_only(results.group_by(day, Slide.verdict), run_id)), list(Verdict))
    actions = _by_day(_frame(engine, decisions.group_by(decided, DecisionRow.action)), list(Action))
    verdicts.insert(0, "slides", verdicts.sum(axis=1))
    actions.insert(0, "decided", actions.sum(axis=1))
    return verdicts.join(actions, how="outer").fillna(0).astype("int64").sort_index()


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


def _by_day(table: pd.DataFrame, kinds: list) -> pd.DataFrame:
    table = table.assign(day=pd.to_datetime(table["day"]), what=table["what"].astype(str))
    counts = table.pivot_table(index="day", columns="what", values="slides", aggfunc="sum", fill_value=0)
    return counts.reindex(columns=[str(kind) for kind in kinds], fill_value=0).rename_axis(columns=None)


def _frame(engine: Engine, query: Select) -> pd.DataFrame:
    with as_run_error(str(engine.url)), Session(engine) as session:
        result = session.execute(query)
        return pd.DataFrame.from_records(result.all(), columns=list(result.keys()))
