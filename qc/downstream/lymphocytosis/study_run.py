"""The study as one call. In: settings and a folder of patients. Out: a report with plots."""

from collections.abc import Callable
from pathlib import Path

from qc.config.lymphocytosis import LymphocytosisStudySettings
from qc.downstream.lymphocytosis.cohort import read_cohort
from qc.downstream.lymphocytosis.plots import plot_repeats
from qc.downstream.lymphocytosis.report import Circumstances, repeats_of, report_markdown
from qc.downstream.lymphocytosis.study import read_bags, run_filtering, run_table
from qc.downstream.trainer import machine
from qc.files import write_text

Done = Callable[[], None]


def run_study(
    settings: LymphocytosisStudySettings, data: Path, folder: Path, report: Path, measured: Done, done: Done
) -> list[Path]:
    """Run what is not done yet, write the report and its plots.

    Args:
        settings: What is studied.
        data: Folder of the patients.
        folder: For cells, weights and folds; resumed when it exists.
        report: Markdown file; plots go to `images/` beside it.
        measured: Called after each patient measured.
        done: Called after each fold.
    """
    patients = read_cohort(data, needs_labels=True)
    bags = read_bags(patients, settings, folder, measured)
    tables = [run_table(table, settings, bags, folder, done) for table in settings.tables]
    filterings = [run_filtering(settings, patients, share, folder, done) for share in settings.spoilt_shares]
    images = report.parent / "images" / report.stem
    paths = []
    for number, (table, lines) in enumerate(zip(settings.tables, tables, strict=True), 1):
        paths.append(images / f"repeats-{number}.png")
        plot_repeats(lines, [repeats_of(one.outcome, "balanced accuracy") for one in lines], table.title, paths[-1])
    links = [path.relative_to(report.parent).as_posix() for path in paths]
    how = Circumstances(machine(), links)
    write_text(report, report_markdown(settings, bags, tables, filterings, how))
    return [report, *paths]
