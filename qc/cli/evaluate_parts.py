"""`qc evaluate` of single parts: how tissue is found, the domain gate, near-duplicates."""

from pathlib import Path

import click

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


@click.command("tissue")
@click.argument("cohort_path", metavar="COHORT", type=ExistingFile)
@reference_option
@masks_option
@click.option("--network", default="tissue-1", show_default=True, help="A tissue network to measure beside the rules.")
@click.option("--out", type=AnyPath, default=Path("reports/tissue.md"), show_default=True, help="Report to write.")
@settings_option
def tissue(
    cohort_path: Path, root: Path, masks_path: Path, network: str, out: Path, settings_path: Path | None
) -> None:
    """Measure how tissue is found: masks drawn by people, the phantoms of a COHORT, ink, labelled cells."""
    from qc.evaluate.tissue_real import measure_tissue
    from qc.files import write_text
    from qc.phantom import load_cohort

    asked = load_assess_settings(settings_path).tissue
    finders = [asked.model_copy(update={"network": name}) for name in dict.fromkeys(("", network))]
    command = f"qc evaluate tissue datasets/{cohort_path.name} --data DATA{named('--masks', masks_path)}"
    write_text(out, measure_tissue(root, masks_path, load_cohort(cohort_path), finders, command, click.echo))
    click.echo(f"written to {out}")


@click.command("domain")
@click.argument("sources_path", metavar="SOURCES", type=ExistingFile)
@click.option("--data", "root", type=AnyPath, required=True, help="Folder that the sources' paths start from.")
@click.option("--out", type=AnyPath, default=Path("reports/domain.md"), show_default=True, help="Report to write.")
@profile_option
def domain(sources_path: Path, root: Path, out: Path, profile_name: str) -> None:
    """Measure the domain gate with slides that should lie inside and outside (datasets/domain-sources.toml)."""
    from qc.config.domain import DomainSources
    from qc.config.profile import load_profile
    from qc.config.toml import load_settings
    from qc.config.training import AugmentSettings
    from qc.domain.reference import packaged_reference
    from qc.evaluate.domain import evaluate_domain
    from qc.evaluate.domain_report import domain_markdown
    from qc.files import write_text
    from qc.nets.augment import Augmentation

    sources, reference = load_settings(DomainSources, sources_path), packaged_reference()
    limit = load_profile(profile_name).domain_distance_max
    cases = evaluate_domain(sources, root, reference, Augmentation(AugmentSettings()).look, click.echo)
    command = f"qc evaluate domain datasets/{sources_path.name} --data DATA"
    write_text(out, domain_markdown(cases, reference, limit, sources.note, command))
    click.echo(f"written to {out}")


@click.command("duplicates")
@reference_option
@click.option(
    "--out", type=AnyPath, default=Path("reports/near-duplicates.md"), show_default=True, help="Report to write."
)
def duplicates(root: Path, out: Path) -> None:
    """Measure how far altered copies of real overviews and other slides lie apart."""
    from qc.config.split import SplitSettings
    from qc.evaluate.duplicates import evaluate_duplicates
    from qc.evaluate.duplicates_report import duplicates_markdown
    from qc.files import write_text

    measured = evaluate_duplicates(root, click.echo)
    limit = SplitSettings.model_fields["duplicate_bits"].default
    write_text(out, duplicates_markdown(measured, limit, "qc evaluate duplicates --data DATA"))
    click.echo(f"written to {out}")
