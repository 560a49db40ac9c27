"""Options that several commands share."""

from pathlib import Path
from typing import Any

import click

ExistingFile = click.Path(exists=True, dir_okay=False, path_type=Path)
AnyPath = click.Path(path_type=Path)

profile_option = click.option(
    "--profile", "profile_name", default="default", show_default=True, help="Verdict profile: a name or a .toml file."
)
settings_option = click.option(
    "--settings", "settings_path", type=ExistingFile, help="TOML file with settings (docs/settings.md)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output instead of a table.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Slides assessed at once."
)


class MppType(click.ParamType):
    """Micrometres per pixel: a positive finite number."""

    name = "um"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text to `Mpp`."""
        from qc.geometry import Mpp

        try:
            return Mpp(float(value))
        except ValueError:
            self.fail(f"{value!r} is no positive number of micrometres per pixel", param, ctx)


mpp_option = click.option("--mpp", type=MppType(), help="Level-0 micrometres per pixel; wins over the header.")


def load_assess_settings(path: Path | None) -> Any:
    """`AssessSettings` from a TOML file, or the defaults."""
    from qc.config.assess import AssessSettings
    from qc.config.toml import load_settings

    return load_settings(AssessSettings, path) if path else AssessSettings()


reference_option = click.option(
    "--data", "root", type=AnyPath, required=True, help="Folder of the reference data (datasets/README.md)."
)
masks_option = click.option(
    "--masks",
    "masks_path",
    type=ExistingFile,
    default=Path("datasets/reference-masks.csv"),
    show_default=True,
    help="Table of images with masks.",
)


def named(option: str, path: Path | None) -> str:
    """The option as a report names it."""
    return f" {option} datasets/{path.name}" if path else ""
