"""A person's corrections on their whole way: assessed, exported, corrected as in QuPath, imported, trained on."""

import json
from pathlib import Path

import numpy as np

from qc.exchange.rasters import read_artefact_map
from qc.labels import IGNORE, ArtefactClass
from qc.nets.card import read_card
from qc.pipeline.folder import RunFolder

RULES = '[artefact]\nstage = "rules"\n'
TRAINING = """
sources = "corrected/sources.toml"

[network]
pyramid_channels = 32

[sampling]
batch_tiles = 2
batches = 1
composed_tiles = 0
validation_batches = 1

[optimiser]
epochs = 1
"""


def corrected(path: Path, folder: Path) -> None:
    """What QuPath writes after a person worked on it: false alarms gone, a bubble and a doubtful place drawn."""
    features = json.loads(path.read_text())["features"]
    kept = [one for one in features if one["properties"]["classification"]["name"] == "Tissue"]
    for name, x in (("Bubble", 400), ("Ignore*", 560)):
        ring = [[x, 400], [x + 120, 400], [x + 120, 520], [x, 520], [x, 400]]
        properties = {"objectType": "annotation", "classification": {"name": name, "color": [1, 2, 3]}}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        kept.append({"type": "Feature", "id": "", "geometry": geometry, "properties": properties})
    folder.mkdir(exist_ok=True)
    (folder / path.name).write_text(json.dumps({"type": "FeatureCollection", "features": kept}, indent=2))


def test_corrections_drawn_in_qupath_become_a_network(qc, draw, write_pyramid, tmp_path):
    (tmp_path / "data").mkdir()
    for seed in range(3):
        write_pyramid(tmp_path / "data" / f"slide-{seed}.tiff", draw(1000, 900, seed))
    (tmp_path / "rules.toml").write_text(RULES)
    run, data = tmp_path / "run", tmp_path / "data"
    told = ("--accelerator", "cpu", "--workers", 0, "--data", data, "--out", tmp_path / "network")

    assessed, *_ = qc("assess", data, "--out", run, "--settings", tmp_path / "rules.toml")
    exported, *_ = qc("export", run, "--format", "geojson", "--out", tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        corrected(path, tmp_path / "drawn")
    imported, *_ = qc(
        "import", tmp_path / "drawn", "--run", run, "--data", data, "--out", tmp_path / "corrected", "--licence", "ours"
    )
    sources = tmp_path / "corrected" / "sources.toml"
    sources.write_text(f"tile_px = 256\n{sources.read_text()}")
    (tmp_path / "training.toml").write_text(TRAINING)
    trained, _, err = qc("train", "artefact", tmp_path / "training.toml", *told)

    assert (assessed, exported, imported, trained) == (0, 0, 0, 0), err
    records = RunFolder(run).records()
    for record in records:
        mask = read_artefact_map(tmp_path / "corrected" / "masks" / f"{record.stamp.slide_id}.png")
        middle = round(460 / mask.grid.pitch)
        assert mask.classes[middle, middle] == ArtefactClass.BUBBLE
        assert mask.classes[middle, round(620 / mask.grid.pitch)] == IGNORE
        assert not np.isin(mask.classes, [ArtefactClass.FOLD, ArtefactClass.OUT_OF_FOCUS, ArtefactClass.FOREIGN]).any()
    card = read_card(tmp_path / "network")
    assert {one.licence for one in card.sources} == {"ours"}
    trained_on = [slide for one in card.sources for slide in one.slides]
    assert len(trained_on) == 1
    assert sorted([*trained_on, *card.held_out]) == [
        "slide-0",
        "slide-1",
        "slide-2",
    ]  # of few slides, each part has one
    assert card.may_be_published
    for name in ("weights.safetensors", "network.onnx"):
        assert (tmp_path / "network" / name).stat().st_size > 1000


def test_too_few_slides_are_told_before_any_tile_is_drawn(qc, draw, write_pyramid, tmp_path):
    slide = write_pyramid(tmp_path / "a.tiff", draw(1000, 900, 1))
    (tmp_path / "sources.toml").write_text(
        f'[[sources]]\nname = "a"\nkind = "tissue"\nfiles = "{slide.name}"\nuse = "train"\nlicence = "ours"\n'
    )
    (tmp_path / "training.toml").write_text('sources = "sources.toml"\n')

    code, _, err = qc("train", "artefact", tmp_path / "training.toml", "--data", tmp_path, "--out", tmp_path / "out")

    assert code == 2
    assert "too few patients (1) for the parts train, validation, test" in " ".join(err.split())
    assert not (tmp_path / "out").exists()
