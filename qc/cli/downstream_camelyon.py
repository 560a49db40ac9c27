"""`qc downstream camelyon`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from qc.cli.options import AnyPath, ExistingFile, jobs_option

if TYPE_CHECKING:
    from qc.config.metastasis import MetastasisStudySettings

_out = click.option("--out", type=AnyPath, required=True, help="Folder for everything made; resumed if it exists.")


@click.group()
def camelyon() -> None:
    """Find metastases in lymph nodes and stage patients, as in CAMELYON16 and CAMELYON17."""


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


def _beside(spec: Path, name: str) -> str:
    return str(spec.parent / name)
