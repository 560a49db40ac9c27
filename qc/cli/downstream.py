"""`qc downstream`."""

from pathlib import Path
from typing import Any

import click

from qc.cli.downstream_camelyon import camelyon
from qc.cli.downstream_glands import glands
from qc.cli.downstream_lymphocytosis import lymphocytosis
from qc.cli.options import AnyPath, ExistingFile

_manifest = click.argument("manifest", type=ExistingFile)
_settings = click.option("--settings", "settings_path", type=ExistingFile, help="TOML file (docs/downstream.md).")
_out = click.option(
    "--out", type=AnyPath, required=True, help="Folder for pixels, weights and results; resumed if it exists."
)


@click.group()
def downstream() -> None:
    """Train and test classifiers on a manifest, and find out whether quality control helps them."""


downstream.add_command(camelyon)
downstream.add_command(glands)
downstream.add_command(lymphocytosis)


@downstream.command()
@_manifest
@_out
@_settings
def follicular(manifest: Path, out: Path, settings_path: Path | None) -> None:
    """Tell follicular lymphoma from hyperplasia, in four arms, with heat maps.

    A plain ResNet-18, then with stain normalisation, with mixup, and with the quality filter. A slide's score is the
    share of its tiles that are called lymphoma.
    """
    from qc.downstream.follicular.arms import follicular_arms
    from qc.downstream.follicular.run import run_follicular

    _run(run_follicular, follicular_arms, manifest, out, settings_path)


@downstream.command()
@_manifest
@_out
@_settings
def compare(manifest: Path, out: Path, settings_path: Path | None) -> None:
    """Find out what the filter changes: nowhere, at training, at inference, at both.

    The same slides, parts and seeds in every arm; differences with intervals over patients, and a list of the slides
    whose call changed.
    """
    from qc.downstream.follicular.arms import filter_arms
    from qc.downstream.follicular.run import run_compare

    _run(run_compare, filter_arms, manifest, out, settings_path)


@downstream.command()
@click.argument("spec", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the tiles' paths start from.")
@click.option("--out", type=AnyPath, required=True, help="Folder for the sheets and cohort.csv.")
def sheets(spec: Path, root: Path, out: Path) -> None:
    """Lay loose tiles on sheets, so that they can be assessed and filtered like slides.

    SPEC says which numbered files belong to one slide (datasets/follicular-tiles.toml).
    """
    from qc.cli.progress import portion
    from qc.config.downstream import SheetsSettings
    from qc.config.toml import load_settings
    from qc.downstream.sheets import lay_sheets

    with portion("sheets") as tell:
        path = lay_sheets(load_settings(SheetsSettings, spec), root, out, tell)
    click.echo(f"written to {out}; cohort table: {path}")


@downstream.command()
@click.argument("spec", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the manifests' paths start from.")
@_out
@click.option(
    "--report",
    type=AnyPath,
    default=Path("reports/downstream-follicular.md"),
    show_default=True,
    help="Report to write.",
)
def study(spec: Path, root: Path, out: Path, report: Path) -> None:
    """Run the follicular study of SPEC (datasets/follicular-study.toml) and write its report."""
    from qc.cli.progress import counted
    from qc.config.downstream import StudySettings
    from qc.config.toml import load_settings
    from qc.downstream.follicular.study import run_study, trainings

    settings = load_settings(StudySettings, spec)
    with counted("trainings", trainings(settings)) as trained:
        paths = run_study(settings, root, out, report, trained)
    for path in paths:
        click.echo(f"written to {path}")


def _run(task: Any, arms: Any, manifest: Path, out: Path, settings_path: Path | None) -> None:
    from qc.cli.progress import counted
    from qc.config.downstream import DownstreamSettings
    from qc.config.toml import load_settings
    from qc.downstream.follicular.run import asked_trainings

    settings = load_settings(DownstreamSettings, settings_path) if settings_path else DownstreamSettings()
    with counted("trainings", asked_trainings(manifest, settings, arms(settings.classifier))) as trained:
        paths = task(manifest, settings, out, trained)
    for path in paths:
        click.echo(f"written to {path}")
