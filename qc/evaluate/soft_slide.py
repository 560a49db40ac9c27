"""Tiles of which some come from one soft slide. In: folders of tiles and a stage. Out: how each tile is judged.

Which tiles are soft was found by eye and by the variance of the Laplacian, not by any stage: follicular lymphoma 061 to
107. Tiles come without their slides, so each is judged alone: a stage that calls tissue soft only beside sharper tissue
of the same slide cannot know.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.evaluate.field import Field, judge_field, read_field
from qc.evaluate.pass_fail import images_in
from qc.geometry import Mpp
from qc.metrics.ranking import auroc

MPP = Mpp(0.46)
SOFT_FOLDER, SHARP_FOLDER = "fl", "reactive"
SOFT_NUMBERS = range(61, 108)
NEIGHBOURS = 16
"""Tiles with numbers in a row that are taken for one place of a slide."""


@dataclass(frozen=True)
class SoftTile:
    """One tile.

    Attributes:
        name: `folder/number`.
        is_soft: True when it is of the soft slide.
        suspicion: Mean suspicion.
        blurred_share: Share called out of focus.
        focus_score: 0-10, high is sharp; NaN when it cannot be judged.
    """

    name: str
    is_soft: bool
    suspicion: float
    blurred_share: float
    focus_score: float


@dataclass(frozen=True)
class SoftSlideResult:
    """All tiles."""

    tiles: tuple[SoftTile, ...]

    @property
    def auroc(self) -> float:
        """How well suspicion ranks the soft slide above the rest."""
        return auroc([tile.is_soft for tile in self.tiles], [tile.suspicion for tile in self.tiles])

    @property
    def auroc_of_focus(self) -> float:
        """The same for the focus score, low being soft, over the tiles that have one."""
        judged = [tile for tile in self.tiles if tile.focus_score == tile.focus_score]
        return auroc([tile.is_soft for tile in judged], [-tile.focus_score for tile in judged])

    @property
    def auroc_of_neighbours(self) -> float:
        """The same for the median focus score of neighbours by number, for slides are judged by many tiles.

        Groups that are neither all soft nor all of the rest are left out.
        """
        groups: dict[tuple[str, int], list[SoftTile]] = {}
        for tile in self.tiles:
            folder, number = tile.name.split("/")
            groups.setdefault((folder, (int(number) - SOFT_NUMBERS.start) // NEIGHBOURS), []).append(tile)
        whole = [group for group in groups.values() if len({tile.is_soft for tile in group}) == 1]
        scores = [float(np.nanmedian([tile.focus_score for tile in group])) for group in whole]
        return auroc([group[0].is_soft for group in whole], [-score for score in scores])

    def blurred_share(self, of_soft: bool) -> float:
        """Mean share called out of focus over the soft tiles or the others."""
        shares = [tile.blurred_share for tile in self.tiles if tile.is_soft is of_soft]
        return sum(shares) / len(shares) if shares else float("nan")


def evaluate_soft_slide(
    folder: Path, settings: AssessSettings, stage: ArtefactStage[Any], mpp: Mpp = MPP
) -> SoftSlideResult:
    """Judge every tile of `fl/` and `reactive/` (`<number>.jpg`).

    Raises:
        SettingsError: If there are no tiles.
    """
    tiles = [
        _judged(path, judge_field(read_field(path), mpp, settings, stage))
        for name in (SOFT_FOLDER, SHARP_FOLDER)
        for path in images_in(folder / name)
    ]
    return SoftSlideResult(tuple(tiles))


def _judged(path: Path, field: Field) -> SoftTile:
    folder = path.parent.name
    is_soft = folder == SOFT_FOLDER and int(path.stem) in SOFT_NUMBERS
    return SoftTile(f"{folder}/{path.stem}", is_soft, field.mean_suspicion, field.blurred_share, field.focus_score)
