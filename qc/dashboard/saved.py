"""Settings that the store keeps by version: the newest one that counts, or the default."""

import tomllib
from typing import TypeVar

from pydantic import ValidationError

from qc.config.base import Settings
from qc.config.control import ControlSettings
from qc.errors import SettingsError
from qc.store.database import Store

CONTROL = "control"
T = TypeVar("T", bound=Settings)


def profile_setting(name: str) -> str:
    """Name under which the store keeps a verdict profile."""
    return f"profile/{name}"


def parsed(kind: type[T], text: str) -> T:
    """TOML as settings.

    Raises:
        SettingsError: If it is no TOML, or a key or value is wrong.
    """
    try:
        return kind.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"this is no TOML ({error})", "correct it") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise SettingsError(f"{where or 'the setting'}: {problem['msg']}", "correct it") from error


def as_toml(settings: Settings) -> str:
    """Settings as TOML: plain values first, then groups.

    >>> print(as_toml(ControlSettings()).splitlines()[0])
    sigmas = 3.0
    """
    values = settings.model_dump(mode="json")
    lines = [f"{name} = {_literal(value)}" for name, value in values.items() if not isinstance(value, dict)]
    for name, group in values.items():
        if isinstance(group, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_literal(value)}" for key, value in group.items())]
    return "\n".join(lines) + "\n"


def control_settings(store: Store) -> ControlSettings:
    """Settings of control charts in force."""
    versions = store.setting_versions(CONTROL)
    return parsed(ControlSettings, versions[-1].content) if versions else ControlSettings()


def _literal(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower() if isinstance(value, bool) else repr(value)
