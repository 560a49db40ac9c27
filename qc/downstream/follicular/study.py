"""The follicular study as one call. In: manifests of phantoms and of real tiles. Out: a report with pictures."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from qc.config.downstream import ClassifierSettings, StudySettings
from qc.downstream.bank import read_bank
from qc.downstream.experiment import prepare
from qc.downstream.follicular.arms import filter_arms, follicular_arms
from qc.downstream.follicular.artefacts import artefact_study
from qc.downstream.follicular.blur import blur_study
from qc.downstream.follicular.pictures import write_pictures
from qc.downstream.follicular.report import Circumstances, study_markdown
from qc.downstream.trainer import precision
from qc.errors import SettingsError
from qc.files import write_text

_FULL_PX = 224


def trainings(settings: StudySettings) -> int:
    """How often a network is asked for; those of the same tiles are trained once."""
    phantoms = settings.phantoms
    asked = len(phantoms.manifests) * len(filter_arms(settings.classifier)) + len(follicular_arms(settings.classifier))
    real = settings.real.compare
    return asked * len(phantoms.compare.seeds) * max(1, phantoms.compare.folds) + 1 + 3 * len(real.seeds) * real.folds


def run_study(
    settings: StudySettings,
    root: Path,
    folder: Path,
    report: Path,
    trained: Callable[[], None],
) -> list[Path]:
    """Run what is not done yet, and write the report; paths of all that was written.

    Args:
        settings: What is studied.
        root: Folder that the manifests' paths start from.
        folder: For pixels and weights; resumed when it exists.
        report: Markdown file; pictures go to `images/` beside it.
        trained: Called after each training.

    Raises:
        SettingsError: If `arms_at` names no manifest.
    """
    began = time.monotonic()
    phantoms, images = settings.phantoms, report.parent / "images" / report.stem
    if phantoms.arms_at not in phantoms.manifests:
        raise SettingsError(f"there is no manifest {phantoms.arms_at}", f"name one of {', '.join(phantoms.manifests)}")
    experiments = {
        share: prepare(root / path, settings.classifier, phantoms.compare, folder / "phantoms", trained)
        for share, path in phantoms.manifests.items()
    }
    found = artefact_study(experiments, settings.classifier, phantoms.arms_at)
    home, classifier = folder / "real", settings.real_classifier
    real = prepare(root / settings.real.manifest, classifier, settings.real.compare, home, trained)
    full = read_bank(real.tiles, _FULL_PX, home / "pixels")
    blur = blur_study(real.bench, real.tiles, full, classifier, settings.real)
    shown = experiments[phantoms.arms_at].bench
    arm = follicular_arms(settings.classifier)[-1]
    pictures = write_pictures(shown, arm, shown.parts[0], _labels(settings.classifier), images)
    how = Circumstances(
        settings.commands,
        f"{platform.machine()}, {os.cpu_count()} logical processors, no GPU, {precision()}",
        (time.monotonic() - began) / 60,
        [
            (f"images/{report.stem}/{pictures[0].name}", "Tiles called surest; red speaks for FL, blue for FH"),
            (
                f"images/{report.stem}/{pictures[1].name}",
                "A slide of each; tiles that the filter removed are crossed out",
            ),
        ],
        settings.notes,
    )
    write_text(report, study_markdown(found, blur, settings, how))
    return [report, *pictures]


def _labels(classifier: ClassifierSettings) -> tuple[str, str]:
    return classifier.negative, classifier.positive
