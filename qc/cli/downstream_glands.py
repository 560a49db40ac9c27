"""`qc downstream glands`."""

from pathlib import Path
from typing import Any

import click

from qc.cli.options import AnyPath, ExistingFile

_settings = click.option(
    "--settings", "settings_path", type=ExistingFile, help="TOML file (docs/downstream-glands.md)."
)
_mpp = click.option("--mpp", type=click.FloatRange(0.05, 5), help="Micrometres per pixel of the images.")


@click.group()
def glands() -> None:
    """Outline glands one by one, and measure how well."""


@glands.command()
@click.argument("data", type=AnyPath)
@click.option("--out", type=AnyPath, required=True, help="Folder of the model; a training that was stopped goes on.")
@_settings
@_mpp
def train(data: Path, out: Path, settings_path: Path | None, mpp: float | None) -> None:
    """Train on the images of a folder.

    Beside each image lies its mask: for 7.png it is 7-mask.png, 0 outside glands and one number for each gland.
    """
    from qc.cli.progress import portion
    from qc.downstream.glands.images import pictures
    from qc.downstream.glands.training import train_model

    settings = _chosen(settings_path, mpp)
    with portion("crops") as tell:
        train_model(pictures(data, has_masks=True), settings, out, tell)
    click.echo(f"written to {out}")


@glands.command()
@click.argument("model", type=AnyPath)
@click.argument("images", type=AnyPath)
@click.option("--out", type=AnyPath, required=True, help="Folder for labels, pictures and glands.csv.")
def predict(model: Path, images: Path, out: Path) -> None:
    """Outline the glands of every image of a folder: labels and a picture for each, and a table of all glands."""
    from qc.cli.progress import portion
    from qc.downstream.glands.images import pictures
    from qc.downstream.glands.model import load_model
    from qc.downstream.glands.predict import predict as find

    trained = load_model(model)
    with portion("images") as tell:
        path = find(trained.instances, trained.settings.image_mpp, pictures(images, has_masks=False), out, tell)
    click.echo(f"written to {out}; table: {path}")


@glands.command()
@click.argument("model", type=AnyPath)
@click.argument("data", type=AnyPath)
@click.option("--out", type=AnyPath, required=True, help="Folder for figures.csv and what was found.")
def evaluate(model: Path, data: Path, out: Path) -> None:
    """Judge a model on the images of a folder, with masks beside them: object F1, Dice and Hausdorff distance."""
    from qc.cli.progress import portion
    from qc.downstream.glands.images import pictures
    from qc.downstream.glands.judge import FIGURES, Judge, write_rows
    from qc.downstream.glands.model import load_model

    some = pictures(data, has_masks=True)
    judge = Judge(load_model(model), model, out / "found")
    rows = []
    with portion("images") as tell:
        for done, one in enumerate(some, 1):
            rows.append(judge(one))
            tell(done, len(some))
    path = write_rows(rows, out / "figures.csv")
    for name, figure in FIGURES.items():
        click.echo(f"{name}: {figure(rows):.3f}")
    click.echo(f"each image: {path}")


@glands.command()
@click.argument("spec", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder of the challenge's images.")
@click.option(
    "--out", type=AnyPath, required=True, help="Folder for models, labels and pictures; resumed if it exists."
)
@click.option(
    "--report", type=AnyPath, default=Path("reports/downstream-glands.md"), show_default=True, help="Report to write."
)
def study(spec: Path, root: Path, out: Path, report: Path) -> None:
    """Run the gland study of SPEC (datasets/glands-study.toml) and write its report."""
    from qc.cli.progress import portion
    from qc.config.glands import GlandStudySettings
    from qc.config.toml import load_settings
    from qc.downstream.glands.study import run_study

    for path in run_study(load_settings(GlandStudySettings, spec), root, out, report, portion):
        click.echo(f"written to {path}")


def _chosen(path: Path | None, mpp: float | None) -> Any:
    from qc.config.glands import GlandSettings
    from qc.config.toml import load_settings

    settings = load_settings(GlandSettings, path) if path else GlandSettings()
    if mpp is None:
        return settings
    return GlandSettings.model_validate({**settings.model_dump(), "image_mpp": mpp, "mpp": max(mpp, settings.mpp)})
