"""The full table of a report: a row for each slide with its result, its day, what the lab knows, the decision."""

import pandas as pd

from qc.exchange import tables
from qc.labels import Verdict
from qc.record import unnamed
from qc.report.facts import Facts
from qc.store.decision import Action


def slide_table(facts: Facts, with_paths: bool = False) -> pd.DataFrame:
    """The full table: a row for each slide with its result, its day, what the lab knows, and the decision on it.

    Args:
        facts: The slides.
        with_paths: Keep the paths of files, which may hold names.
    """
    table = tables.rows(facts.records)
    ids = list(table["slide_id"])
    decisions = [facts.decisions.get(slide_id) for slide_id in ids]
    table["reason"] = [unnamed(record.reason, record) for record in facts.records]
    table["day"] = [facts.day(slide_id) for slide_id in ids]
    table["recorded"] = [at.isoformat() if (at := facts.recorded.get(slide_id)) else "" for slide_id in ids]
    for name in ("scanner", "stainer", "stain", "batch"):
        table[name] = [getattr(facts.about_slide(slide_id), name) for slide_id in ids]
    table["usable_share"] = table["usable_mm2"] / table["tissue_mm2"].where(table["tissue_mm2"] > 0)
    table["decision"] = [str(one.choice.action) if one else "" for one in decisions]
    table["decision_reason"] = [str(one.choice.reason) if one else "" for one in decisions]
    is_accepted, is_decided = table["decision"] == Action.ACCEPT, table["decision"] != ""
    table["is_usable"] = is_accepted | (~is_decided & (table["verdict"] == Verdict.USABLE))
    return table if with_paths else table.drop(columns="path")
