"""Settings of the filter: where tiles may lie, what they may hold, and when a slide goes to a person instead."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from qc.config.base import Settings
from qc.config.toml import first_problem, read_toml
from qc.errors import SettingsError

Ignorable = Literal["fold", "foreign", "pen", "bubble", "out_of_focus", "unassessed"]


class TileSettings(Settings):
    """Which tiles are looked at; changing any of it needs the run's maps."""

    tile_px: int = Field(default=1024, ge=8, description="Side of a tile as the classifier gets it, pixels.")
    tile_mpp: float = Field(default=0.5, gt=0, le=20, description="Micrometres per pixel of the tile.")
    tissue_min: float = Field(default=0.75, gt=0, le=1, description="Smallest share of the tile that is tissue (0-1).")
    hole_um: float = Field(
        default=200.0,
        ge=0,
        description="A tile lies at the border or at a hole when it touches glass that a disc of this diameter fits "
        "into, micrometres; 0 lets tiles lie anywhere.",
    )
    margin_um: float = Field(default=0.0, ge=0, description="Least distance of a tile from such glass, micrometres.")
    coarser_max: float = Field(
        default=1.25,
        ge=1,
        description="Largest ratio of the slide's mpp to the tile's; beyond, detail would be made up.",
    )


class TileLimits(Settings):
    """Largest share of a tile's tissue (0-1) under each class."""

    fold: float = Field(default=0.1, ge=0, le=1, description="Folded, wrinkled or torn tissue, share of tissue (0-1).")
    foreign: float = Field(default=0.1, ge=0, le=1, description="Dust, fibres and debris, share of tissue (0-1).")
    pen: float = Field(default=0.05, ge=0, le=1, description="Marker ink, share of tissue (0-1).")
    bubble: float = Field(default=0.1, ge=0, le=1, description="Bubbles and cover-slip edges, share of tissue (0-1).")
    out_of_focus: float = Field(default=0.1, ge=0, le=1, description="Defocused tissue, share of tissue (0-1).")
    unassessed: float = Field(default=0.0, ge=0, le=1, description="Tissue that was not read, share of tissue (0-1).")
    artefacts: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="All artefact classes that are not ignored, together, share of tissue (0-1).",
    )


class GuardSettings(Settings):
    """When so little would be left that a person should look at the slide instead."""

    kept_share_min: float = Field(default=0.05, ge=0, le=1, description="Smallest share of tiles that is kept (0-1).")
    kept_tiles_min: int = Field(default=1, ge=1, description="Smallest number of tiles that is kept.")


class FilterSettings(Settings):
    """Everything that decides which tiles a classifier sees; a TOML file may set any of it."""

    tiles: TileSettings = Field(default_factory=TileSettings, description="Which tiles are looked at.")
    limits: TileLimits = Field(default_factory=TileLimits, description="What a tile may hold.")
    guard: GuardSettings = Field(default_factory=GuardSettings, description="When a slide goes to a person instead.")
    ignore: tuple[Ignorable, ...] = Field(default=(), description="Classes that remove no tile.")
    keeps_review: bool = Field(
        default=True, description="Slides whose verdict is review, and on which nobody decided, give tiles."
    )
    lesion_loss_max: float = Field(
        default=0.1, ge=0, le=1, description="Largest share of any annotated lesion's area that may be lost (0-1)."
    )

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


_BY_PROFILE: dict[str, dict[str, Any]] = {
    "lymphoma": {},
    "metastasis": {"tiles": {"tile_px": 256, "tissue_min": 0.1, "hole_um": 0.0}},
    "smear": {"tiles": {"tile_px": 512, "tile_mpp": 0.25, "tissue_min": 0.05, "hole_um": 0.0}},
}
"""What a use needs otherwise: metastases lie under the capsule, cells of a smear lie on glass."""


def filter_settings_for(profile_name: str) -> FilterSettings:
    """Defaults for one downstream use; a profile that is not packaged has the general ones."""
    return FilterSettings.model_validate(_BY_PROFILE.get(profile_name, {}))


def changed_settings(
    base: FilterSettings, path: Path | None = None, over: Mapping[str, Any] | None = None
) -> FilterSettings:
    """Settings with some keys changed.

    Args:
        base: What to start from.
        path: TOML file; its keys win.
        over: Keys that win over both, in their groups; None leaves a key alone, `ignore` is added to.

    Raises:
        SettingsError: If the file or a value is wrong.
    """
    data = _merged(_merged(base.model_dump(), read_toml(path) if path else {}), over or {})
    if over and "ignore" in over:
        data["ignore"] = sorted({*base.ignore, *over["ignore"]})
    try:
        return FilterSettings.model_validate(data)
    except ValidationError as error:
        where = path or "filter settings"
        raise SettingsError(f"{where}: {first_problem(error)}", "see docs/filtering.md for all keys") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the keys of `above` that are not None, group by group."""
    result = dict(below)
    for name, value in above.items():
        known = result.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            result[name] = _merged(known, value)
        elif value is not None:
            result[name] = value
    return result
