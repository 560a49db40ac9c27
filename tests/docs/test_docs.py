"""Documentation as tests: what the pages say about commands, settings, files and codes is true."""

import re
import runpy
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from qc.cli.main import cli
from qc.config.assess import AssessSettings
from qc.config.profile import Limits, Profile
from qc.config.train import TrainSettings
from qc.config.training import SourceSpec, TrainingSources
from qc.errors import SlideError
from qc.labels import Verdict
from qc.pipeline.folder import RunFolder, RunNote
from qc.pipeline.slide_folder import SlideFolder
from qc.record import Assessed, ClassCoverage, Failed, FindingRow, Stamp

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = {"", "sh", "bash", "console", "shell"}


def test_generated_blocks_are_up_to_date():
    rendered = runpy.run_path(str(ROOT / "tests/docs/generate.py"))["rendered"]
    texts = {page.name: page.read_text("utf-8") for page in DOCS.glob("*.md")}

    stale = [name for name, text in texts.items() if rendered(text) != text]

    assert stale == [], "run: uv run python tests/docs/generate.py --write"


@pytest.mark.parametrize(
    "model", [AssessSettings, Profile, Limits, RunNote, Assessed, Failed, Stamp, ClassCoverage, FindingRow]
)
def test_every_field_that_is_documented_says_what_it_means(model: type[BaseModel]):
    assert [where for where, description in _fields(model, model.__name__) if not description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path):
    broken = [target for target in _links(page.read_text("utf-8")) if not _resolves(page, target)]

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_can_be_typed(page: Path):
    text = page.read_text("utf-8")

    for arguments in _commands_in_blocks(text):
        _parse(cli, click.Context(cli, info_name="qc"), arguments)
    for arguments in _commands_in(_inline_code(text)):
        _parse(cli, click.Context(cli, info_name="qc"), arguments, is_whole=False)


def test_a_command_with_an_option_that_does_not_exist_is_noticed():
    with pytest.raises(click.NoSuchOption):
        _parse(cli, click.Context(cli, info_name="qc"), ["assess", "slides", "--out", "run", "--prfile", "smear"])


def test_every_settings_file_shown_is_accepted():
    shown = [body for language, body in FENCE.findall((DOCS / "settings.md").read_text("utf-8")) if language == "toml"]

    assert shown != []
    for text in shown:
        AssessSettings.model_validate(tomllib.loads(text))


def test_every_training_shown_is_accepted():
    shown = [body for language, body in FENCE.findall((DOCS / "training.md").read_text("utf-8")) if language == "toml"]

    kinds = set()
    for content in map(tomllib.loads, shown):
        match content:
            case {"sources": str()}:
                TrainSettings.model_validate(content)
            case {"sources": list(sources)}:
                kinds |= {SourceSpec.model_validate(one).kind for one in sources}
            case {"artefact": _}:
                AssessSettings.model_validate(content)
            case _:  # a few keys of a table
                assert set(content) <= set(TrainingSources.model_fields) | set(SourceSpec.model_fields)
    assert kinds == {"tissue", "masks", "geojson", "cells", "labels"}


def test_the_verdict_table_lists_the_verdicts():
    assert _first_cells(DOCS / "glossary.md", "## Verdicts") == [str(verdict) for verdict in Verdict]


def test_every_reason_code_says_what_to_do():
    of_errors = {error.reason for error in _below(SlideError)}
    of_the_run = set(re.findall(r'_failed\(stamp, "(\w+)"', (ROOT / "qc/pipeline/file.py").read_text("utf-8")))

    documented = [code.strip("`") for code in _first_cells(DOCS / "errors.md", "## Reason codes")]

    assert sorted(documented) == sorted(of_errors | of_the_run)


def test_every_file_of_a_run_folder_is_documented():
    run = RunFolder(Path("run"))
    slide = run.slide("id")
    files = [getattr(folder, name) for folder in (run, slide) for name in _path_properties(type(folder))]

    text = (DOCS / "outputs.md").read_text("utf-8")

    assert [path.name for path in files if path.name not in text] == []


def test_every_decision_is_listed_and_complete():
    decisions = sorted((DOCS / "adr").glob("[0-9]*.md"))

    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    assert list(_links((DOCS / "adr/README.md").read_text("utf-8"))) == [path.name for path in decisions]
    for path in decisions:
        headings = re.findall(r"^## (\w+)$", path.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Status", "Context", "Decision", "Consequences"], path.name


def _fields(model: type[BaseModel], where: str) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        yield f"{where}.{name}", field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{where}.{name}")


def _links(text: str) -> Iterator[str]:
    """Targets of links and images that are no web address."""
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text)):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def _resolves(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = page.parent / name if name else page
    return path.exists() and (not anchor or anchor in _anchors(path.read_text("utf-8")))


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands_in_blocks(text: str) -> Iterator[list[str]]:
    """Arguments of every `qc` call in shell blocks."""
    blocks = [body.replace("\\\n", " ") for language, body in FENCE.findall(text) if language in SHELLS]
    return _commands_in(line for block in blocks for line in block.splitlines())


def _inline_code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def _commands_in(lines: Iterable[str]) -> Iterator[list[str]]:
    for line in lines:
        for part in re.split(r"&&|\|\||[|;>]", line):
            words = part.strip().removeprefix("$ ").removeprefix("uv run ")
            if words.startswith("qc "):
                yield shlex.split(words, comments=True)[1:]


def _parse(command: click.Command, context: click.Context, arguments: list[str], is_whole: bool = True) -> None:
    """Let click judge the arguments; files named need not exist, and what is not whole may lack some."""
    if isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        child = command.get_command(context, arguments[0])
        if child is None:
            raise click.NoSuchCommand(arguments[0], ctx=context)
        return _parse(child, click.Context(child, context, arguments[0]), arguments[1:], is_whole)
    given, _, _ = command.make_parser(context).parse_args(list(arguments))
    if given.get("help") is True or given.get("version") is True:
        return None
    for parameter in command.get_params(context):
        value, _ = parameter.consume_value(context, given)
        if not parameter.value_is_missing(value):
            if not isinstance(parameter.type, click.Path):
                parameter.type_cast_value(context, value)
        elif parameter.required and is_whole:
            raise click.MissingParameter(ctx=context, param=parameter)
    return None


def _first_cells(page: Path, heading: str) -> list[str]:
    section = page.read_text("utf-8").split(f"{heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def _below(error: type[SlideError]) -> Iterator[type[SlideError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)


def _path_properties(folder: type[RunFolder | SlideFolder]) -> list[str]:
    return [name for name, member in vars(folder).items() if isinstance(member, property)]
