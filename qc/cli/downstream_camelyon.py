"""`qc downstream camelyon`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from qc.cli.options import AnyPath, ExistingFile, jobs_option, json_option

if TYPE_CHECKING:
    from qc.config.metastasis import MetastasisStudySettings

_out = click.option("--out", type=AnyPath, required=True, help="Folder for everything made; resumed if it exists.")


class _Task(click.Group):
    """A group that takes what is none of its commands for the manifest of `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        if args and args[0] not in self.commands and not set(args) & {"-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Task, subcommand_metavar="MANIFEST | COMMAND [ARGS]...")
def camelyon() -> None:
    """Find metastases in lymph nodes and stage patients, as in CAMELYON16 and CAMELYON17.

    `qc downstream camelyon MANIFEST` is short for `qc downstream camelyon run MANIFEST`.
    """


@camelyon.command()
@click.argument("manifest", type=ExistingFile)
@click.option(
    "--annotations", type=AnyPath, required=True, help="Folder with outlines of lesions, named like the slides."
)
@_out
@click.option("--settings", "settings_path", type=ExistingFile, help="TOML file (docs/downstream-metastasis.md).")
@click.option("--run", "run_path", type=AnyPath, help="Run whose dashboard is to show the heat maps.")
def run(manifest: Path, annotations: Path, out: Path, settings_path: Path | None, run_path: Path | None) -> None:
    """Train a network on tiles, draw heat maps, label slides, stage patients, and write a report.

    Three times: without the quality filter, with it at inference, with it at training and inference.
    """
    from qc.cli.progress import counted
    from qc.config.metastasis import MetastasisSettings
    from qc.config.toml import load_settings
    from qc.downstream.metastasis.run import read_task, run_task
    from qc.downstream.metastasis.task import steps

    settings = load_settings(MetastasisSettings, settings_path) if settings_path else MetastasisSettings()
    task = read_task(manifest, annotations, settings, out)
    with counted("slides and trainings", steps(task)) as tell:
        paths = run_task(task, manifest, tell)
    if run_path:
        _show(out / "heat", run_path)
    for path in paths:
        click.echo(f"written to {path}")


@camelyon.command()
@click.argument("labels", type=ExistingFile)
@json_option
def stage(labels: Path, as_json: bool) -> None:
    """Stage patients from the labels of their nodes, by the rules of CAMELYON17.

    LABELS is a CSV as the challenge writes it, with columns patient and stage: patient_000_node_0.tif,micro. Where it
    states stages too (patient_000.zip,pN1mi), they are compared; exit code 1 if one differs.
    """
    import json
    import math
    import sys

    from qc.downstream.metastasis.labels_file import agreement, read_labels

    patients = read_labels(labels)
    right, stated, kappa = agreement(patients)
    rows = [
        {"patient": one.name, "nodes": [str(x) for x in one.labels], "stage": str(one.stage), "stated": one.stated}
        for one in patients
    ]
    if as_json:
        whole = {"patients": rows, "stated": stated, "right": right, "kappa": None if math.isnan(kappa) else kappa}
        click.echo(json.dumps(whole, indent=2))
    else:
        for one in rows:
            differs = f"  (stated {one['stated']})" if one["stated"] not in (None, one["stage"]) else ""
            click.echo(f"{one['patient']}  {one['stage']:8}  {' '.join(one['nodes'])}{differs}")
        click.echo(f"{len(rows)} patients" + (f", {right} of {stated} as stated, kappa {kappa:.3f}" if stated else ""))
    sys.exit(int(right < stated))


@camelyon.command()
@click.argument("spec", type=ExistingFile)
@_out
@jobs_option
@click.option(
    "--report",
    type=AnyPath,
    default=Path("reports/downstream-metastasis.md"),
    show_default=True,
    help="Report to write.",
)
@click.option(
    "--manifest", type=ExistingFile, help="What `qc downstream camelyon slides` wrote; no slide is made or assessed."
)
def study(spec: Path, out: Path, jobs: int, report: Path, manifest: Path | None) -> None:
    """Run the study of SPEC from slides to stages and write its report (datasets/metastasis-study.toml)."""
    from qc.cli.progress import counted
    from qc.downstream.metastasis.run import read_task, run_study
    from qc.downstream.metastasis.task import steps

    settings = _study_settings(spec)
    manifest = manifest or _slides(spec, settings, out, jobs)
    task = read_task(manifest, manifest.parent / "slides", settings.task, out / "task")
    with counted("slides and trainings", steps(task)) as tell:
        paths = run_study(task, manifest, settings, report, tell)
    _show(out / "task" / "heat", manifest.parent / "run")
    for path in paths:
        click.echo(f"written to {path}")


@camelyon.command()
@click.argument("spec", type=ExistingFile)
@_out
@jobs_option
def slides(spec: Path, out: Path, jobs: int) -> None:
    """Make the study's slides: draw lymph nodes with metastases and artefacts, assess them, filter them.

    SPEC is that of the study (datasets/metastasis-study.toml).
    """
    click.echo(f"written to {_slides(spec, _study_settings(spec), out, jobs)}")


def _study_settings(spec: Path) -> "MetastasisStudySettings":
    from qc.config.metastasis import MetastasisStudySettings
    from qc.config.toml import load_settings

    return load_settings(MetastasisStudySettings, spec)


def _slides(spec: Path, settings: "MetastasisStudySettings", out: Path, jobs: int) -> Path:
    """`manifest.parquet` with what each lesion loses to the filter beside it; what is there is not made again."""
    from qc.cli.options import load_assess_settings
    from qc.cli.progress import RunProgress, counted
    from qc.cohort_table import read_cohort
    from qc.config.filter import changed_settings, filter_settings_for
    from qc.config.profile import load_profile
    from qc.demo import write_missing
    from qc.downstream.metastasis.cohort import cohort_csv, phantom_cohort
    from qc.files import write_text
    from qc.manifest import write_manifest
    from qc.pipeline.filter_outputs import check_lesions, write_losses
    from qc.pipeline.filter_runs import filter_runs, read_runs
    from qc.pipeline.folder import RunFolder
    from qc.pipeline.run import assess_many
    from qc.slide.files import find_slides

    cohort = phantom_cohort(settings.cohort)
    with counted("drawing slides", len(cohort.slides)) as advance:
        paths = write_missing(cohort, out.resolve() / "slides", advance)
    run = RunFolder(out / "run")
    profile = load_profile(_beside(spec, settings.profile) if settings.profile.endswith(".toml") else settings.profile)
    how = load_assess_settings(Path(_beside(spec, settings.assess)) if settings.assess else None)
    with RunProgress(len(paths)) as progress:
        assess_many(find_slides(paths), run, how, profile, progress, jobs)
    write_text(out / "cohort.csv", cohort_csv(settings.cohort))
    chosen = Path(_beside(spec, settings.filter)) if settings.filter else None
    filters = changed_settings(filter_settings_for(profile.name), chosen)
    runs = read_runs([run])
    with counted("choosing tiles", len(runs.records)) as advance:
        manifest = filter_runs(runs, filters, cohort=read_cohort(out / "cohort.csv"), tell=advance)
    parts = dict(zip(manifest.slides["slide_id"], manifest.slides["part"], strict=True))
    write_manifest(manifest.with_splits(parts), out / "manifest.parquet")
    write_losses(check_lesions(manifest, out / "slides", runs), filters.lesion_loss_max, out / "manifest.parquet")
    return out / "manifest.parquet"


def _show(heat: Path, run: Path) -> None:
    """Lay the heat maps where the dashboard looks for overlays."""
    from qc.files import replacing
    from qc.pipeline.folder import open_run

    folder = open_run(run)
    for path in sorted(heat.glob("*.png")):
        if folder.slide(path.stem).record_json.is_file():
            with replacing(folder.slide(path.stem).heat("metastasis")) as partial:
                partial.write_bytes(path.read_bytes())


def _beside(spec: Path, name: str) -> str:
    return str(spec.parent / name)
