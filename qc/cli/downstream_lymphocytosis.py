"""`qc downstream lymphocytosis`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath, ExistingFile

_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_work = click.option(
    "--work",
    type=AnyPath,
    help="Folder for measured cells and trainings, resumed if it exists; by default beside --out.",
)


@click.group()
def lymphocytosis() -> None:
    """Tell reactive from tumoral lymphocytosis by blood smear cells, age and lymphocyte count."""


@lymphocytosis.command()
@click.argument("data", type=_Folder)
@click.option("--out", type=AnyPath, required=True, help="Model file to write, .safetensors.")
@click.option("--settings", "settings_path", type=ExistingFile, help="TOML file (docs/downstream-lymphocytosis.md).")
@_work
def train(data: Path, out: Path, settings_path: Path | None, work: Path | None) -> None:
    """Train on all patients of DATA, a folder with clinical.csv and images/PATIENT/.

    Without settings the recipe is the one that did best in repeated cross-validation (see the report).
    """
    from qc.cli.progress import counted
    from qc.config.lymphocytosis import LymphocytosisSettings
    from qc.config.toml import load_settings
    from qc.downstream.lymphocytosis.cohort import read_cohort
    from qc.downstream.lymphocytosis.run import train_model

    settings = load_settings(LymphocytosisSettings, settings_path) if settings_path else LymphocytosisSettings()
    patients = read_cohort(data, needs_labels=True)
    with counted("patients measured", len(patients)) as done:
        left_out = train_model(settings, patients, _beside(out, work), out, done)
    click.echo(f"{len(patients)} patients, {left_out} cells left out; written to {out}")


@lymphocytosis.command()
@click.argument("model", type=ExistingFile)
@click.argument("data", type=_Folder)
@click.option(
    "--out", type=AnyPath, required=True, help="CSV file to write: a probability and a call for each patient."
)
@click.option("--sheets", type=AnyPath, help="Folder for one picture a patient: the cells that decided.")
@_work
def predict(model: Path, data: Path, out: Path, sheets: Path | None, work: Path | None) -> None:
    """Judge the patients of DATA by a trained MODEL; labels, if there are any, are not looked at."""
    from qc.cli.progress import counted
    from qc.downstream.lymphocytosis.cohort import read_cohort
    from qc.downstream.lymphocytosis.run import write_predictions

    with counted("patients measured", len(read_cohort(data, needs_labels=False))) as done:
        patients = write_predictions(model, data, out, sheets, _beside(out, work), done)
    click.echo(f"{patients} patients; written to {out}" + (f", pictures to {sheets}" if sheets else ""))


@lymphocytosis.command()
@click.argument("spec", type=ExistingFile)
@click.option("--data", type=_Folder, required=True, help="Folder with clinical.csv and images/PATIENT/.")
@click.option("--out", type=AnyPath, required=True, help="Folder for cells, weights and folds; resumed if it exists.")
@click.option(
    "--report",
    type=AnyPath,
    default=Path("reports/downstream-lymphocytosis.md"),
    show_default=True,
    help="Report to write.",
)
def study(spec: Path, data: Path, out: Path, report: Path) -> None:
    """Cross-validate all recipes of SPEC (datasets/lymphocytosis-study.toml) and write the report."""
    from qc.cli.progress import counted
    from qc.config.lymphocytosis import LymphocytosisStudySettings
    from qc.config.toml import load_settings
    from qc.downstream.lymphocytosis.cohort import read_cohort
    from qc.downstream.lymphocytosis.study import fold_count
    from qc.downstream.lymphocytosis.study_run import run_study

    settings = load_settings(LymphocytosisStudySettings, spec)
    steps = fold_count(settings) + len(read_cohort(data, needs_labels=True))
    with counted("patients measured and folds", steps) as done:
        paths = run_study(settings, data, out, report, done, done)
    for path in paths:
        click.echo(f"written to {path}")


def _beside(out: Path, work: Path | None) -> Path:
    return work or out.parent / f"{out.stem}-work"
