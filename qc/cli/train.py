"""`qc train`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from qc.cli.options import AnyPath, ExistingFile


@click.group()
def train() -> None:
    """Train networks on slides, views and annotations; ends with weights, a card and pictures of how it went."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What both trainings are told."""
    for option in reversed(
        [
            click.argument("config_path", metavar="CONFIG", type=ExistingFile),
            click.option(
                "--data", "root", type=AnyPath, required=True, help="Folder that the sources' paths start from."
            ),
            click.option(
                "--out",
                type=AnyPath,
                required=True,
                help="Folder for weights, card and pictures; resumed if it exists.",
            ),
            click.option(
                "--tiles", type=AnyPath, default=None, help="Folder for the drawn tiles.  [default: OUT/tiles]"
            ),
            click.option("--part", default=None, help="Train one part alone and stop: fold-0, fold-1, ... or all."),
            click.option("--accelerator", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True),
            click.option("--devices", default="auto", show_default=True, help="How many GPUs."),
            click.option(
                "--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that read tiles."
            ),
            click.option(
                "--throw-away",
                is_flag=True,
                help="Allow sources that may only be measured on; the weights are not to be shared.",
            ),
        ]
    ):
        command = option(command)
    return command


@train.command("artefact")
@_options
def train_artefact_command(**told: Any) -> None:
    """Train the artefact network that a CONFIG file describes."""
    from qc.train.artefact import artefact_job

    _run(artefact_job, **told)


@train.command("tissue")
@_options
def train_tissue_command(**told: Any) -> None:
    """Train the tissue network that a CONFIG file describes."""
    from qc.train.tissue import tissue_job

    _run(tissue_job, **told)


@train.command("domain")
@click.argument("sources_path", metavar="SOURCES", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the sources' paths start from.")
@click.option("--out", type=AnyPath, required=True, help="JSON file to write.")
def train_domain_command(sources_path: Path, root: Path, out: Path) -> None:
    """Describe the colours of the training slides, so that slides that lie outside them go to review."""
    from qc.config.training import AugmentSettings
    from qc.domain.fit import fit
    from qc.nets.augment import Augmentation
    from qc.version import __version__

    settings = AugmentSettings()
    fit(sources_path, root, out, Augmentation(settings).look, settings.model_dump_json(), __version__)
    click.echo(f"written to {out}")


@train.command("quantise")
@click.argument("folder", type=AnyPath)
@click.option("--tiles", type=AnyPath, required=True, help="Tiles that a training kept.")
@click.option(
    "--count",
    type=click.IntRange(2),
    default=128,
    show_default=True,
    help="Tiles that ranges are taken from; as many others are compared.",
)
@click.option("--adopt", is_flag=True, help="Let the network's card speak of the result, so that it may be run.")
def train_quantise_command(folder: Path, tiles: Path, count: int, adopt: bool) -> None:
    """Write a quicker form of a network in 8 bits into its FOLDER, and say how far the two agree."""
    from qc.nets.quantise import adopt as adopt_rounded
    from qc.train.quantise import quantise_network

    rounded = quantise_network(folder, tiles, count)
    agreed = rounded.agreement
    click.echo(f"cells called the same: {agreed.share:.4f} of {agreed.cells}")
    click.echo(f"likewise where either calls an artefact: {agreed.called_share:.4f} of {agreed.called}")
    click.echo(f"mean absolute difference of suspicion: {agreed.mean_difference:.4f}")
    click.echo(f"speed: {rounded.speed:.2f} x")
    if adopt:
        adopt_rounded(folder)
    click.echo(f"{'adopted' if adopt else 'written, not adopted'}: {rounded.path}")


def _run(
    job_of: Callable[..., Any],
    config_path: Path,
    root: Path,
    out: Path,
    tiles: Path | None,
    part: str | None,
    accelerator: str,
    devices: str,
    workers: int,
    throw_away: bool,
) -> None:
    from qc.cli.progress import portion
    from qc.train.fit import Machine
    from qc.train.run import train as run
    from qc.train.run import train_part

    machine = Machine(accelerator, int(devices) if devices.isdecimal() else devices, workers)
    with portion("tiles") as tell:
        job = job_of(config_path, root, out, tiles or out / "tiles", machine, throw_away, click.echo, tell)
    if part is not None:
        train_part(job, part)
        return
    card = run(job)
    for name, value in card.figures.items():
        click.echo(f"{name}: {value}")
    click.echo(f"written to {out}")
