"""Tiles that a person passed or failed. In: a folder with `pass/` and `fail/` and a stage. Out: a score per tile.

Fields of 128 um are too small to look for tissue in, so all of a tile is judged, glass too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.errors import SettingsError
from qc.evaluate.field import judge_field, read_field
from qc.geometry import Mpp
from qc.metrics.ranking import auroc

MPP = Mpp(0.25)
"""Of tiles scanned at what their source calls 40x."""


@dataclass(frozen=True)
class TileResult:
    """One tile: its name, whether a person failed it, and its detection score."""

    name: str
    is_failed: bool
    score: float


@dataclass(frozen=True)
class PassFailResult:
    """All tiles."""

    tiles: tuple[TileResult, ...]

    @property
    def auroc(self) -> float:
        """How well the score ranks failed above passed."""
        return auroc([tile.is_failed for tile in self.tiles], [tile.score for tile in self.tiles])


def evaluate_pass_fail(
    folder: Path, settings: AssessSettings, stage: ArtefactStage[Any], mpp: Mpp = MPP
) -> PassFailResult:
    """Score every tile.

    Args:
        folder: Holds `pass/*.jpg` and `fail/*.jpg`.
        settings: How to read.
        stage: The judge.
        mpp: Micrometres per pixel of the tiles.

    Raises:
        SettingsError: If there are no tiles.
    """
    tiles = [
        TileResult(path.stem, verdict == "fail", judge_field(read_field(path), mpp, settings, stage).detection_score)
        for verdict in ("fail", "pass")
        for path in images_in(folder / verdict)
    ]
    return PassFailResult(tuple(tiles))


def images_in(folder: Path) -> Sequence[Path]:
    """The JPEG files of a folder, sorted by name.

    Raises:
        SettingsError: If there are none.
    """
    files = sorted(folder.glob("*.jpg"))
    if not files:
        raise SettingsError(f"{folder} holds no .jpg files", "check --data")
    return files
