"""The generated blocks of docs/*.md: settings, records, columns, classes and commands, from the code itself.

A page holds `<!-- generated: NAME -->` ... `<!-- end -->`; what stands between is replaced, the rest is prose.
`generate.py --write` brings the pages up to date, `generate.py --check` says which are not.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from qc.cli.main import cli
from qc.config.ablate import AblateSettings, JudgeSettings, LevelSettings, NoiseSpec, PointSettings
from qc.config.assess import AssessSettings
from qc.config.domain import DomainSource, DomainSources
from qc.config.downstream import (
    ArtefactStudySettings,
    BlurStudySettings,
    ClassifierSettings,
    CompareSettings,
    DownstreamSettings,
    FitSettings,
    SheetSpec,
    SheetsSettings,
    StainSettings,
    StudySettings,
)
from qc.config.filter import FilterSettings
from qc.config.glands import (
    GlandFitSettings,
    GlandSettings,
    GlandStudySettings,
    InstanceSettings,
    PublishedFigures,
    UnetSettings,
)
from qc.config.lymphocytosis import (
    ArmSettings,
    AttentionMilSettings,
    AutoEncoderSettings,
    BagFitSettings,
    BoostedSettings,
    BoostingSettings,
    CellSettings,
    CellTypeSettings,
    DeepMilSettings,
    FeatureSettings,
    InstanceMilSettings,
    JointSettings,
    LymphocytosisSettings,
    LymphocytosisStudySettings,
    MiSvmSettings,
    OneClassSvmSettings,
    PaceSettings,
    PixelSettings,
    PooledSettings,
    PseudoLabelSettings,
    QualitySettings,
    SelectSettings,
    TableSettings,
    VoteSettings,
)
from qc.config.metastasis import (
    HeatSettings,
    LabelModelSettings,
    MetastasisSettings,
    MetastasisStudySettings,
    NodeCohortSettings,
    NodePattern,
    TileLabelSettings,
)
from qc.config.profile import Limits, Profile, load_profile, profile_names
from qc.config.tissue_training import (
    Correction,
    OverviewSpec,
    PhantomDraws,
    TissueComposeSettings,
    TissueTrainingSources,
    TrustSettings,
)
from qc.config.train import NetworkSettings, OperatingSettings, OptimiserSettings, SamplingSettings, TrainSettings
from qc.config.training import AugmentSettings, ComposeSettings, LabelNoiseSettings, SourceSpec, TrainingSources
from qc.exchange.tables import columns
from qc.labels import ArtefactClass
from qc.manifest import SLIDE_COLUMNS, TILE_COLUMNS, ManifestNote
from qc.phantom.spec import ArtefactSpec, CohortSpec, FollicleSpec, LesionSpec, PhantomSpec, ScannerSpec
from qc.pipeline.folder import RunNote
from qc.record import Assessed, ClassCoverage, Failed, FindingRow, Stamp
from qc.store.schema import Base

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
HELP_WIDTH = 100
COLUMNS_OF_TABLES = {
    "verdict": "usable, review, reject or unassessed.",
    "reason_code": "Stable short code of the reason; empty for an assessed slide.",
    "artefact_share": "Share of tissue (0-1): all artefact classes together.",
}


def rendered(page: str) -> str:
    """A page with all its blocks made anew.

    Raises:
        KeyError: If the page names a block that does not exist.
    """
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", page)


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, with the words one types."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


def _classes() -> str:
    header = ("id", "class", "in files", "colour", "remedy")
    rows = [(str(int(c)), c.label, f"`{c.name.lower()}`", _hex(c.colour), c.remedy or "-") for c in ArtefactClass]
    return _table(header, rows)


def _settings() -> str:
    groups = AssessSettings.model_fields.items()
    return "\n\n".join(f"### `[{name}]`\n\n{_group(field.annotation)}" for name, field in groups)


def _cohorts() -> str:
    groups = {
        "A cohort": CohortSpec,
        "`[[slides]]`": PhantomSpec,
        "`artefacts`": ArtefactSpec,
        "`follicles`": FollicleSpec,
        "`lesions`": LesionSpec,
        "`scanner`": ScannerSpec,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _training() -> str:
    groups = {
        "A training": TrainSettings,
        "`[network]`": NetworkSettings,
        "`[sampling]`": SamplingSettings,
        "`[optimiser]`": OptimiserSettings,
        "`[operating]`": OperatingSettings,
        "A sources file": TrainingSources,
        "`[[sources]]`": SourceSpec,
        "`[compose]`": ComposeSettings,
        "`[augment]`": AugmentSettings,
        "`[noise]`": LabelNoiseSettings,
        "A sources file of tissue networks": TissueTrainingSources,
        "its `[[sources]]`": OverviewSpec,
        "its `[[corrections]]`": Correction,
        "its `[trust]`": TrustSettings,
        "its `[phantoms]`": PhantomDraws,
        "`[overview]` of a training": TissueComposeSettings,
        "A sources file of the domain gate": DomainSources,
        "`[[sources]]` of the domain gate": DomainSource,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _ablation() -> str:
    groups = {
        "An ablation": AblateSettings,
        "`[base]`": PointSettings,
        "`[levels]`": LevelSettings,
        "`[test]`": JudgeSettings,
        "`[[noise]]`": NoiseSpec,
        "`[networks.NAME]`": NetworkSettings,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _downstream() -> str:
    groups = {
        "An experiment": DownstreamSettings,
        "`[classifier]`": ClassifierSettings,
        "`[classifier.stain]`": StainSettings,
        "`[classifier.fit]`": FitSettings,
        "`[compare]`": CompareSettings,
        "Sheets of loose tiles": SheetsSettings,
        "`[[sheets]]`": SheetSpec,
        "The follicular study": StudySettings,
        "`[phantoms]`": ArtefactStudySettings,
        "`[real]`": BlurStudySettings,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _glands() -> str:
    groups = {
        "A model": GlandSettings,
        "`[network]`": UnetSettings,
        "`[fit]`": GlandFitSettings,
        "`[instances]`": InstanceSettings,
        "A study": GlandStudySettings,
        "`[[published]]`": PublishedFigures,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _metastasis() -> str:
    groups = {
        "The task": MetastasisSettings,
        "`[labels]`": TileLabelSettings,
        "`[heat]`": HeatSettings,
        "`[slides]`": LabelModelSettings,
        "The study": MetastasisStudySettings,
        "`[cohort]`": NodeCohortSettings,
        "its `patterns`": NodePattern,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _lymphocytosis() -> str:
    groups = {
        "A model file": LymphocytosisSettings,
        "`[cells]`": CellSettings,
        "`[quality]`": QualitySettings,
        "`[model]` of kind pooled": PooledSettings,
        "`[model]` of kind attention_mil": AttentionMilSettings,
        "`[model]` of kind deep_mil": DeepMilSettings,
        "`joint` of deep_mil": JointSettings,
        "`[model]` of kind instance_mil": InstanceMilSettings,
        "`[model]` of kind mi_svm": MiSvmSettings,
        "`[model]` of kind one_class_svm": OneClassSvmSettings,
        "`[model]` of kind pseudo_labels": PseudoLabelSettings,
        "`[model]` of kind boosted": BoostedSettings,
        "`[model]` of kind vote": VoteSettings,
        "`[model]` of kind select": SelectSettings,
        "`features`": FeatureSettings,
        "`autoencoder`": AutoEncoderSettings,
        "`cell_types`": CellTypeSettings,
        "`pixels`": PixelSettings,
        "`fit`": BagFitSettings,
        "`pace` of fit": PaceSettings,
        "`boosting`": BoostingSettings,
        "A study": LymphocytosisStudySettings,
        "`[[tables]]`": TableSettings,
        "`[[tables.arms]]`": ArmSettings,
    }
    return "\n\n".join(f"### {name}\n\n{_group(model)}" for name, model in groups.items())


def _filter() -> str:
    fields = FilterSettings.model_fields.items()
    groups = [f"### `[{name}]`\n\n{_group(f.annotation)}" for name, f in fields if _is_group(f.annotation)]
    top = [
        (f"`{key}`", _default(f), _values(f), f.description or "") for key, f in fields if not _is_group(f.annotation)
    ]
    return "\n\n".join([_table(("key", "default", "values", "meaning"), top), *groups])


def _is_group(model: object) -> bool:
    return inspect.isclass(model) and issubclass(model, BaseModel)


def _manifest() -> str:
    tables = (("Tiles", TILE_COLUMNS), ("Slides", SLIDE_COLUMNS))
    rows = [(title, [(f"`{name}`", kind) for name, kind in columns.items()]) for title, columns in tables]
    parts = [f"### {title}\n\n{_table(('column', 'type'), cells)}" for title, cells in rows]
    note = [(f"`{name}`", field.description or "") for name, field in ManifestNote.model_fields.items()]
    return "\n\n".join([*parts, f"### Note\n\n{_table(('key', 'meaning'), note)}"])


def _group(model: object) -> str:
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        raise TypeError(f"{model} is no group of settings")
    header = ("key", "default", "values", "meaning")
    fields = model.model_fields.items()
    rows = [(f"`{key}`", _default(f), _values(f), f.description or "") for key, f in fields]
    return f"{inspect.getdoc(model)}\n\n{_table(header, rows)}"


def _profiles() -> str:
    profiles = [load_profile(name) for name in profile_names()]
    about = _table(("profile", "version", "purpose"), [(f"`{p.name}`", str(p.version), p.purpose) for p in profiles])
    limits = [
        (f"`{key}`", *(_limit(profile, key) for profile in profiles), field.description or "")
        for key, field in Limits.model_fields.items()
    ]
    domain = Profile.model_fields["domain_distance_max"].description or ""
    limits.append(("`domain_distance_max`", *(f"{p.domain_distance_max:g}" for p in profiles), domain))
    return f"{about}\n\n{_table(('limit', *(p.name for p in profiles), 'meaning'), limits)}"


def _limit(profile: Profile, key: str) -> str:
    return f"{getattr(profile.review, key):g} / {getattr(profile.reject, key):g}"


def _fields(*models: type[BaseModel]) -> str:
    parts = []
    for model in models:
        rows = [(f"`{key}`", _kind(field), field.description or "") for key, field in model.model_fields.items()]
        parts.append(f"### {model.__name__}\n\n{inspect.getdoc(model)}\n\n{_table(('field', 'type', 'meaning'), rows)}")
    return "\n\n".join(parts)


def _columns() -> str:
    return _table(("column", "meaning"), [(f"`{name}`", _column(name)) for name in columns()])


def _column(name: str) -> str:
    if name in COLUMNS_OF_TABLES:
        return COLUMNS_OF_TABLES[name]
    for model in (Assessed, Failed, Stamp):
        if name in model.model_fields:
            return model.model_fields[name].description or ""
    label, unit = name.rsplit("_", 1)
    cls = ArtefactClass[label.upper()].label
    return {"share": f"Share of tissue (0-1): {cls}.", "mm2": f"Square millimetres of tissue: {cls}."}[unit]


def _store() -> str:
    parts = []
    for mapper in sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__tablename__):
        names = ", ".join(f"`{column.name}`" for column in mapper.columns)
        parts.append((f"`{mapper.class_.__tablename__}`", inspect.getdoc(mapper.class_) or "", names))
    return _table(("table", "a row is", "columns"), parts)


def _commands() -> str:
    context = click.Context(cli, info_name="qc", terminal_width=HELP_WIDTH, **cli.context_settings)
    parts = []
    for path, command in commands(cli, "qc"):
        own = context if command is cli else click.Context(command, context, path.removeprefix("qc "))
        parts.append(f"## `{path}`\n\n```text\n{command.get_help(own)}\n```")
    return "\n\n".join(parts)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(header), *([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is None:
        return "as below" if isinstance(field.default, BaseModel) else f"`{field.default!r}`"
    empty = field.default_factory()  # type: ignore[call-arg]
    return "as below" if isinstance(empty, BaseModel) else f"`{empty!r}`"


def _values(field: FieldInfo) -> str:
    kind = _kind(field)
    choices = ", ".join(f"`{choice}`" for choice in re.findall(r"'(\w+)'", kind))
    return _bounds(field) or (choices if "Literal[" in kind else kind)


def _bounds(field: FieldInfo) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    found = ((signs[key], getattr(bound, key)) for bound in field.metadata for key in signs if hasattr(bound, key))
    return ", ".join(f"{sign} {value:g}" for sign, value in found)


def _kind(field: FieldInfo) -> str:
    text = field.annotation.__name__ if inspect.isclass(field.annotation) else str(field.annotation)
    without_modules = re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)
    return "`" + re.sub(r"<\w+: ('\w+')>", r"\1", without_modules) + "`"


def _hex(colour: tuple[int, int, int]) -> str:
    return "`#{:02x}{:02x}{:02x}`".format(*colour)


BLOCKS: dict[str, Callable[[], str]] = {
    "classes": _classes,
    "settings": _settings,
    "profiles": _profiles,
    "cohorts": _cohorts,
    "filter": _filter,
    "manifest": _manifest,
    "training": _training,
    "ablation": _ablation,
    "downstream": _downstream,
    "glands": _glands,
    "lymphocytosis": _lymphocytosis,
    "metastasis": _metastasis,
    "record": lambda: _fields(Assessed, Failed, Stamp, ClassCoverage, FindingRow),
    "run-note": lambda: _fields(RunNote),
    "columns": _columns,
    "store": _store,
    "commands": _commands,
}


@click.command()
@click.option("--write/--check", required=True, help="Bring the pages up to date, or say which are not.")
def main(write: bool) -> None:
    """Make the generated blocks of the documentation."""
    stale = [
        page for page in sorted(DOCS.rglob("*.md")) if rendered(page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    for page in stale:
        if write:
            page.write_text(rendered(page.read_text("utf-8")), "utf-8")
        click.echo(f"{page.relative_to(DOCS.parent)} {'written' if write else 'is out of date'}", err=not write)
    if stale and not write:
        click.echo("bring them up to date with: uv run python tests/docs/generate.py --write", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
