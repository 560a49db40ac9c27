import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qc.config.downstream import ClassifierSettings, FitSettings, StainSettings
from qc.config.metastasis import LabelModelSettings, MetastasisSettings
from qc.downstream.metastasis.outcome import WAYS, figure, stage_kappa, stages_right
from qc.downstream.metastasis.run import read_task, run_task
from qc.downstream.metastasis.slide_models import NAMES, cross_labels, patient_folds
from qc.downstream.metastasis.stages import PNStage
from qc.downstream.metastasis.task import Task, steps
from qc.errors import ManifestError
from qc.manifest import Manifest, ManifestNote, slide_frame, tile_frame, write_manifest

SIDE, COLUMNS, ROWS = 32, 8, 6
UM = 128 / SIDE  # a tile is 128 um
SIZES = {"negative": 0, "itc": 1, "micro": 2, "macro": 4}
"""Side of the lesion in tiles; it begins at column 2, row 1."""
NOTE = ManifestNote(
    software_version="0",
    settings_fingerprint="f" * 64,
    runs=("r",),
    profile="metastasis 1",
    filter_settings={},
    filter_fingerprint="e" * 64,
)
PATIENTS = {
    "p0": ("negative", "negative"),
    "p1": ("itc", "negative"),
    "p2": ("micro", "negative"),
    "p3": ("macro", "micro"),
    "p4": ("negative", "negative"),
    "p5": ("micro", "itc"),
    "p6": ("macro", "negative"),
    "p7": ("itc", "negative"),
}
TRAINING = ("macro", "micro", "negative")
UNSEEN = "p7_node_1"
"""A slide of which the filter leaves nothing."""


def is_tumour(label: str) -> np.ndarray:
    """(ROWS, COLUMNS) bool."""
    tiles = np.zeros((ROWS, COLUMNS), np.bool_)
    tiles[1 : 1 + SIZES[label], 2 : 2 + SIZES[label]] = True
    return tiles


def draw(label: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    tumour = np.kron(is_tumour(label), np.ones((SIDE, SIDE))) > 0
    rgb = np.where(tumour[..., None], (235, 120, 170), (110, 70, 150)) + rng.normal(0, 12, (*tumour.shape, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8)


def outline(label: str) -> str:
    low, high = (2 * SIDE, SIDE), ((2 + SIZES[label]) * SIDE, (1 + SIZES[label]) * SIDE)
    ring = [low, (high[0], low[1]), high, (low[0], high[1]), low]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def rows(name: str, patient: str, label: str, path: Path, split: str) -> list[dict[str, object]]:
    """The last column of tiles was removed; of one slide all."""
    found = []
    for number in range(ROWS * COLUMNS):
        column, row = number % COLUMNS, number // COLUMNS
        fold = 0.5 if name == UNSEEN or column == COLUMNS - 1 else 0.0
        found.append(
            {
                **{"slide_id": name, "path": str(path), "patient": patient, "label": label, "split": split},
                **{"x_level0": column * SIDE, "y_level0": row * SIDE, "width_level0": SIDE, "height_level0": SIDE},
                **{"tile_px": SIDE, "tile_mpp": UM, "slide_mpp": UM, "tissue": 1.0, "clean": 1 - fold, "fold": fold},
                **{"foreign": 0, "pen": 0, "bubble": 0, "out_of_focus": 0, "unassessed": 0, "is_kept": not fold},
                **{"reason": "fold 0.5 > 0.1" if fold else "", "settings_fingerprint": "f" * 64},
            }
        )
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiles.parquet`, slides and outlines of eight patients with two nodes and of three training slides."""
    folder = tmp_path_factory.mktemp("nodes")
    nodes = [(f"t{i}", f"t{i}", label, "train") for i, label in enumerate(TRAINING)]
    nodes += [(f"{p}_node_{i}", p, label, "test") for p, labels in PATIENTS.items() for i, label in enumerate(labels)]
    table, accounts = [], []
    for seed, (name, patient, label, split) in enumerate(nodes):
        path = folder / f"{name}.png"
        Image.fromarray(draw(label, seed)).save(path)
        if label != "negative":
            (folder / f"{name}.geojson").write_text(outline(label), encoding="utf-8")
        own = rows(name, patient, label, path, split)
        table += own
        size = {"width_level0": COLUMNS * SIDE, "height_level0": ROWS * SIDE, "slide_mpp": UM}
        kept = sum(bool(row["is_kept"]) for row in own)
        account = {"slide_id": name, "path": str(path), "patient": patient, "label": label, "status": "kept"}
        accounts.append({**account, **size, "candidates": len(own), "kept": kept})
    write_manifest(Manifest(tile_frame(table), slide_frame(accounts), NOTE), folder / "tiles.parquet")
    return folder


@pytest.fixture(scope="module")
def settings() -> MetastasisSettings:
    fit = FitSettings(epochs=6, batch_tiles=16, epoch_tiles_max=96, mixup_alpha=0.0, learning_rate=1e-2)
    return MetastasisSettings(
        classifier=ClassifierSettings(
            negative="normal",
            positive="tumour",
            input_px=32,
            encoder="test_resnet",
            stain=StainSettings(method="none"),
            fit=fit,
        ),
        slides=LabelModelSettings(folds=4, chosen="tree", models=("tree", "bayes")),
        repeats=100,
    )


@pytest.fixture(scope="module")
def task(folder: Path, settings: MetastasisSettings, tmp_path_factory: pytest.TempPathFactory) -> Task:
    return read_task(folder / "tiles.parquet", folder, settings, tmp_path_factory.mktemp("out"))


def test_the_network_learns_from_the_training_part_only(task: Task) -> None:
    assert set(task.train["slide_id"]) == {"t0", "t1", "t2"}
    assert not set(task.train["patient"]) & set(task.slides["patient"])
    assert task.train["target"].tolist().count(1) == 4**2 + 2**2
    assert len(task.slides) == 16


def test_heat_maps_find_the_lesions_and_removed_tiles_are_not_scored(task: Task) -> None:
    raw, _, both = (task.outcome(way, lambda: None) for way in WAYS)

    table = raw.slides.set_index("slide_id")
    for slide, label in (("p3_node_0", "macro"), ("p2_node_0", "micro"), ("p0_node_0", "negative")):
        assert table.loc[slide, "largest_pixels"] == pytest.approx(SIZES[label] ** 2, abs=1)
    assert both.slides.set_index("slide_id").loc["p3_node_0", "tiles"] == ROWS * (COLUMNS - 1)
    assert (raw.tiles["probability"].between(0, 1)).all()
    assert sum(len(one.lesions) for one in raw.hits.values()) == 5, "isolated tumour cells are left out"


def test_a_patient_with_a_node_that_was_not_scored_is_not_staged(task: Task) -> None:
    both = task.outcome(WAYS[2], lambda: None)

    patients = {one.name: one for one in both.patients("tree")}

    assert patients["p7"].found_stage is None
    assert patients["p7"].stage is PNStage.PN0_I
    assert UNSEEN in both.hits
    assert stages_right(list(patients.values())) <= 7 / 8
    assert not np.isnan(stage_kappa(list(patients.values())))


def test_everything_is_written_and_a_second_run_trains_and_reads_nothing_anew(task: Task, folder: Path) -> None:
    done: list[int] = []
    run_task(task, folder / "tiles.parquet", lambda: done.append(1))
    first = (task.folder / "report.md").read_bytes()
    weights = {path: path.stat().st_mtime_ns for path in task.folder.rglob("weights.safetensors")}
    began = time.time_ns()

    run_task(task, folder / "tiles.parquet", lambda: None)

    assert len(done) == steps(task)
    assert (task.folder / "report.md").read_bytes() == first
    assert len(weights) == 2
    assert all(path.stat().st_mtime_ns == before < began for path, before in weights.items())
    text = first.decode()
    for part in ("# Metastases", "kappa of stages", "at both", "naive Bayes", "FROC"):
        assert part in text
    with Image.open(task.folder / "heat" / "p3_node_0.png") as overlay:
        width, height = overlay.size
        assert width / height == pytest.approx(COLUMNS / ROWS)
        alpha = np.asarray(overlay)[..., 3]
    assert alpha[height // 4, width * 3 // 8] > alpha[height * 11 // 12, width // 16]
    patients = pd.read_csv(task.folder / "patients.csv", dtype=str, keep_default_na=False)
    assert set(patients.columns) == {"filter", "patient", "stage", "tree", "bayes"}
    assert len(patients) == 3 * len(PATIENTS)


def features_table(patients: int) -> pd.DataFrame:
    """Two nodes each: largest object of 0, 1, 6 or 40 pixels, by label."""
    rng = np.random.default_rng(0)
    pixels = {"negative": 0, "itc": 1, "micro": 6, "macro": 40}
    found = []
    for number in range(patients):
        for node, label in enumerate((list(SIZES)[number % 4], "negative")):
            size = pixels[label] * rng.uniform(0.9, 1.1)
            long, short = np.sqrt(size) * 1.2, np.sqrt(size) / 1.2
            row = {"slide_id": f"{number}-{node}", "patient": f"p{number:02d}", "label": label}
            heat = {"highest": min(0.99, 0.1 + size), "mean_positive": 0.1 + size / 100, "pixels": size}
            found.append({**row, **heat, "long_side": long, "short_side": short, "largest_pixels": size})
    return pd.DataFrame(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_tells_labels_that_differ_in_size(name: str) -> None:
    table = features_table(32)

    found = cross_labels(table, name, LabelModelSettings(folds=2))  # type: ignore[arg-type]

    assert np.mean([a == b for a, b in zip(found, table["label"], strict=True)]) > 0.9
    assert found == cross_labels(table, name, LabelModelSettings(folds=2))  # type: ignore[arg-type]


def test_no_patient_is_in_two_parts_and_stages_are_dealt_out() -> None:
    table = features_table(40)

    folds = patient_folds(table, LabelModelSettings(folds=5))

    assert len(set(zip(table["patient"], folds.tolist(), strict=True))) == 40
    macro = table.assign(fold=folds).loc[table["label"] == "macro"].groupby("fold").size()
    assert macro.tolist() == [2, 2, 2, 2, 2]


def test_slides_without_label_are_labelled_by_all_that_have_one() -> None:
    table = features_table(32)
    table.loc[table["patient"] == "p03", "label"] = ""  # p03's first node is a macrometastasis

    found = cross_labels(table, "tree", LabelModelSettings())

    assert str(found[6]) == "macro"


def test_models_that_saw_one_label_are_refused() -> None:
    table = features_table(8).assign(label="negative")

    with pytest.raises(ManifestError, match="saw one label"):
        cross_labels(table, "tree", LabelModelSettings())


def test_intervals_hold_the_value(task: Task) -> None:
    found = figure(task.outcome(WAYS[0], lambda: None).patients("tree"), stages_right, 200)

    assert found.low <= found.value <= found.high
