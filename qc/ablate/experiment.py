"""An ablation from its settings to its files. In: settings and data. Out: a report, a figure, pictures."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from qc.ablate.design import base_point, plan_points
from qc.ablate.pictures import choose_shown, sheet
from qc.ablate.report import CHART, ablation_markdown, chart, figures_of
from qc.ablate.run import Experiment, Result, Say, run_point
from qc.ablate.tiles import choose_tiles
from qc.config.ablate import AblateSettings
from qc.files import replacing, write_text
from qc.train.artefact import artefact_job
from qc.train.draw import Progress
from qc.train.fit import Machine

PICTURES = "predictions.png"


def plan_experiment(
    settings: AblateSettings,
    beside: Path,
    root: Path,
    tiles: Path,
    folder: Path,
    machine: Machine,
    progress: Progress = lambda _done, _total: None,
) -> Experiment:
    """Draw the tiles and choose those that train and those that judge.

    Args:
        settings: Of the ablation.
        beside: Folder of its file.
        root: Folder that the sources' paths start from.
        tiles: Folder for the drawn tiles.
        folder: For runs and pictures.
        machine: Where to train.
        progress: Told about tiles.

    Raises:
        SettingsError: If a file or a source cannot be used.
        SlideError: If an image cannot be read.
    """
    job = artefact_job(beside / settings.training, root, folder, tiles, machine, progress=progress)
    chosen = choose_tiles(job.bank, settings, job.settings.seed)
    shown = choose_shown(job.bank, chosen.test)
    return Experiment(settings, job.settings, job.classes, job.bank, chosen, shown, folder / "runs", machine)


def ablation(experiment: Experiment, with_noise: bool, say: Say) -> list[Callable[[], Result]]:
    """The runs, to be made one after another.

    Args:
        experiment: What they share.
        with_noise: Vary the labels too.
        say: Told what is trained.
    """
    points = plan_points(experiment.settings, with_noise)
    return [partial(run_point, point, experiment, say) for point in points]


def write_ablation(results: Sequence[Result], experiment: Experiment, command: str, report: Path) -> list[Path]:
    """Report, figure and pictures; returns their paths.

    Pictures hold pixels of slides, so they go to the experiment's folder, not beside the report.
    """
    figures = figures_of(results, experiment)
    images = report.parent / "images" / report.stem
    write_text(images / CHART, chart(figures, base_point(experiment.settings)))
    text = ablation_markdown(results, figures, experiment, command, images.relative_to(report.parent).as_posix())
    write_text(report, text)
    pictures = experiment.folder.parent / PICTURES
    rows = [(", ".join(_words(one)), one.maps) for one in results]
    with replacing(pictures) as partial_path:
        sheet(experiment.bank, experiment.shown, rows, experiment.cell_px).save(partial_path)
    return [report, images / CHART, pictures]


def _words(result: Result) -> list[str]:
    point = result.point
    return [point.shown("sampling"), point.output[:3], f"{point.mpp:g} mpp", point.network, f"s{point.seed}"]
