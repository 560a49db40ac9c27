"""TOML files into frozen settings, with one sentence for every way they can be wrong."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from qc.config.base import Settings
from qc.errors import SettingsError

S = TypeVar("S", bound=Settings)


def load_settings(model: type[S], path: Path) -> S:
    """Read `path` into `model`.

    Raises:
        SettingsError: If the file is missing, no TOML, or holds an unknown key or a wrong value.
    """
    data = read_toml(path)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise SettingsError(f"{path}: {first_problem(error)}", "see docs/settings.md for all keys") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        SettingsError: If the file is missing or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror})", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML ({error})", "correct the file") from error


def first_problem(error: ValidationError) -> str:
    """The first of pydantic's complaints as one clause: where, what, which value."""
    problem = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a typo also misses a key
    where = ".".join(str(part) for part in problem["loc"]) or "the file"
    if problem["type"] == "extra_forbidden":
        return f"unknown key {where}"
    if problem["type"] == "missing":
        return f"missing key {where}"
    return f"{where} = {problem['input']!r}: {problem['msg'].removeprefix('Value error, ')}"
