"""The task as one call. In: a manifest and outlines of lesions. Out: a folder with labels, stages, heat maps."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from qc.config.metastasis import MetastasisSettings, MetastasisStudySettings
from qc.downstream.metastasis.froc import RATES, froc
from qc.downstream.metastasis.heat import FEATURES
from qc.downstream.metastasis.outcome import WAYS, Outcome
from qc.downstream.metastasis.pictures import node_sheet, shown_nodes, write_overlay
from qc.downstream.metastasis.report import Circumstances, task_markdown
from qc.downstream.metastasis.task import Task, heat_maps, prepare
from qc.downstream.trainer import machine, spent_seconds
from qc.files import replacing, write_text
from qc.geometry import Size
from qc.manifest import read_manifest

Tell = Callable[[], None]
_PLACES = ["slide_id", "x_level0", "y_level0", "width_level0", "height_level0", "is_kept", "probability"]
_SHOWN = {
    "nodes.png": "One node of each label with its outlines, and its heat maps; tiles that were removed are struck",
    "froc.png": "Lesions found against false positives per slide",
}


def read_task(manifest: Path, annotations: Path, settings: MetastasisSettings, folder: Path) -> Task:
    """See `qc.downstream.metastasis.task.prepare`."""
    return prepare(read_manifest(manifest), annotations, settings, folder)


def run_task(task: Task, manifest: Path, tell: Tell) -> list[Path]:
    """Run all ways and write into the task's folder; the paths of what was written.

    `report.md`, `slides.csv` (figures and labels), `patients.csv` (stages), `tiles.parquet` (scores), `nodes.png`,
    `froc.png`, and in `heat/` a transparent PNG for each slide that covers it when it is stretched over it.

    Args:
        task: From `read_task`.
        manifest: The manifest's file; what each lesion loses to the filter is read beside it, if it is there.
        tell: Called `qc.downstream.metastasis.task.steps` times.
    """
    outcomes = [task.outcome(way, tell) for way in WAYS]
    folder = task.folder
    tables = _tables(outcomes, folder)
    overlays = write_overlays(task, outcomes[-1], folder / "heat")
    pictures = _pictures(task, outcomes, folder)
    how = _circumstances(task, [(path.name, _SHOWN[path.name]) for path in pictures])
    write_text(folder / "report.md", task_markdown(outcomes, _losses(manifest), task.settings, how))
    return [folder / "report.md", *tables, *pictures, *overlays[:1]]


def run_study(task: Task, manifest: Path, study: MetastasisStudySettings, report: Path, tell: Tell) -> list[Path]:
    """The same, and the report of the study with pictures in `images/` beside it.

    Args:
        task: From `read_task`.
        manifest: The manifest's file.
        study: What is studied.
        report: Markdown file to write.
        tell: Called `qc.downstream.metastasis.task.steps` times.
    """
    outcomes = [task.outcome(way, tell) for way in WAYS]
    _tables(outcomes, task.folder)
    write_overlays(task, outcomes[-1], task.folder / "heat")
    images = _pictures(task, outcomes, report.parent / "images" / report.stem)
    links = [(f"images/{report.stem}/{path.name}", _SHOWN[path.name]) for path in images]
    how = replace(_circumstances(task, links), commands=study.commands, notes=study.notes, data=_data(task, study))
    write_text(report, task_markdown(outcomes, _losses(manifest), task.settings, how))
    return [report, *images]


def write_overlays(task: Task, outcome: Outcome, folder: Path) -> list[Path]:
    """`<slide id>.png` for each slide with a heat map."""
    sizes, paths = task.slides.set_index("slide_id")[["width_level0", "height_level0"]], []
    for slide_id, heat in heat_maps(outcome.tiles, task.slides).items():
        width, height = (int(one) for one in sizes.loc[slide_id])
        paths.append(folder / f"{slide_id}.png")
        write_overlay(heat, Size(width, height), paths[-1])
    return paths


def _tables(outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    models = list(outcomes[0].slides.columns[outcomes[0].slides.columns.get_loc(FEATURES[-1]) + 1 :])  # type: ignore[operator]
    patients = [
        {
            "filter": one.way.name,
            "patient": patient.name,
            "stage": str(patient.stage or ""),
            **{name: str(found.found_stage or "") for name, found in zip(models, everywhere, strict=True)},
        }
        for one in outcomes
        for everywhere in zip(*(one.patients(name) for name in models), strict=True)
        for patient in everywhere[:1]
    ]
    slides = [one.slides.assign(filter=one.way.name) for one in outcomes]
    tiles = [one.tiles[_PLACES].assign(filter=one.way.name) for one in outcomes]
    with replacing(folder / "patients.csv") as partial:
        pd.DataFrame(patients).to_csv(partial, index=False)
    with replacing(folder / "slides.csv") as partial:
        pd.concat(slides, ignore_index=True).to_csv(partial, index=False)
    with replacing(folder / "tiles.parquet") as partial:
        pd.concat(tiles, ignore_index=True).to_parquet(partial, index=False)
    return [folder / name for name in ("patients.csv", "slides.csv", "tiles.parquet")]


def _pictures(task: Task, outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    paths = []
    rows = shown_nodes(task.slides, task.test)
    if rows:
        ways = {one.way.name: one.tiles for one in (outcomes[0], outcomes[-1])}
        with replacing(folder / "nodes.png") as partial:
            sheet = node_sheet(rows, ways, task.slides, task.lesions)
            sheet.quantize(96).save(partial, "PNG", optimize=True)
        paths.append(folder / "nodes.png")
    if any(one.lesions for one in outcomes[0].hits.values()):
        with replacing(folder / "froc.png") as partial:
            _froc_chart(outcomes).savefig(partial, format="png", dpi=110)
        paths.append(folder / "froc.png")
    return paths


def _froc_chart(outcomes: Sequence[Outcome]) -> Figure:
    with matplotlib.rc_context({"font.size": 9}):
        chart = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = chart.subplots()
        for one in outcomes:
            curve = froc(list(one.hits.values()))
            axes.step(curve.false_per_slide, curve.sensitivity, where="post", label=one.way.name, linewidth=1.4)
        axes.set_xscale("symlog", base=2, linthresh=RATES[0])
        axes.set_xticks([0, *RATES], ["0", "1/4", "1/2", "1", "2", "4", "8"])
        axes.set(xlim=(0, RATES[-1]), ylim=(0, 1.02), xlabel="false positives per slide", ylabel="lesions found")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", title="filter")
    return chart


def _losses(manifest: Path) -> pd.DataFrame | None:
    beside = manifest.with_name(f"{manifest.stem}.lesions.csv")
    return pd.read_csv(beside) if beside.is_file() else None


def _circumstances(task: Task, links: Sequence[tuple[str, str]]) -> Circumstances:
    seconds = spent_seconds(task.folder / "trainings")
    kinds = task.train["target"].value_counts()
    return Circumstances(
        title="Metastases in lymph nodes: labels of nodes and stages of patients",
        data=_counted(task),
        machine=machine(),
        trainings=len(seconds),
        minutes=sum(seconds) / 60,
        trained_on=f"The network learnt from {task.train['slide_id'].nunique()} slides of other patients, "
        f"{kinds[1]} tumour and {kinds[0]} normal tiles, of which the filter removes "
        f"{1 - float(task.train['is_kept'].to_numpy().mean()):.0%}.",
        images=links,
    )


def _counted(task: Task) -> str:
    patients = len(set(task.slides["patient"]))
    removed = 1 - float(task.test["is_kept"].to_numpy().mean()) if len(task.test) else 0.0
    return (
        f"{patients} patients with {len(task.slides)} nodes; {len(task.test)} tiles, of which the filter removes "
        f"{removed:.0%}."
    )


def _data(task: Task, study: MetastasisStudySettings) -> str:
    own = study.cohort
    every = sum(one.patients for one in own.patterns)
    return (
        f"Synthetic lymph nodes with metastases of true size, {own.width_mm:g} x {own.height_mm:g} mm at {own.mpp:g} "
        f"um per pixel, artefacts on {own.artefact_chance:.0%} of the slides, stained and scanned by "
        f"{own.laboratories} laboratories, of which {own.laboratories - own.training_laboratories} are new to the "
        f"network. {_counted(task)} Labels come together as in the {every} patients of the training set of CAMELYON17"
        + (f", of which {own.patients} are taken, spread evenly." if own.patients < every else ".")
    )
