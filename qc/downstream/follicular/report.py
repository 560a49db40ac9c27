"""The report of the follicular study. In: what was found. Out: markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from qc.config.downstream import ArtefactStudySettings, BlurStudySettings, ClassifierSettings, StudySettings
from qc.downstream.arms import Outcome
from qc.downstream.compare import STATISTICS, difference, figure
from qc.downstream.follicular.artefacts import ArtefactStudy
from qc.downstream.follicular.blur import BlurStudy
from qc.downstream.tables import arm_table, changed_table, difference_table, markdown, signed
from qc.figures.prose import conclusions, paragraph, picture, typed


@dataclass(frozen=True)
class Circumstances:
    """How the figures came about.

    Attributes:
        commands: What was typed.
        machine: Processor and precision.
        trainings: How many networks were trained.
        minutes: Wall time of these trainings together.
        images: Links to pictures with what they show.
        notes: What a reader must know besides.
    """

    commands: Sequence[str]
    machine: str
    trainings: int
    minutes: float
    images: Sequence[tuple[str, str]]
    notes: Sequence[str] = ()


def study_markdown(
    phantoms: ArtefactStudy | None, real: BlurStudy | None, settings: StudySettings, how: Circumstances
) -> str:
    """The whole report, or what there is of it."""
    return "\n".join(
        [
            "# Does quality control help a classifier? Follicular lymphoma against hyperplasia\n",
            paragraph(
                "A ResNet-18 from scratch tells tiles of follicular lymphoma (FL) from tiles of follicular "
                "hyperplasia (FH); a slide's score is the share of its tiles called FL. Figures are means over "
                "trainings; intervals are 95 % over patients, drawn for both arms at once where arms are compared. "
                "Differences whose interval leaves out 0 are bold. "
                "Slides without a kept tile are not scored and count as not right. Nothing was chosen on test "
                "slides: settings were fixed beforehand, and the last epoch's weights are used."
            ),
            *(_phantom_lines(phantoms, settings, settings.phantoms) if phantoms and settings.phantoms else []),
            *(picture(link, text) for link, text in how.images),
            *(_real_lines(real, settings, settings.real) if real and settings.real else []),
            *_how(how, settings),
        ]
    )


def _phantom_lines(study: ArtefactStudy, settings: StudySettings, own: ArtefactStudySettings) -> list[str]:
    repeats, labels = own.compare.repeats, (settings.classifier.negative, settings.classifier.positive)
    slides = len(next(iter(study.by_share.values()))["no filter"].scores.slides)
    lines = [
        "## Synthetic lymph nodes\n",
        paragraph(
            f"The same nodes with artefacts over {', '.join(f'{share} %' for share in study.by_share)} of the tissue, "
            f"{slides} of them for testing. The filter's maps come from `qc assess`, so they err as they would in use. "
            "One classifier (normalisation and mixup), four ways to use the filter:"
        ),
        _share_table(study, repeats),
        "What the filter changes against none, tiles right:\n",
        _gain_table(study, repeats),
        f"### Four arms, artefacts over {study.arms_at} % of the tissue\n",
        arm_table(study.arms, repeats),
        difference_table(study.arms[0], study.arms[1:], repeats),
        f"Slides whose call changed from {study.arms[-2].arm.name} to {study.arms[-1].arm.name}:\n",
        changed_table(study.arms[-2], study.arms[-1], labels),
    ]
    worst = list(study.by_share)[-1]
    raw, both = (study.by_share[worst][name] for name in ("no filter", "at both"))
    return [
        *lines,
        f"Slides whose call changed by filtering at both, artefacts over {worst} % of the tissue:\n",
        changed_table(raw, both, labels),
    ]


def _share_table(study: ArtefactStudy, repeats: int) -> str:
    rows = [
        [f"{share} %", f"{study.removed_share[share]:.0%}", name, *_figures(one, repeats)]
        for share, outcomes in study.by_share.items()
        for name, one in outcomes.items()
    ]
    return markdown(["artefacts", "tiles removed", "filter", *STATISTICS], rows)


def _figures(one: Outcome, repeats: int) -> list[str]:
    return [str(figure(one.scores, statistic, repeats)) for statistic in STATISTICS.values()]


def _gain_table(study: ArtefactStudy, repeats: int) -> str:
    statistic = STATISTICS["tiles right"]
    names = [name for name in next(iter(study.by_share.values())) if name != "no filter"]
    rows = [
        [
            f"{share} %",
            *(
                signed(difference(outcomes["no filter"].scores, outcomes[name].scores, statistic, repeats))
                for name in names
            ),
        ]
        for share, outcomes in study.by_share.items()
    ]
    return markdown(["artefacts", *names], rows)


def _real_lines(study: BlurStudy, settings: StudySettings, own: BlurStudySettings) -> list[str]:
    classifier = settings.real_classifier
    positive = classifier.positive
    softer = min(study.laplacian, key=lambda name: study.laplacian[name])
    medians = ", ".join(f"{name} {value:.0f}" for name, value in study.laplacian.items())
    ranking = [[name, str(value)] for name, value in study.ranking.items()]
    calls = [[name, str(before), str(after)] for name, (before, after) in study.calls.items()]
    return [
        "## Real tiles: is it blur that is learnt?\n",
        paragraph(
            f"{study.tiles} tiles of 103 um from about {study.slides} slides; which tiles share a slide was judged by "
            f"eye (datasets/follicular-tiles.toml). {softer} is softer: the median variance of the Laplacian is "
            f"{medians}. Cross-validated by slide. A tile of 103 um holds a part of a follicle at most, so this is "
            "about cells and stain, not about architecture; and with so few slides every interval is wide. The "
            "networks were thrown away."
        ),
        "AUROC over tiles, chance of FL or softness against the label:\n",
        markdown(["what is ranked", "AUROC"], ranking),
        f"Share of the sharp tiles called {positive} by the classifier trained as scanned:\n",
        markdown(["tiles", "as scanned", "the same tiles blurred"], calls),
        "Slide by slide; out of focus is what the artefact map says:\n",
        _slide_table(study, positive),
        paragraph(
            f"Blurred means: to the sharpness of the softest {own.soft_centile:g} % of all tiles. The subset "
            f"matched in sharpness has {study.matched_tiles} tiles. "
            f"`qc filter` with its usual limits removed {study.removed} of the {study.tiles} tiles."
        ),
    ]


def _slide_table(study: BlurStudy, positive: str) -> str:
    head = ["slide", "is", "tiles", "variance of the Laplacian", "out of focus", f"called {positive}", "blurred"]
    rows = [
        [
            row["slide_id"].rpartition("-")[0],
            *(row["label"], row["tiles"], f"{row['laplacian']:.0f}", f"{row['out_of_focus']:.0%}"),
            *(f"{row['scanned']:.2f}", f"{row['blurred']:.2f}"),
        ]
        for row in study.by_slide.to_dict("records")
    ]
    return markdown(head, rows)


def _how(how: Circumstances, settings: StudySettings) -> list[str]:
    return [
        *conclusions(how.notes),
        "## How this was made\n",
        typed(how.commands),
        paragraph(f"{how.machine}; {how.trainings} trainings took {how.minutes:.0f} minutes. {_setting(settings)}"),
    ]


def _setting(settings: StudySettings) -> str:
    parts = []
    if settings.phantoms:
        repeated = f"{len(settings.phantoms.compare.seeds)} trainings of each kind"
        parts.append(f"Phantoms: {_settings(settings.classifier)}; {repeated}.")
    if settings.real:
        compare = settings.real.compare
        repeated = f"{len(compare.seeds)} trainings in each of {compare.folds} parts"
        parts.append(f"Real tiles: {_settings(settings.real_classifier)}; {repeated}.")
    return " ".join(parts)


def _settings(one: ClassifierSettings) -> str:
    fit = one.fit
    return (
        f"{one.encoder}, tiles of {one.input_px} px, {fit.epochs} epochs of at most {fit.epoch_tiles_max} tiles in "
        f"batches of {fit.batch_tiles}, normalisation {one.stain.method}, dropout {fit.dropout:g}, weight decay "
        f"{fit.weight_decay:g}, mixup {fit.mixup_alpha:g}"
    )
