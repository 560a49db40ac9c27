"""`qc evaluate`."""

import tempfile
from pathlib import Path

import click

from qc.cli.evaluate_parts import domain, duplicates, tissue
from qc.cli.options import (
    AnyPath,
    ExistingFile,
    load_assess_settings,
    masks_option,
    named,
    profile_option,
    reference_option,
    settings_option,
)

biology_option = click.option(
    "--biology", "biology_path", type=ExistingFile, help="Table of views to look at apart (slide, views, biology)."
)

folds_option = click.option(
    "--folds", type=AnyPath, help="Folder of qc train; what shows a slide is judged by a fold that left it out."
)


@click.group()
def evaluate() -> None:
    """Measure the product against truth and write a report."""


for part in (tissue, domain, duplicates):
    evaluate.add_command(part)


@evaluate.command("phantoms")
@click.argument("cohort_path", metavar="COHORT", type=ExistingFile)
@click.option("--out", type=AnyPath, default=Path("reports/phantoms.md"), show_default=True, help="Report to write.")
@profile_option
@settings_option
def evaluate_phantoms_command(cohort_path: Path, out: Path, profile_name: str, settings_path: Path | None) -> None:
    """Assess the synthetic slides of a COHORT file and compare with their exact truth."""
    from qc.artefact.choose import artefact_stage
    from qc.config.profile import load_profile
    from qc.evaluate.phantom_report import phantoms_markdown
    from qc.evaluate.phantoms import PhantomResult, evaluate_phantoms
    from qc.files import write_text
    from qc.phantom import load_cohort

    settings, profile, cohort = (
        load_assess_settings(settings_path),
        load_profile(profile_name),
        load_cohort(cohort_path),
    )

    def tell(result: PhantomResult) -> None:
        click.echo(f"{result.name}: tissue Dice {result.tissue.dice:.3f}, clean Dice {result.clean.dice:.3f}")

    with tempfile.TemporaryDirectory() as folder:
        results = evaluate_phantoms(cohort, Path(folder), settings, profile, tell)
    stage = artefact_stage(settings).name
    command = f"qc evaluate phantoms datasets/{cohort_path.name}" + named("--settings", settings_path)
    write_text(out, phantoms_markdown(results, cohort.name, stage, profile.title, command))
    click.echo(f"written to {out}")


@evaluate.command("masks")
@click.argument("table_path", metavar="TABLE", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the table's paths start from.")
@folds_option
@click.option("--out", type=AnyPath, default=Path("reports/masks.md"), show_default=True, help="Report to write.")
@settings_option
def evaluate_masks_command(
    table_path: Path, root: Path, folds: Path | None, out: Path, settings_path: Path | None
) -> None:
    """Compare with images that have a mask, or outlines, of tissue or of one artefact (see datasets/README.md)."""
    from qc.artefact.choose import artefact_stage
    from qc.evaluate.folds import stage_by_slide
    from qc.evaluate.mask_report import masks_markdown
    from qc.evaluate.masks import evaluate_mask, read_table
    from qc.files import write_text

    settings = load_assess_settings(settings_path)
    judge = artefact_stage(settings)
    stage_of = stage_by_slide(folds, settings.artefact, judge)
    images = read_table(table_path, root)
    judges = [stage_of(one.slide) for one in images]  # a slide without a name is nobody's
    results = [evaluate_mask(one, settings, stage) for one, stage in zip(images, judges, strict=True)]
    command = f"qc evaluate masks datasets/{table_path.name} --data DATA" + (" --folds FOLDS" if folds else "")
    others = sorted({stage.name for stage in judges} - {judge.name})
    names = judge.name + "".join(f"; slides that it knows were judged by {name}" for name in others)
    write_text(out, masks_markdown(results, names, command + named("--settings", settings_path)))
    click.echo(f"written to {out}")


@evaluate.command("cells")
@click.argument("labels_path", metavar="LABELS", type=ExistingFile)
@click.option("--mpp", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="Of the views.")
@click.option("--cell-px", type=click.IntRange(1), default=256, show_default=True, help="Side of a cell in pixels.")
@biology_option
@click.option("--out", type=AnyPath, default=Path("reports/cells.md"), show_default=True, help="Report to write.")
@settings_option
def evaluate_cells_command(
    labels_path: Path, mpp: float, cell_px: int, biology_path: Path | None, out: Path, settings_path: Path | None
) -> None:
    """Compare with labelled cells of views cut from slides (columns slide, view, row, col, code)."""
    from qc.artefact.choose import artefact_stage
    from qc.evaluate.biology import read_biology
    from qc.evaluate.cell_report import cells_markdown
    from qc.evaluate.cells import evaluate_cells
    from qc.evaluate.folds import unseen_only
    from qc.files import write_text
    from qc.geometry import Mpp

    settings = load_assess_settings(settings_path)
    biology = read_biology(biology_path) if biology_path else []
    results = []
    stage = artefact_stage(settings)
    for cells in evaluate_cells(labels_path, Mpp(mpp), cell_px, settings, unseen_only(stage)):
        results.extend(cells)
        click.echo(f"{cells[0].slide}: {len(cells)} cells")
    command = f"qc evaluate cells DATA/{labels_path.parent.name}/{labels_path.name}" + named("--biology", biology_path)
    command += named("--settings", settings_path)
    write_text(out, cells_markdown(results, biology, stage.name, command))
    click.echo(f"written to {out}")


@evaluate.command("real")
@reference_option
@masks_option
@biology_option
@click.option("--out", type=AnyPath, default=Path("reports/validation.md"), show_default=True, help="Report to write.")
@folds_option
@click.option("--sheets", type=AnyPath, help="Folder for pictures of the worst cells; none are drawn without it.")
@click.option(
    "--notes", "notes_path", type=ExistingFile, help="Text about the figures, paragraphs between empty lines."
)
@settings_option
def evaluate_real_command(
    root: Path,
    masks_path: Path,
    biology_path: Path | None,
    out: Path,
    folds: Path | None,
    sheets: Path | None,
    notes_path: Path | None,
    settings_path: Path | None,
) -> None:
    """Measure on all real reference images: cells, masks, failed tiles, a soft slide, a focus series.

    Charts go to images/NAME beside the report NAME.md.
    """
    from qc.artefact.choose import artefact_stage
    from qc.evaluate.biology import read_biology
    from qc.evaluate.folds import stage_by_slide
    from qc.evaluate.real import evaluate_real
    from qc.evaluate.sheets import write_sheets
    from qc.evaluate.validation_report import charts, validation_markdown
    from qc.files import write_text

    biology = read_biology(biology_path) if biology_path else []
    settings = load_assess_settings(settings_path)
    judge = artefact_stage(settings)
    stage_of = stage_by_slide(folds, settings.artefact, judge)
    results = evaluate_real(root, masks_path, biology, settings, judge, stage_of, click.echo)
    images = out.parent / "images" / out.stem
    for name, svg in charts(results).items():
        write_text(images / name, svg)
    command = f"qc evaluate real --data DATA --masks datasets/{masks_path.name}" + named("--biology", biology_path)
    command += (" --folds FOLDS" if folds else "") + named("--notes", notes_path) + named("--settings", settings_path)
    notes = notes_path.read_text(encoding="utf-8").split("\n\n") if notes_path else []
    write_text(out, validation_markdown(results, command, images.relative_to(out.parent).as_posix(), notes))
    click.echo(f"written to {out}")
    if sheets:
        for path in write_sheets(results.cells, root, sheets):
            click.echo(path)
