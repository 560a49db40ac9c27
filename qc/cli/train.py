"""`qc train`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath, ExistingFile


@click.group()
def train() -> None:
    """Train networks on slides, views and annotations; ends with weights, a card and pictures of how it went."""


@train.command("artefact")
@click.argument("config_path", metavar="CONFIG", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the sources' paths start from.")
@click.option("--out", type=AnyPath, required=True, help="Folder for weights, card and pictures; resumed if it exists.")
@click.option("--tiles", type=AnyPath, default=None, help="Folder for the drawn tiles.  [default: OUT/tiles]")
@click.option("--part", default=None, help="Train one part alone and stop: fold-0, fold-1, ... or all.")
@click.option("--accelerator", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True)
@click.option("--devices", default="auto", show_default=True, help="How many GPUs.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that read tiles.")
@click.option(
    "--throw-away", is_flag=True, help="Allow sources that may only be measured on; weights are not to share."
)
def train_artefact_command(
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
    """Train the artefact network that a CONFIG file describes."""
    from qc.artefact.training import plan_sources
    from qc.cli.progress import portion
    from qc.config.toml import load_settings
    from qc.config.train import TrainSettings
    from qc.config.training import TrainingSources
    from qc.train.bank import draw_bank
    from qc.train.fit import Machine
    from qc.train.run import ARTEFACT_OUTPUTS, Job, train_part
    from qc.train.run import train as run

    settings = load_settings(TrainSettings, config_path)
    sources_path = config_path.parent / settings.sources
    planned = plan_sources(load_settings(TrainingSources, sources_path), root, throw_away, sources_path.parent)
    with portion("tiles") as tell:
        bank = draw_bank(planned, settings, tiles or out / "tiles", max(1, workers), tell)
    machine = Machine(accelerator, int(devices) if devices.isdecimal() else devices, workers)
    job = Job("artefact", ARTEFACT_OUTPUTS, settings, planned, bank, out, machine, click.echo)
    if part is not None:
        train_part(job, part)
        return
    card = run(job)
    for name, value in card.figures.items():
        click.echo(f"{name}: {value}")
    click.echo(f"written to {out}")
