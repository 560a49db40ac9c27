"""The gland study as one call. In: the challenge's images. Out: a report with plots, models, pictures."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qc.config.glands import GlandStudySettings
from qc.downstream.glands.annotators import KINDS, redrawn, without_some
from qc.downstream.glands.cohort import Cohort, read_cohort
from qc.downstream.glands.gate import gate, limit
from qc.downstream.glands.images import Picture, pictures
from qc.downstream.glands.judge import Judge, Judged
from qc.downstream.glands.model import GlandModel
from qc.downstream.glands.plots import write_plots
from qc.downstream.glands.predict import predict
from qc.downstream.glands.report import Found, study_markdown
from qc.downstream.glands.training import spent_cpu_seconds, train_model
from qc.downstream.sharpness import sharpness
from qc.downstream.trainer import machine
from qc.errors import SettingsError
from qc.files import write_text
from qc.metrics.objects import Agreement, agreement, pooled
from qc.nets.eager import parameter_count

_MODEL, _CHOSEN, _FOUND = "model", "without-validation", "found"

Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Shows how far something is: named, then told what is done and how much there is."""


@dataclass(frozen=True)
class _Images:
    train: tuple[Picture, ...]
    test: Mapping[str, tuple[Picture, ...]]
    cohort: Cohort


def run_study(settings: GlandStudySettings, root: Path, folder: Path, report: Path, bar: Bar) -> list[Path]:
    """Train, test and write the report; what is done already is not done again.

    Args:
        settings: What is studied.
        root: Folder of the images' folders and of the table of patients.
        folder: For models, judgements and pictures.
        report: Markdown file; plots go to `images/` beside it. It holds no pixel of a tissue.
        bar: See `Bar`.

    Returns:
        Paths of the report, its plots and the table of glands.

    Raises:
        SettingsError: If a validation patient has no image to train on.
        ExchangeError: If images, masks or the table cannot be read.
    """
    images = _Images(
        pictures(root / settings.train, has_masks=True),
        {part: pictures(root / part, has_masks=True) for part in settings.test},
        read_cohort(root / settings.patients),
    )
    held, rest = _split(settings, images)
    models = [_trained(rest, settings, folder / _CHOSEN, bar)] if held else []
    if settings.refit or not held:
        models.append(_trained(images.train, settings, folder / _MODEL, bar))
    tested, radii = models[-1], (0.0, *settings.blur_um)
    judge = Judge(tested.model, tested.folder, folder / _FOUND)
    by_part = {part: _judged(judge, part, some, radii, bar) for part, some in images.test.items()}
    least = limit([sharpness(one.rgb()) for one in images.train], settings.sharp_centile)
    found = Found(
        validation=_validated(models[0], held, settings, folder, bar),
        by_part=by_part,
        cohort=images.cohort,
        gated={part: gate(rows, settings.blurred_share, least) for part, rows in by_part.items()},
        annotators=_annotators(images.test, settings),
        trained_patients=_patients(images.cohort, settings.train, tested.images),
        parameters=parameter_count(tested.model.network),
        trainings=[(len(one.images), spent_cpu_seconds(one.folder)) for one in models],
        machine=machine(),
    )
    tables = []
    for part, some in images.test.items():
        with bar(f"pictures of {part}") as told:
            tables.append(predict(judge.instances, settings.glands.image_mpp, some, folder / part, told))
    plots = write_plots(found, report.parent / "images" / report.stem)
    write_text(report, study_markdown(found, settings, [f"images/{report.stem}/{path.name}" for path in plots]))
    return [report, *plots, *tables]


@dataclass(frozen=True)
class _Trained:
    model: GlandModel
    folder: Path
    images: Sequence[Picture]


def _trained(some: Sequence[Picture], settings: GlandStudySettings, folder: Path, bar: Bar) -> _Trained:
    with bar(f"crops of {len(some)} images") as told:
        return _Trained(train_model(some, settings.glands, folder, told), folder, some)


def _split(settings: GlandStudySettings, images: _Images) -> tuple[list[Picture], list[Picture]]:
    """Images of the validation patients, and the other ones trained on."""
    patient_of = {one: images.cohort.patient.get(_key(settings.train, one), "") for one in images.train}
    absent = set(settings.validation_patients) - set(patient_of.values())
    if absent:
        raise SettingsError(f"no image of {settings.train} is of patient {min(absent)}", "name patients of the table")
    held = [one for one in images.train if patient_of[one] in settings.validation_patients]
    return held, [one for one in images.train if one not in held]


def _validated(
    trained: _Trained, held: Sequence[Picture], settings: GlandStudySettings, folder: Path, bar: Bar
) -> Sequence[Judged]:
    if not held:
        return []
    judge = Judge(trained.model, trained.folder, folder / _FOUND)
    return _judged(judge, settings.train, held, (0.0,), bar)[0.0]


def _judged(
    judge: Judge, part: str, some: Sequence[Picture], radii: Sequence[float], bar: Bar
) -> dict[float, list[Judged]]:
    """Rows named as in the table of patients, by radius of blur."""
    shown = [(radius, one) for radius in radii for one in some]
    rows: dict[float, list[Judged]] = {radius: [] for radius in radii}
    with bar(f"images of {part}") as told:
        for done, (radius, one) in enumerate(shown, 1):
            rows[radius].append(replace(judge(one, radius), name=_key(part, one)))
            told(done, len(shown))
    return rows


def _annotators(test: Mapping[str, Sequence[Picture]], settings: GlandStudySettings) -> dict[str, dict[str, Agreement]]:
    """True glands against themselves drawn imprecisely, by kind and part."""
    mpp = settings.glands.image_mpp
    rows: dict[str, dict[str, Agreement]] = {}
    for part, some in test.items():
        for kind, text in KINDS.items():
            for um in settings.annotator_um:
                rng = np.random.default_rng(0)
                each = [agreement(one, redrawn(one, kind, um, mpp, rng)) for one in (p.labels() for p in some)]
                rows.setdefault(text.format(um=um), {})[part] = pooled(each)
        rng = np.random.default_rng(0)
        share = settings.annotator_missing
        each = [agreement(one, without_some(one, share, rng)) for one in (p.labels() for p in some)]
        rows.setdefault(f"{share:.0%} of the glands missing", {})[part] = pooled(each)
    return rows


def _patients(cohort: Cohort, part: str, some: Sequence[Picture]) -> frozenset[str]:
    return frozenset(cohort.patient.get(_key(part, one), "") for one in some) - {""}


def _key(part: str, one: Picture) -> str:
    return f"{part}_{one.name}"
