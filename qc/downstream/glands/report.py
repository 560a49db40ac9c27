"""The report of the gland study. In: what was found. Out: markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qc.config.glands import GlandStudySettings
from qc.downstream.compare import Figure
from qc.downstream.glands.cohort import Cohort
from qc.downstream.glands.gate import Gated
from qc.downstream.glands.judge import FIGURES, Judged, interval, mean_over_images
from qc.downstream.tables import markdown
from qc.figures.prose import conclusions, paragraph, picture, typed
from qc.metrics.objects import Agreement

_SHOWN = (
    "Each test image; those of the same kind side by side",
    "Test images under discs of blur, all of them blurred alike",
)
_CHALLENGE = ("object F1", "object Dice", "object Hausdorff (px)")


@dataclass(frozen=True)
class Found:
    """Everything the report says.

    Attributes:
        validation: Images of the validation patients, by a model that was not trained on them.
        by_part: Test images by part and radius of blur.
        cohort: Patients and grades.
        gated: What the gate lets through, by part.
        annotators: True glands drawn imprecisely against true glands, by kind and part.
        trained_patients: Patients of the images trained on.
        parameters: Of the network.
        trainings: Images and processor time of each; the last one is tested.
        machine: What it ran on.
    """

    validation: Sequence[Judged]
    by_part: Mapping[str, Mapping[float, Sequence[Judged]]]
    cohort: Cohort
    gated: Mapping[str, Gated]
    annotators: Mapping[str, Mapping[str, Agreement]]
    trained_patients: frozenset[str]
    parameters: int
    trainings: Sequence[tuple[int, float]]
    machine: str


def study_markdown(found: Found, settings: GlandStudySettings, plots: Sequence[str]) -> str:
    """The whole report."""
    return "\n".join(
        [
            "# Glands of the colon, one by one\n",
            paragraph(
                "A U-Net outlines the glands of the GlaS challenge (Sirinukunwattana et al. 2017, "
                "doi:10.1016/j.media.2016.08.008). Figures are the challenge's: all glands of a part together, "
                f"distances in pixels of {settings.glands.image_mpp:g} um. Intervals are 95 % over patients. The "
                "images may be used for research only: neither they nor the weights are part of this project, and the "
                "network was thrown away."
            ),
            _own_table(found, settings),
            _patients_told(found),
            "## Beside the challenge\n",
            _published_table(found, settings),
            paragraph(
                f"Ours is one small network trained on {found.trainings[-1][0]} images for the time given below. The "
                "winner of the challenge started from weights trained on photographs (Chen et al. 2016, "
                "doi:10.1109/CVPR.2016.273)."
            ),
            *(picture(link, text) for link, text in zip(plots, _SHOWN, strict=True)),
            *_sorts(found, settings),
            *_annotator_lines(found),
            *_gate_lines(found, settings),
            *_how(found, settings),
        ]
    )


def _own_table(found: Found, settings: GlandStudySettings) -> str:
    parts = {part: rows[0.0] for part, rows in found.by_part.items()}
    if found.validation:
        parts = {"validation patients, not tested on": found.validation, **parts}
    rows = [[name, *_row(rows, found, settings)] for name, rows in parts.items()]
    return markdown(["images of", "images", "glands", *FIGURES], rows)


def _row(rows: Sequence[Judged], found: Found, settings: GlandStudySettings) -> list[str]:
    glands = sum(row.objects.tp + row.objects.fn for row in rows)
    figures = [_figure(rows, found, name, settings.repeats) for name in FIGURES]
    return [str(len(rows)), str(glands), *figures]


def _figure(rows: Sequence[Judged], found: Found, name: str, repeats: int) -> str:
    value = FIGURES[name](rows)
    low, high = interval(rows, found.cohort.patient, FIGURES[name], repeats)
    if name.endswith("(px)"):
        return f"{value:.0f} [{low:.0f}, {high:.0f}]" if low == low else f"{value:.0f}"
    return str(Figure(value, low, high))


def _patients_told(found: Found) -> str:
    told = []
    for part, rows in found.by_part.items():
        patients = [found.cohort.patient.get(row.name, "") for row in rows[0.0]]
        known = sum(one in found.trained_patients for one in patients)
        told.append(f"{known} of {len(patients)} images of {part}")
    return paragraph(
        f"The challenge's split is by image, not by patient: {' and '.join(told)} are of patients who are also trained "
        "on. The validation patients are not: theirs are figures for patients never seen."
    )


def _published_table(found: Found, settings: GlandStudySettings) -> str:
    parts = list(found.by_part)
    teams = list(dict.fromkeys(one.who for one in settings.published))
    by = {(one.who, one.part): one for one in settings.published}
    rows = [["**ours**", *(cell for part in parts for cell in _plain(found.by_part[part][0.0])), "this report"]]
    means = [mean_over_images(found.by_part[part][0.0]) for part in parts]
    rows.append(["ours, mean over images", *(_cell(i, value) for mean in means for i, value in enumerate(mean)), ""])
    for who in teams:
        entries = [by.get((who, part)) for part in parts]
        cells = [
            _cell(i, value)
            for one in entries
            for i, value in enumerate((one.f1, one.dice, one.hausdorff_px) if one else (float("nan"),) * 3)
        ]
        rows.append([who, *cells, next(one.source for one in entries if one)])
    head = [f"{part}: {name}" for part in parts for name in ("F1", "Dice", "Hausdorff (px)")]
    return markdown(["", *head, "source"], rows)


def _plain(rows: Sequence[Judged]) -> list[str]:
    return [_cell(i, FIGURES[name](rows)) for i, name in enumerate(_CHALLENGE)]


def _cell(i: int, value: float) -> str:
    if value != value:
        return "-"
    return f"{value:.1f}" if i == _CHALLENGE.index("object Hausdorff (px)") else f"{value:.3f}"


def _sorts(found: Found, settings: GlandStudySettings) -> list[str]:
    every = [row for rows in found.by_part.values() for row in rows[0.0]]
    grades = sorted({found.cohort.grade.get(row.name, "") for row in every} - {""})
    of_grade = {grade: [row for row in every if found.cohort.grade.get(row.name) == grade] for grade in grades}
    rows = [[grade, *_row(some, found, settings)] for grade, some in of_grade.items()]
    return ["All test images, by what they show:\n", markdown(["grade", "images", "glands", *FIGURES], rows)]


def _annotator_lines(found: Found) -> list[str]:
    parts = list(found.by_part)
    rows = []
    for kind, by_part in found.annotators.items():
        some = [by_part[part] for part in parts]
        rows.append([kind, *(_cell(i, v) for one in some for i, v in enumerate((one.f1, one.dice, one.hausdorff_px)))])
    head = [f"{part}: {name}" for part in parts for name in ("F1", "Dice", "Hausdorff (px)")]
    return [
        "## What the figures are worth\n",
        paragraph(
            "The true glands themselves, drawn imprecisely as annotators in a hurry would, against the true glands. "
            "Where a few micrometres of an outline cost more than what parts two entries of the table above, that "
            "difference says nothing about which of them is of more use."
        ),
        markdown(["drawn", *head], rows),
    ]


def _gate_lines(found: Found, settings: GlandStudySettings) -> list[str]:
    rows = []
    for part, one in found.gated.items():
        arms = {
            "as scanned": one.sharp,
            f"{settings.blurred_share:.0%} of them blurred": one.mixed,
            "the same, unsharp ones sent back": one.kept,
        }
        rows += [[part, name, *_row(some, found, settings)] for name, some in arms.items()]
    radii = sorted({radius for one in found.gated.values() for radius in one.sent_back})
    returned = [
        [part, *("{} of {}".format(*one.sent_back[radius]) for radius in radii)] for part, one in found.gated.items()
    ]
    return [
        "## Raw against filtered\n",
        paragraph(
            f"Some test images are put out of focus by discs of {_radii(settings)} um in turn. The gate knows the "
            "variance of the Laplacian of the images trained on, nothing else: what is less sharp than "
            f"{100 - settings.sharp_centile:g} % of them goes back to the laboratory, and no glands are sought in it. "
            "Images sent back are not answered, and count in no figure of the third row."
        ),
        markdown(["part", "images", "n", "glands", *FIGURES], rows),
        "Sent back:\n",
        markdown(["part", *("sharp" if not radius else f"{radius:g} um" for radius in radii)], returned),
    ]


def _how(found: Found, settings: GlandStudySettings) -> list[str]:
    own = settings.glands
    fit, cut = own.fit, own.instances
    spent = " and ".join(f"{seconds / 60:.1f} minutes on {images} images" for images, seconds in found.trainings)
    return [
        *conclusions(settings.notes),
        "## How this was made\n",
        typed(settings.commands),
        paragraph(
            f"{found.machine}; trained for {spent}, processor time of one thread. U-Net on {own.network.encoder} with "
            f"{found.parameters / 1e6:.1f} million weights, "
            f"{'first weights from a file' if own.network.encoder_weights else 'random first weights'}; images at "
            f"{own.mpp:g} um per pixel, {fit.epochs} epochs of {fit.epoch_crops} crops of {fit.crop_px} px in batches "
            f"of {fit.batch_crops}, learning rate {fit.learning_rate:g}; three classes (outside, core, a border of "
            f"{own.border_um:g} um), {'eight turns and mirrors averaged' if own.turned else 'one look'}; glands start "
            f"from cores of at least {cut.core_mm2_min * 1e6:.0f} um2. Settings were chosen on patients "
            f"{', '.join(settings.validation_patients) or '(none)'} of `{settings.train}`, and nothing on test images."
        ),
    ]


def _radii(settings: GlandStudySettings) -> str:
    return ", ".join(f"{one:g}" for one in settings.blur_um)
