"""The whole pipeline against phantoms. In: a cohort and a folder to write it to. Out: counts per slide and class.

Truth is exact, so this is a regression test with a figure, not evidence about real slides.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qc.artefact.choose import artefact_stage
from qc.config.assess import AssessSettings
from qc.config.profile import Profile
from qc.geometry import Grid, Mpp
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.maps import ArtefactMap, TissueMask, coverage, resample_nearest
from qc.metrics import Counts
from qc.phantom import CohortSpec, PhantomSpec, PhantomTruth, read_truth, write_phantom
from qc.pipeline.assess import Assessment, assess_slide
from qc.record import Stamp
from qc.score import judge
from qc.slide.files import SlideFile, open_slide
from qc.version import __version__

MEASURED = (ArtefactClass.CLEAN, *ARTEFACTS)


@dataclass(frozen=True)
class PhantomResult:
    """One phantom, measured.

    Attributes:
        name: Name of the phantom.
        tissue: Counts of tissue cells against all others.
        classes: Counts of each class among the cells that are tissue in truth.
        clean: Counts of clean tissue among all cells.
        verdict: The verdict given.
        reason: Why, in words.
        true_verdict: The verdict that the truth deserves under the same profile, scores aside.
        focus_score: 0-10.
        stain_score: 0-10.
    """

    name: str
    tissue: Counts
    classes: dict[ArtefactClass, Counts]
    clean: Counts
    verdict: Verdict
    reason: str
    true_verdict: Verdict
    focus_score: float
    stain_score: float


def evaluate_phantoms(
    cohort: CohortSpec,
    folder: Path,
    settings: AssessSettings,
    profile: Profile,
    progress: Callable[[PhantomResult], None] = lambda _result: None,
) -> list[PhantomResult]:
    """Write, assess and measure every phantom of a cohort."""
    results = []
    for spec in cohort.slides:
        results.append(_evaluate(spec, folder, settings, profile))
        progress(results[-1])
    return results


def verdict_counts(results: list[PhantomResult]) -> Counts:
    """Slides that need something (positive) against usable ones."""
    truth = np.array([result.true_verdict is not Verdict.USABLE for result in results])
    called = np.array([result.verdict is not Verdict.USABLE for result in results])
    return Counts.of(truth, called)


def _evaluate(spec: PhantomSpec, folder: Path, settings: AssessSettings, profile: Profile) -> PhantomResult:
    written = write_phantom(spec, folder)
    file = SlideFile(written.path.resolve())
    stamp = Stamp.unkept(file.slide_id, str(file.path), __version__)
    with closing(open_slide(file)) as slide:
        assessment = assess_slide(slide, stamp, settings, profile, artefact_stage(settings))
    return measure(spec.name, assessment, read_truth(written.truth_path), profile)


def measure(name: str, assessment: Assessment, truth: PhantomTruth, profile: Profile) -> PhantomResult:
    """Compare an assessment with the truth, cell by cell on the truth's grid."""
    found = assessment.artefacts
    grid = Grid(found.grid.slide_size, found.grid.slide_mpp, Mpp(truth.mpp))
    classes = resample_nearest(found.classes, found.grid, grid, grid.window, fill=ArtefactClass.UNASSESSED)
    mask = assessment.tissue
    is_found = resample_nearest(mask.is_tissue, mask.grid, grid, grid.window, fill=False)
    true_coverage = coverage(ArtefactMap(truth.classes, grid), TissueMask(truth.is_tissue, grid))
    deserved = judge(true_coverage, 10.0, 10.0, 0.0, profile).verdict
    inside = truth.is_tissue
    return PhantomResult(
        name=name,
        tissue=Counts.of(truth.is_tissue, is_found),
        classes={c: Counts.of(truth.classes[inside] == c, classes[inside] == c) for c in MEASURED},
        clean=Counts.of(truth.classes == ArtefactClass.CLEAN, classes == ArtefactClass.CLEAN),
        verdict=assessment.record.verdict,
        reason=assessment.record.reason,
        true_verdict=deserved,
        focus_score=assessment.record.focus_score,
        stain_score=assessment.record.stain_score,
    )
