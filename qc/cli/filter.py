"""`qc filter`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qc.cli.options import AnyPath, ExistingFile, json_option, settings_option

if TYPE_CHECKING:
    from qc.cohort_table import Cohort
    from qc.config.filter import FilterSettings
    from qc.filtering.lesions import LesionLoss
    from qc.manifest import Manifest
    from qc.pipeline.filter_runs import Runs

_CLASSES = ("fold", "foreign", "pen", "bubble", "out_of_focus", "unassessed")
_RUN_ONLY = ("profile_name", "cohort_path", "only_cohort", "store_url")


@click.command("filter")
@click.argument("run_paths", metavar="[RUN]...", nargs=-1, type=AnyPath)
@click.option("--out", type=AnyPath, required=True, help="Manifest to write, a .parquet file.")
@click.option("--from", "from_path", type=AnyPath, help="Decide anew on the tiles of this manifest; no map is read.")
@click.option("--profile", "profile_name", help="Judge slides by this profile.  [default: the one in force]")
@click.option("--tile-px", type=click.IntRange(8), help="Side of a tile as the classifier gets it, pixels.")
@click.option("--tile-mpp", type=click.FloatRange(0, min_open=True), help="Micrometres per pixel of a tile.")
@click.option("--ignore", multiple=True, type=click.Choice(_CLASSES), help="Class that removes no tile; repeatable.")
@click.option("--cohort", "cohort_path", type=ExistingFile, help="CSV with slide, patient, label, clinical columns.")
@click.option("--only-cohort", is_flag=True, default=None, help="Leave out slides that the cohort table does not name.")
@settings_option
@click.option(
    "--store", "store_url", help="SQLAlchemy URL of the database with decisions; default is RUN/store.sqlite."
)
@click.option(
    "--ask/--no-ask",
    "asks",
    default=True,
    show_default=True,
    help="Ask people, in that database, to review slides of which almost nothing would be left.",
)
@click.option("--lesions", "lesion_folder", type=AnyPath, help="Folder with tumour outlines named like the slides.")
@click.option("--lesion-loss-max", type=click.FloatRange(0, 1), help="Share of a lesion that may be lost (0-1).")
@click.option("--allow-loss", is_flag=True, help="Write the manifest although a lesion loses more.")
@click.option("--pictures", "picture_folder", type=AnyPath, help="Folder for one PNG per slide with its tiles.")
@json_option
@click.pass_context
def filter_command(
    context: click.Context,
    run_paths: tuple[Path, ...],
    out: Path,
    from_path: Path | None,
    settings_path: Path | None,
    store_url: str | None,
    lesion_folder: Path | None,
    allow_loss: bool,
    asks: bool,
    picture_folder: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Choose the tiles that a classifier may see, from finished runs.

    Tiles lie in the middle of tissue. Those under artefacts and those of rejected slides are removed, each with the
    reason; a person's decision wins over the verdict. Slides of which almost nothing would be left go high up in the
    dashboard's worklist. Exit code 1 if no tile is left, 2 if too much annotated tumour would be lost.
    """
    from qc.cli.filter_table import print_filtered
    from qc.manifest import write_manifest
    from qc.pipeline.filter_outputs import check_lesions, unused_annotations, write_losses, write_pictures
    from qc.pipeline.filter_runs import read_runs
    from qc.pipeline.folder import RunFolder

    _check_usage(context, run_paths, from_path, out, picture_folder)
    runs = read_runs([RunFolder(path) for path in run_paths], store_url) if run_paths else None
    if from_path:
        manifest, settings = _from_manifest(from_path, runs, settings_path, options)
    else:
        manifest, settings = _from_runs(runs, settings_path, options)
    losses = check_lesions(manifest, lesion_folder, runs) if lesion_folder else []
    if lesion_folder and (unused := unused_annotations(manifest, lesion_folder)):
        click.echo(f"annotations of no slide here: {', '.join(unused)}", err=True)
    print_filtered(manifest, losses, settings.lesion_loss_max, as_json)
    if not allow_loss:
        _refuse(losses, settings)
    if runs and asks and not from_path:
        _ask(manifest, runs)
    write_manifest(manifest, out)
    if losses:
        write_losses(losses, settings.lesion_loss_max, out)
    if picture_folder and runs:
        write_pictures(manifest, runs, picture_folder)
    if not as_json:
        click.echo(f"written to {out}" + (f", pictures to {picture_folder}" if picture_folder else ""))
    if manifest.kept.empty:
        sys.exit(1)


def _check_usage(
    context: click.Context, runs: tuple[Path, ...], from_path: Path | None, out: Path, pictures: Path | None
) -> None:
    if pictures and not runs:
        raise click.UsageError("--pictures needs the runs: they keep the slides' overviews")
    if out.suffix != ".parquet":
        raise click.UsageError(f"--out {out} must end in .parquet")
    given = [name for name in _RUN_ONLY if context.params[name] is not None]
    if from_path and given:
        option = next(p.opts[0] for p in context.command.params if p.name == given[0])
        raise click.UsageError(f"{option} cannot go with --from: the manifest holds its outcome; filter the runs again")


def _over(options: dict[str, Any]) -> dict[str, Any]:
    """Options as settings."""
    over = {name: options[name] for name in ("ignore", "lesion_loss_max")}
    return over | {"tiles": {name: options[name] for name in ("tile_px", "tile_mpp")}}


def _from_manifest(
    path: Path, runs: "Runs | None", settings_path: Path | None, options: dict[str, Any]
) -> "tuple[Manifest, FilterSettings]":
    from qc.config.filter import FilterSettings, changed_settings
    from qc.filtering.build import refilter
    from qc.manifest import read_manifest
    from qc.pipeline.filter_runs import check_origin

    before = read_manifest(path)
    if runs:
        check_origin(before, runs)
    known = FilterSettings.model_validate(before.note.filter_settings)
    settings = changed_settings(known, settings_path, _over(options))
    return refilter(before, settings), settings


def _from_runs(
    runs: "Runs | None", settings_path: Path | None, options: dict[str, Any]
) -> "tuple[Manifest, FilterSettings]":
    from qc.cli.progress import counted
    from qc.cohort_table import read_cohort
    from qc.config.filter import changed_settings, filter_settings_for
    from qc.config.profile import load_profile
    from qc.pipeline.filter_runs import filter_runs

    if runs is None:
        raise click.UsageError("name a run, or a manifest with --from")
    profile = load_profile(options["profile_name"]) if options["profile_name"] else None
    name = (profile or runs.profile).name
    settings = changed_settings(filter_settings_for(name), settings_path, _over(options))
    cohort = read_cohort(options["cohort_path"]) if options["cohort_path"] else None
    if options["only_cohort"]:
        runs = _only_named(runs, cohort)
    with counted("choosing tiles", len(runs.records)) as advance:
        return filter_runs(runs, settings, profile, cohort, advance), settings


def _only_named(runs: "Runs", cohort: "Cohort | None") -> "Runs":
    from qc.pipeline.filter_runs import named_slides

    if cohort is None:
        raise click.UsageError("--only-cohort needs --cohort, the table that names the slides")
    named = named_slides(runs, cohort)
    click.echo(
        f"{len(runs.records) - len(named.records)} slides that the cohort table does not name left out", err=True
    )
    return named


def _ask(manifest: "Manifest", runs: "Runs") -> None:
    from qc.pipeline.filter_requests import ask_for_reviews
    from qc.store.people import local_admin

    changed = ask_for_reviews(manifest, runs, local_admin())
    for slides, said in ((changed.asked, "people are asked to review"), (changed.withdrawn, "no longer asked about")):
        if slides:
            click.echo(f"{said}: {', '.join(slides)}", err=True)


def _refuse(losses: "list[LesionLoss]", settings: "FilterSettings") -> None:
    from qc.errors import ManifestError
    from qc.filtering.lesions import refusal

    if sentence := refusal(losses, settings.lesion_loss_max):
        raise ManifestError(sentence, "change the limits, or pass --allow-loss")
