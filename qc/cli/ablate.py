"""`qc ablate`."""

from pathlib import Path

import click

from qc.cli.options import AnyPath, ExistingFile


@click.command()
@click.argument("config_path", metavar="CONFIG", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the sources' paths start from.")
@click.option("--out", type=AnyPath, required=True, help="Folder for runs and pictures; resumed if it exists.")
@click.option("--report", type=AnyPath, default=Path("reports/ablation.md"), show_default=True, help="Report to write.")
@click.option("--tiles", type=AnyPath, default=None, help="Folder for the drawn tiles.  [default: OUT/tiles]")
@click.option("--noise", "with_noise", is_flag=True, help="Train with each of the file's kinds of label noise too.")
@click.option("--accelerator", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that read tiles.")
def ablate(
    config_path: Path,
    root: Path,
    out: Path,
    report: Path,
    tiles: Path | None,
    with_noise: bool,
    accelerator: str,
    workers: int,
) -> None:
    """Find out which choices around a network matter: sampling, output, resolution, size, labels.

    Short trainings that differ in one choice of the CONFIG file (datasets/ablation.toml) are judged on the same
    slides. The chart goes to images/NAME beside the report NAME.md, pictures of predictions to OUT.
    """
    from qc.ablate.experiment import ablation, plan_experiment, write_ablation
    from qc.cli.progress import counted, portion
    from qc.config.ablate import AblateSettings
    from qc.config.toml import load_settings
    from qc.train.fit import Machine

    settings = load_settings(AblateSettings, config_path)
    machine = Machine(accelerator, 1, workers, quiet=True)
    with portion("tiles") as tell:
        experiment = plan_experiment(settings, config_path.parent, root, tiles or out / "tiles", out, machine, tell)
    results = []
    planned = ablation(experiment, with_noise, click.echo)
    with counted("runs", len(planned)) as finished:
        for run in planned:
            results.append(run())
            finished()
    command = f"qc ablate datasets/{config_path.name} --data DATA --out OUT" + (" --noise" if with_noise else "")
    for path in write_ablation(results, experiment, command, report):
        click.echo(f"written to {path}")
