"""Reports as files: one of a slide, one of many slides with their table."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from qc.exchange.tables import write_csv
from qc.files import write_text
from qc.record import Assessed, Failed
from qc.report.charts import pareto, spans_days, spread, trend
from qc.report.cohort import cohort_page
from qc.report.facts import Facts
from qc.report.pdf import write_pdf
from qc.report.render import Paper, html
from qc.report.slide import slide_page
from qc.report.table import slide_table

Format = Literal["html", "pdf"]


@dataclass(frozen=True)
class Scope:
    """Which slides a report is about; nothing said means all of the run."""

    since: date | None = None
    until: date | None = None
    batch: str | None = None

    @property
    def title(self) -> str:
        """Heading of the report."""
        if self.batch is not None:
            return f"Batch {self.batch}"
        return "Period report" if self.since or self.until else "Cohort report"

    @property
    def words(self) -> str:
        """The same as a phrase."""
        parts = [f"Slides of batch {self.batch}" if self.batch is not None else "All slides of the run"]
        if self.since:
            parts.append(f"from {self.since}")
        if self.until:
            parts.append(f"up to {self.until}")
        return " ".join(parts)

    @property
    def stem(self) -> str:
        """Name for the report's file."""
        days = [str(day) for day in (self.since, self.until) if day]
        named = ["batch", re.sub(r"[^A-Za-z0-9._-]+", "_", self.batch)] if self.batch is not None else []
        return "-".join([*named, *days]) or "cohort"


def write_slide_report(
    facts: Facts,
    record: Assessed | Failed,
    path: Path,
    paper: Paper = "A4",
    with_paths: bool = False,
    with_glass: bool = True,
) -> None:
    """Write the report of one slide, as its file name's suffix says.

    Args:
        facts: The run.
        record: The slide.
        path: A .html or .pdf file.
        paper: Size of the page.
        with_paths: Whether paths of files may be printed, which may hold names.
        with_glass: Whether the photograph of the glass may be printed, its label covered.
    """
    page = slide_page(facts, record, with_paths, with_glass)
    text = html("slide.html", page, paper)
    if path.suffix == ".pdf":
        slide_id = record.stamp.slide_id
        decision = facts.decisions.get(slide_id)
        times = [at for at in (facts.recorded.get(slide_id), decision and decision.at) if at]
        write_pdf(text, path, max(times, default=None))
    else:
        write_text(path, text)


def write_cohort_report(
    facts: Facts, scope: Scope, path: Path, paper: Paper = "A4", with_paths: bool = False
) -> Sequence[Path]:
    """Write the report of many slides, as its file name's suffix says, and their full table beside it.

    Returns:
        The files written.
    """
    table = slide_table(facts, with_paths)
    csv_path = path.with_name(f"{path.stem}-slides.csv")
    write_csv(table, csv_path)
    csv_text = csv_path.read_text(encoding="utf-8")
    profile = facts.note.profile
    page = cohort_page(facts, scope.title, scope.words)
    charts = {"pareto": pareto(page.losses), "trend": trend(table, profile), "spread": spread(table)}
    is_pdf = path.suffix == ".pdf"
    held = "" if is_pdf else "data:text/csv;charset=utf-8;base64," + base64.b64encode(csv_text.encode()).decode()
    more = {"charts": charts, "is_by_day": spans_days(table), "attached": csv_path.name, "csv_uri": held}
    text = html("cohort.html", page, paper, **more)
    if is_pdf:
        write_pdf(text, path, facts.as_of, {csv_path.name: csv_text})
    else:
        write_text(path, text)
    return path, csv_path
