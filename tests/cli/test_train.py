"""`qc train artefact` from images with masks to a network that assesses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from qc.labels import ARTEFACTS
from qc.nets.card import read_card
from qc.nets.session import Session

Qc = Callable[..., tuple[object, str, str]]

ON_CPU = ("--workers", 0, "--accelerator", "cpu")
SOURCES = """
mpp = 1.0
tile_px = 64

[[sources]]
name = "own"
kind = "masks"
files = "*.png"
slide = '(slide-\\d)\\.png'
mpp = 1.0
use = "{use}"
licence = "CC-BY-4.0"
all_tissue = true
annotation = "{{stem}}.mask.tif"
rest = "ignore"

[sources.values]
1 = "clean"
2 = "fold"
7 = "glass"

[[sources]]
name = "clean"
kind = "tissue"
files = "slide-[0-3].png"
slide = '(slide-\\d)\\.png'
mpp = 1.0
use = "train"
licence = "CC0"
all_tissue = true
"""

TRAINING = """
sources = "sources.toml"
folds = 2
hold_out = ["slide-5"]

[network]
pyramid_channels = 32

[sampling]
batch_tiles = 4
batches = 2
composed_tiles = 2

[optimiser]
epochs = 1
"""


def described(folder: Path, use: str = "train") -> Path:
    (folder / "sources.toml").write_text(SOURCES.format(use=use), encoding="utf-8")
    (folder / "training.toml").write_text(TRAINING, encoding="utf-8")
    return folder / "training.toml"


def test_images_with_masks_become_a_network_with_a_card_and_pictures(
    qc: Qc, labelled_images: Path, tmp_path: Path
) -> None:
    config, out = described(tmp_path), tmp_path / "network"
    told = ("train", "artefact", config, "--data", labelled_images, "--out", out, *ON_CPU)

    part, _, _ = qc(*told, "--part", "fold-1")
    trained_alone = (out / "fold-1" / "last.ckpt").read_bytes()
    code, said, err = qc(*told)

    assert (part, code) == (0, 0), err
    assert "fold-0: leaving out" in said
    assert f"written to {out}" in said
    assert (out / "fold-1" / "last.ckpt").read_bytes() == trained_alone
    assert {path.name for path in out.iterdir()} >= {"weights.safetensors", "network.onnx", "card.json", "fold-0"}
    for name in ("curves.svg", "reliability.svg"):
        assert (out / name).read_text(encoding="utf-8").startswith("<svg")
    card = read_card(out)
    assert {source.name: source.licence for source in card.sources} == {"own": "CC-BY-4.0", "clean": "CC0"}
    assert {source.name: source.slides for source in card.sources} == {
        "own": ("slide-0", "slide-1", "slide-2", "slide-3", "slide-4"),
        "clean": ("slide-0", "slide-1", "slide-2", "slide-3"),
    }
    assert card.held_out == ("slide-5",)
    assert set(card.thresholds) == {one.name for one in ARTEFACTS}
    assert card.may_be_published
    folds = [read_card(out / name) for name in ("fold-0", "fold-1")]
    assert sorted(slide for fold in folds for slide in fold.held_out) == list(card.sources[0].slides)
    assert all(not {*fold.held_out} & {*source.slides} for fold in folds for source in fold.sources)
    found = Session(out).probabilities(np.full((64, 64, 3), 200, np.uint8))
    assert found.shape == (7, 16, 16)

    again, _, _ = qc(*told)

    assert again == 0
    later = read_card(out)
    assert later == card.model_copy(update={"thresholds": later.thresholds})
    assert later.thresholds == pytest.approx(card.thresholds, abs=1e-6)  # kept networks compute in another order


def test_a_training_starts_from_another_network_unless_that_knows_what_this_one_is_judged_on(
    qc: Qc, labelled_images: Path, tmp_path: Path
) -> None:
    config, first = described(tmp_path), tmp_path / "first"
    on = ("--data", labelled_images, "--tiles", tmp_path / "tiles", *ON_CPU)
    qc("train", "artefact", config, "--out", first, *on)
    still = TRAINING.replace("epochs = 1", "epochs = 1\nlearning_rate = 1e-9")
    dealt_otherwise = f"seed = 7\n{still}"  # yet nobody may change folds
    config.write_text(f'start = "{first}"\n{dealt_otherwise}', encoding="utf-8")

    code, _, err = qc("train", "artefact", config, "--out", tmp_path / "second", *on)
    config.write_text(f'start = "{first}"\n{still.replace("folds = 2", "folds = 0")}', "utf-8")
    refused, _, why = qc("train", "artefact", config, "--out", tmp_path / "third", *on)

    assert code == 0, err
    for part in (".", "fold-0", "fold-1"):
        assert read_card(tmp_path / "first" / part).held_out == read_card(tmp_path / "second" / part).held_out
        before, after = (load_file(tmp_path / name / part / "weights.safetensors") for name in ("first", "second"))
        weights = [name for name, one in before.items() if one.ndim > 1 and name != "prior"]
        assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in weights)
    assert refused == 2
    assert "which this training is judged on" in " ".join(why.split())

    (tmp_path / "sources.toml").write_text(f"tissue_density = 0.2\n{SOURCES.format(use='train')}", encoding="utf-8")
    other, _, why = qc("train", "artefact", config, "--out", tmp_path / "fourth", *on)
    assert other == 2
    assert "sees tissue at density None, the sources ask for 0.2" in " ".join(why.split())


def test_what_may_only_be_measured_on_is_refused_unless_the_weights_are_thrown_away(
    qc: Qc, labelled_images: Path, tmp_path: Path
) -> None:
    config = described(tmp_path, use="evaluate")
    told = ("train", "artefact", config, "--data", labelled_images, "--out", tmp_path / "out", *ON_CPU)

    code, _, err = qc(*told)
    allowed, _, later = qc(*told, "--throw-away", "--part", "fold-9")

    assert (code, allowed) == (2, 2)
    assert "source own (CC-BY-4.0) may be measured on, but not trained on" in " ".join(err.split())
    assert "there is no part fold-9" in " ".join(later.split())
    assert "Traceback" not in err + later


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({'sources = "sources.toml"': 'sources = "none.toml"'}, "none.toml"),
        ({"folds = 2": "folds = 9"}, "too few patients (5) for 9 folds"),
        ({"folds = 2": "folds = 1"}, "at least 2 folds"),
        ({"epochs = 1": "epoch = 1"}, "epoch"),
        ({"pyramid_channels = 32": 'encoder = "tu-nonsense"'}, "encoder tu-nonsense cannot be built"),
    ],
)
def test_a_training_that_cannot_be_is_refused_in_one_sentence(
    qc: Qc,
    labelled_images: Path,
    tmp_path: Path,
    change: dict[str, str],
    says: str,
) -> None:
    config = described(tmp_path)
    ((old, new),) = change.items()
    config.write_text(TRAINING.replace(old, new), encoding="utf-8")

    code, _, err = qc("train", "artefact", config, "--data", labelled_images, "--out", tmp_path / "out", *ON_CPU)

    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in err
    assert not list((tmp_path / "out").glob("*.onnx"))
