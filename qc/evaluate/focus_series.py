"""One field at many focus positions. In: a folder of images and a stage. Out: whether suspicion grows with defocus.

The series is a grey smear of unknown mpp, so more than one is tried, and it is judged as it is and in the colours of
H&E: its optical density is given to the channels in the ratio of haematoxylin and eosin in equal parts, which leaves
the optics as they are. Images far from focus are up to 7 % larger or smaller than that in focus.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.evaluate.field import judge_field, read_field
from qc.geometry import Mpp

ASSUMED_MPPS = (Mpp(0.25), Mpp(0.5))
FURTHEST_STEP = 9
_STAIN = np.array([0.36, 0.845, 0.2], np.float32)  # mean of haematoxylin and eosin (Ruifrok and Johnston 2001)


@dataclass(frozen=True)
class FocusStep:
    """One image: steps from focus, mean suspicion, share called out of focus, focus score 0-10."""

    step: int
    suspicion: float
    blurred_share: float
    focus_score: float


@dataclass(frozen=True)
class FocusSeriesResult:
    """One series, as it is or stained, at an assumed mpp."""

    is_stained: bool
    mpp: Mpp
    steps: tuple[FocusStep, ...]

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of suspicion with the distance from focus; NaN when suspicion is constant."""
        return _spearman([abs(s.step) for s in self.steps], [s.suspicion for s in self.steps])

    @property
    def correlation_of_focus(self) -> float:
        """The same for the focus score, which should fall: -1 is best."""
        return _spearman([abs(s.step) for s in self.steps], [s.focus_score for s in self.steps])

    @property
    def inversions(self) -> int:
        """Pairs on one side of focus of which the one further from it is suspected less."""
        return count_inversions([(s.step, s.suspicion) for s in self.steps])


def evaluate_focus_series(
    folder: Path, settings: AssessSettings, stage: ArtefactStage[Any], mpps: Sequence[Mpp] = ASSUMED_MPPS
) -> list[FocusSeriesResult]:
    """Judge `-9.png` to `9.png` (0 in focus), grey and stained, at each mpp.

    Raises:
        SettingsError: If an image is missing.
    """
    steps = range(-FURTHEST_STEP, FURTHEST_STEP + 1)
    images = {step: read_field(folder / f"{step}.png") for step in steps}
    return [
        FocusSeriesResult(is_stained, mpp, tuple(_judged(images, is_stained, mpp, settings, stage)))
        for is_stained in (False, True)
        for mpp in mpps
    ]


def count_inversions(values: Sequence[tuple[int, float]]) -> int:
    """Pairs of (step, value) with steps of one sign, 0 belonging to both, whose value falls away from 0.

    >>> count_inversions([(-1, 0.5), (0, 0.0), (1, 0.5), (2, 0.4)])
    1
    """
    return sum(
        (abs(a) - abs(b)) * (x - y) < 0 for (a, x), (b, y) in combinations(values, 2) if a * b >= 0 and abs(a) != abs(b)
    )


def stained(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 with the optical density of each channel in the ratio of H&E; grey density stays the mean."""
    light = np.maximum(rgb, 1) / np.float32(255)
    return np.rint(255 * light ** (_STAIN / _STAIN.mean())).astype(np.uint8)


def _judged(
    images: dict[int, NDArray[np.uint8]],
    is_stained: bool,
    mpp: Mpp,
    settings: AssessSettings,
    stage: ArtefactStage[Any],
) -> list[FocusStep]:
    fields = {
        step: judge_field(stained(rgb) if is_stained else rgb, mpp, settings, stage) for step, rgb in images.items()
    }
    return [FocusStep(step, f.mean_suspicion, f.blurred_share, f.focus_score) for step, f in fields.items()]


def _spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's correlation of the ranks, ties at their mean rank."""
    a, b = rankdata(x), rankdata(y)
    if np.ptp(a) == 0 or np.ptp(b) == 0 or np.isnan(b).any():
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
