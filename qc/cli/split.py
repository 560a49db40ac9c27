"""`qc split`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qc.cli.options import AnyPath, ExistingFile, json_option

if TYPE_CHECKING:
    from qc.cohort.likeness import Likeness
    from qc.cohort.overviews import SeenSlide
    from qc.cohort.split import Split

_EXIT_LEAKS = 1


@click.command()
@click.argument("table_path", metavar="TABLE", type=ExistingFile)
@click.option("--folds", type=click.IntRange(2), help="Folds of all patients that are not held out.")
@click.option("--hold-out", default="", metavar="NAME=SHARE,...", help="Parts to hold out: test=0.2,validation=0.1.")
@click.option(
    "--stratify", default="", metavar="COLUMN[:BINS],...", help="Columns alike in all parts: label,age:4 (quantiles)."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Other seeds deal otherwise.")
@click.option("--slides", type=AnyPath, multiple=True, help="Run, slide or folder: near-duplicates are looked for.")
@click.option("--merge-duplicates", is_flag=True, help="Keep patients together whose slides are near-duplicates.")
@click.option("--duplicate-bits", type=click.IntRange(0), help="Hash bits of 256 by which near-duplicates may differ.")
@click.option("--out", type=AnyPath, default=Path("splits.csv"), show_default=True, help="Split to write.")
@click.option("--manifest", "manifest_path", type=ExistingFile, help="Manifest whose split column is filled.")
@click.option("--out-manifest", type=AnyPath, help="Where to write it; by default over --manifest.")
@click.option("--verify", "is_check", is_flag=True, help="Write nothing: look for leaks in TABLE, a split or manifest.")
@click.option("--cohort", "cohort_path", type=ExistingFile, help="Whose slides they are, with --verify.")
@json_option
def split(
    table_path: Path,
    folds: int | None,
    hold_out: str,
    stratify: str,
    seed: int,
    slides: tuple[Path, ...],
    merge_duplicates: bool,
    duplicate_bits: int | None,
    out: Path,
    manifest_path: Path | None,
    out_manifest: Path | None,
    is_check: bool,
    cohort_path: Path | None,
    as_json: bool,
) -> None:
    """Deal patients into folds or held-out parts, or verify that nothing is in two of them.

    TABLE is a cohort table (CSV: slide, patient, label, clinical columns) or a manifest (Parquet).
    With --verify exit code 1 if a patient, slide or near-duplicate is in two parts.
    """
    from qc.cohort.files import cohort_of, filled, write_split
    from qc.cohort.overviews import compared
    from qc.cohort.split import plan_split
    from qc.cohort_table import read_cohort
    from qc.manifest import read_manifest, write_manifest

    if is_check:
        _verify(table_path, cohort_path, slides, duplicate_bits, as_json)
        return
    if out_manifest and not manifest_path and table_path.suffix != ".parquet":
        raise click.UsageError("--out-manifest needs --manifest, the manifest to fill")
    settings = _settings(folds, hold_out, stratify, seed, merge_duplicates, duplicate_bits)
    if table_path.suffix == ".parquet":
        manifest_path = manifest_path or (table_path if out_manifest else None)
        cohort = cohort_of(read_manifest(table_path))
    else:
        cohort = read_cohort(table_path)
    pairs, fingerprints = compared(_seen(slides), cohort, settings.duplicate_bits)
    plan = plan_split(cohort, settings, pairs, fingerprints)
    if manifest_path:  # first, because it can fail
        write_manifest(filled(read_manifest(manifest_path), cohort, plan.part_of), out_manifest or manifest_path)
    others = write_split(plan, settings, out)
    _show(plan, settings, as_json)
    if not as_json:
        click.echo(_compared_how(len(cohort.slides), len(fingerprints)))
        click.echo(f"written to {out}, {others[0]}, {others[1]}")


def _settings(folds: int | None, hold_out: str, stratify: str, seed: int, merge: bool, bits: int | None) -> Any:
    from pydantic import ValidationError

    from qc.config.split import SplitSettings, StratifySpec
    from qc.config.toml import first_problem

    try:
        given = {
            "folds": folds or 0,
            "hold_out": {k.strip(): float(v) for k, _, v in (one.partition("=") for one in _listed(hold_out))},
            "stratify": [StratifySpec.parse(one) for one in _listed(stratify)],
            "seed": seed,
            "merge_duplicates": merge,
        }
        return SplitSettings.model_validate(given | ({} if bits is None else {"duplicate_bits": bits}))
    except ValidationError as error:
        raise click.UsageError(first_problem(error)) from error
    except ValueError as error:
        raise click.UsageError(f"--hold-out is NAME=SHARE,... and --stratify COLUMN[:BINS],... ({error})") from error


def _listed(text: str) -> list[str]:
    return [one for one in text.split(",") if one.strip()]


def _compared_how(slides: int, seen: int) -> str:
    if not seen:
        return "near-duplicates were not looked for: pass --slides"
    return f"near-duplicates were looked for among {seen} of {slides} slides"


def _seen(paths: tuple[Path, ...]) -> "list[SeenSlide]":
    """Slides under `paths`, looked at; those that cannot be are named on standard error."""
    from qc.cli.progress import counted
    from qc.cohort.overviews import see_file, see_record
    from qc.errors import SlideError
    from qc.pipeline.folder import RunFolder, open_run
    from qc.slide.files import find_slides

    if not paths:
        return []
    runs = [open_run(path) for path in paths if RunFolder(path).note.exists()]
    files = [path for path in paths if not RunFolder(path).note.exists()]
    tasks: list[Any] = [
        lambda record=record, run=run: see_record(record, run.slide(record.stamp.slide_id).overview)
        for run in runs
        for record in run.records()
    ]
    tasks += [lambda file=file: see_file(file) for file in (find_slides(files) if files else [])]
    seen = []
    with counted("overviews", len(tasks)) as step:
        for look in tasks:
            try:
                seen.append(look())
            except SlideError as error:
                click.echo(f"not compared: {error}", err=True)
            step()
    return seen


def _show(plan: "Split", settings: Any, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from qc.cohort.files import as_json as split_as_json

    if as_json:
        click.echo(json.dumps(split_as_json(plan, settings), indent=2))
        return
    parts = list(settings.parts)
    cells = {(row.column, row.value, row.part): row for row in plan.balance}
    table = Table("what", *(Column(part, justify="right") for part in parts), pad_edge=False)
    for column, value in dict.fromkeys((row.column, row.value) for row in plan.balance):
        table.add_row(f"{column} {value}".strip(), *(_cell(cells[column, value, part]) for part in parts))
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    console.print(table)
    console.print("shares and means of patients; in brackets the standardised difference from all other patients")
    click.echo(_likeness(plan.likeness))
    for note in plan.notes:
        click.echo(f"note: {note}")


def _likeness(found: "Likeness") -> str:
    if not found.where:
        return "the parts cannot be compared: nothing varies in them, or nothing is known"
    return (
        f"largest difference in {', '.join(found.columns)}: {found.largest:.2f} standard deviations ({found.where}); "
        f"at random {found.random_median:.2f} (median of {found.draws} draws)"
    )


def _cell(row: Any) -> str:
    if row.column in ("patients", "slides"):
        return str(row.count)
    amount = f"{row.amount:.0%}" if row.value else f"{row.amount:.3g}"
    return f"{amount} ({row.smd:+.2f})"


def _verify(path: Path, cohort_path: Path | None, slides: tuple[Path, ...], bits: int | None, as_json: bool) -> None:
    from dataclasses import asdict

    from qc.cohort.files import read_placed
    from qc.cohort.verify import find_leaks, with_cohort, with_seen
    from qc.cohort_table import read_cohort
    from qc.config.split import SplitSettings

    placed = read_placed(path)
    if cohort_path:
        placed = with_cohort(placed, read_cohort(cohort_path))
    if slides:
        limit = SplitSettings.model_fields["duplicate_bits"].default if bits is None else bits
        placed = with_seen(placed, _seen(slides), limit)
    leaks = find_leaks(placed)
    if as_json:
        click.echo(json.dumps([asdict(leak) for leak in leaks], indent=2))
    else:
        for leak in leaks:
            click.echo(leak.sentence)
        parts = sorted({one.part for one in placed if one.part})
        names = {one.slide for one in placed}
        click.echo(f"{path}: {len(names)} slides in {len(parts)} parts, {len(leaks) or 'no'} leaks")
        click.echo(_compared_how(len(names), len({one.slide for one in placed if one.fingerprint})))
    if leaks:
        sys.exit(_EXIT_LEAKS)
