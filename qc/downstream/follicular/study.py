"""The follicular study as one call. In: manifests of phantoms and of real tiles. Out: a report with pictures."""

from collections.abc import Callable
from pathlib import Path

from qc.config.downstream import StudySettings
from qc.downstream.bank import read_bank
from qc.downstream.experiment import prepare
from qc.downstream.follicular.arms import filter_arms, follicular_arms
from qc.downstream.follicular.artefacts import ArtefactStudy, artefact_study
from qc.downstream.follicular.blur import BlurStudy, blur_study
from qc.downstream.follicular.pictures import write_pictures
from qc.downstream.follicular.report import Circumstances, study_markdown
from qc.downstream.trainer import machine, spent_seconds
from qc.errors import SettingsError
from qc.files import write_text

_FULL_PX = 224
_SHOWN = (
    "Tiles called surest; red speaks for FL, blue for FH",
    "A slide of each; tiles that the filter removed are crossed out",
)


def trainings(settings: StudySettings) -> int:
    """How often a network is asked for; those of the same tiles are trained once."""
    asked = 0
    if phantoms := settings.phantoms:
        arms = len(phantoms.manifests) * len(filter_arms(settings.classifier))
        arms += len(follicular_arms(settings.classifier))
        asked += arms * len(phantoms.compare.seeds) * max(1, phantoms.compare.folds) + 1
    if real := settings.real:
        asked += 3 * len(real.compare.seeds) * max(1, real.compare.folds)
    return asked


def run_study(
    settings: StudySettings, root: Path, folder: Path, report: Path, trained: Callable[[], None]
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
    images = report.parent / "images" / report.stem
    phantoms, pictures = _phantoms(settings, root, folder / "phantoms", images, trained)
    real = _real(settings, root, folder / "real", trained)
    links = [(f"images/{report.stem}/{path.name}", text) for path, text in zip(pictures, _SHOWN, strict=False)]
    seconds = spent_seconds(folder)
    how = Circumstances(settings.commands, machine(), len(seconds), sum(seconds) / 60, links, settings.notes)
    write_text(report, study_markdown(phantoms, real, settings, how))
    return [report, *pictures]


def _phantoms(
    settings: StudySettings, root: Path, folder: Path, images: Path, trained: Callable[[], None]
) -> tuple[ArtefactStudy | None, tuple[Path, ...]]:
    phantoms, classifier = settings.phantoms, settings.classifier
    if phantoms is None:
        return None, ()
    if phantoms.arms_at not in phantoms.manifests:
        raise SettingsError(f"there is no manifest {phantoms.arms_at}", f"name one of {', '.join(phantoms.manifests)}")
    experiments = {
        share: prepare(root / path, classifier, phantoms.compare, folder, trained)
        for share, path in phantoms.manifests.items()
    }
    found = artefact_study(experiments, classifier, phantoms.arms_at)
    bench, arm = experiments[phantoms.arms_at].bench, follicular_arms(classifier)[-1]
    return found, write_pictures(bench, arm, bench.parts[0], (classifier.negative, classifier.positive), images)


def _real(settings: StudySettings, root: Path, folder: Path, trained: Callable[[], None]) -> BlurStudy | None:
    real, classifier = settings.real, settings.real_classifier
    if real is None:
        return None
    experiment = prepare(root / real.manifest, classifier, real.compare, folder, trained)
    full = read_bank(experiment.tiles, _FULL_PX, folder / "pixels")
    return blur_study(experiment.bench, experiment.tiles, full, classifier, real)
