"""A manifest in memory: tiles, slides and where they come from; it cannot be built in a state that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from qc.config.base import Settings
from qc.errors import ManifestError
from qc.manifest.schema import CLASS_COLUMNS, FORMAT_VERSION, SLIDE_COLUMNS, TILE_COLUMNS, SlideStatus

_SHARE_TOLERANCE = 1e-3


class ManifestNote(Settings):
    """Where a manifest comes from; travels in the file."""

    format_version: int = Field(default=FORMAT_VERSION, description="Version of columns and their meaning.")
    software_version: str = Field(description="Version of SlideGate that wrote it.")
    settings_fingerprint: str = Field(description="SHA-256 over settings and profile of the runs; all runs share it.")
    runs: tuple[str, ...] = Field(description="Ids of the runs whose maps were used.")
    profile: str = Field(description="Name and version of the profile that judged the slides.")
    filter_settings: dict[str, Any] = Field(description="Settings of the filter.")
    filter_fingerprint: str = Field(description="SHA-256 over the filter's settings.")


@dataclass(frozen=True)
class Manifest:
    """Tiles and slides of one filtering.

    Attributes:
        tiles: One row per candidate tile, columns `TILE_COLUMNS`, kept or not.
        slides: One row per slide, columns `SLIDE_COLUMNS` and then clinical ones.
        note: Where it comes from.

    Raises:
        ManifestError: If tables and note do not fit each other.
    """

    tiles: pd.DataFrame
    slides: pd.DataFrame
    note: ManifestNote

    def __post_init__(self) -> None:
        if problem := first_problem(self.tiles, self.slides, self.note):
            raise ManifestError(f"the manifest {problem}", "make it again with qc filter")

    @property
    def kept(self) -> pd.DataFrame:
        """The tiles that a classifier may see."""
        return self.tiles.loc[self.tiles["is_kept"]].reset_index(drop=True)

    @property
    def clinical_columns(self) -> tuple[str, ...]:
        """Names of the slide table's columns that came from the cohort table."""
        return tuple(name for name in self.slides.columns if name not in SLIDE_COLUMNS)

    def by_slide(self) -> dict[str, pd.DataFrame]:
        """Tiles of each slide, kept or not; an empty table for a slide without any."""
        found = {str(slide_id): self.tiles.iloc[:0] for slide_id in self.slides["slide_id"]}
        return found | {str(slide_id): tiles for slide_id, tiles in self.tiles.groupby("slide_id", sort=False)}

    def with_splits(self, split_of: Mapping[str, str]) -> "Manifest":
        """The same manifest with each slide's tiles in a named part.

        Args:
            split_of: Slide id to `train`, `test` or whatever a part is called; slides not named keep theirs.
        """
        named = pd.Series(dict(split_of), dtype="str").reindex(self.tiles["slide_id"]).set_axis(self.tiles.index)
        tiles = self.tiles.assign(split=named.fillna(self.tiles["split"]))
        return replace(self, tiles=tiles)


def first_problem(tiles: pd.DataFrame, slides: pd.DataFrame, note: ManifestNote) -> str:
    """What is wrong with a manifest, as the rest of a sentence that begins with its name; empty when nothing is."""
    checks = (_version(note), _columns(tiles), _slide_columns(slides))
    return next(filter(None, checks), "") or next(
        filter(None, (_origin(tiles, note), _rows(tiles), _shares(tiles), _accounts(tiles, slides))), ""
    )


def _version(note: ManifestNote) -> str:
    if note.format_version != FORMAT_VERSION:
        return f"has format version {note.format_version}, this software reads version {FORMAT_VERSION}"
    return ""


def _columns(tiles: pd.DataFrame) -> str:
    return _wrong_columns(tiles, TILE_COLUMNS, "tile table") or next(
        (f"has a column {name} that is no column of a manifest" for name in tiles.columns if name not in TILE_COLUMNS),
        "",
    )


def _slide_columns(slides: pd.DataFrame) -> str:
    if problem := _wrong_columns(slides, SLIDE_COLUMNS, "slide table"):
        return problem
    if twice := _first(slides.loc[slides["slide_id"].duplicated(), "slide_id"]):
        return f"has two accounts of slide {twice}"
    return next(
        (f"has a slide of status {status!r}" for status in slides["status"] if status not in set(SlideStatus)), ""
    )


def _wrong_columns(table: pd.DataFrame, columns: Mapping[str, str], where: str) -> str:
    for name, kind in columns.items():
        if name not in table.columns:
            return f"has no column {name} in its {where}"
        if table[name].dtype != kind:
            return f"has column {name} of type {table[name].dtype}, not {kind}"
    return ""


def _origin(tiles: pd.DataFrame, note: ManifestNote) -> str:
    others = set(tiles["settings_fingerprint"].unique()) - {note.settings_fingerprint}
    if others:
        return f"mixes runs of different settings ({note.settings_fingerprint[:12]} and {min(others)[:12]})"
    return ""


def _rows(tiles: pd.DataFrame) -> str:
    is_empty = (tiles[["width_level0", "height_level0", "tile_px"]].to_numpy() <= 0).any(axis=1)
    is_outside = (tiles[["x_level0", "y_level0"]].to_numpy() < 0).any(axis=1)
    for is_wrong, what in ((is_empty, "an empty tile"), (is_outside, "a tile that begins outside its slide")):
        if is_wrong.any():
            return f"holds {what} (row {int(np.flatnonzero(is_wrong)[0])})"
    is_twice = tiles.duplicated(["slide_id", "x_level0", "y_level0"])
    if is_twice.to_numpy().any():
        return f"holds a tile of {_first(tiles.loc[is_twice, 'slide_id'])} twice"
    if not np.array_equal(tiles["is_kept"], tiles["reason"] == ""):
        return "keeps a tile that has a reason to go, or removes one without a reason"
    return ""


def _shares(tiles: pd.DataFrame) -> str:
    shares = tiles[["tissue", *CLASS_COLUMNS]].to_numpy()
    if not np.logical_and(shares >= 0, shares <= 1).all():
        return "holds a share that is not between 0 and 1"
    if (np.abs(shares[:, 1:].sum(axis=1) - 1) > _SHARE_TOLERANCE).any():
        return "holds a tile whose classes do not add up to its tissue"
    return ""


def _accounts(tiles: pd.DataFrame, slides: pd.DataFrame) -> str:
    counted = tiles.groupby("slide_id")["is_kept"].agg(["size", "sum"])
    accounts = slides.set_index("slide_id")[["candidates", "kept"]]
    if unknown := sorted(set(counted.index) - set(accounts.index)):
        return f"holds tiles of {unknown[0]} without an account of the slide"
    counted = counted.reindex(accounts.index, fill_value=0)
    is_wrong = (counted.to_numpy() != accounts.to_numpy()).any(axis=1)
    if is_wrong.any():
        return f"holds other tiles of {accounts.index[int(np.flatnonzero(is_wrong)[0])]} than its account says"
    return ""


def _first(values: pd.Series) -> str:
    return str(values.iloc[0]) if len(values) else ""
