"""Networks on disk: what was saved comes back, and nothing else does."""

import json
import shutil
from pathlib import Path

import onnx
import pytest
import torch
from pydantic import ValidationError

from qc.errors import WeightsError
from qc.nets.card import CARD, GRAPH, WEIGHTS, Card, SourceCard, read_card
from qc.nets.packaged import network_folder as find
from qc.nets.session import Session
from qc.nets.weights import load, save


@pytest.fixture
def copy(network_folder: Path, tmp_path: Path) -> Path:
    """The network, to be spoilt."""
    return Path(shutil.copytree(network_folder, tmp_path / "copy"))


def test_a_network_comes_back_as_it_was(network_folder: Path, tmp_path: Path) -> None:
    model, card = load(network_folder)
    known = card.model_dump(exclude={"network", "temperature", "prior", "weights_sha256", "graph_sha256"})

    save(model, tmp_path / "again", **known)
    again, card_again = load(tmp_path / "again")

    assert card_again == card.model_copy(update={"graph_sha256": card_again.graph_sha256})
    assert not again.training
    state = again.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert card.temperature == pytest.approx(1.3)
    assert card.prior["CLEAN"] == 0.5


def test_the_graph_adds_the_levels_of_the_pyramid_one_by_one(network_folder: Path) -> None:
    operators = [node.op_type for node in onnx.load(network_folder / GRAPH).graph.node]

    assert "ReduceSum" not in operators  # a stack and its sum take a tenth of the network's time


@pytest.mark.parametrize("name", [WEIGHTS, GRAPH])
def test_one_changed_byte_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)

    with pytest.raises(WeightsError, match=f"{name} is not the file that its card speaks of"):
        load(copy)
    with pytest.raises(WeightsError, match=f"{name} is not the file that its card speaks of"):
        Session(copy)


@pytest.mark.parametrize("name", [WEIGHTS, GRAPH])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()

    with pytest.raises(WeightsError, match=name):
        read_card(copy)


def test_a_folder_without_a_card_is_refused(copy: Path) -> None:
    (copy / CARD).unlink()

    with pytest.raises(WeightsError, match="holds no network"):
        read_card(copy)
    with pytest.raises(WeightsError, match="there is no network"):
        find(str(copy))


@pytest.mark.parametrize(
    ("change", "says"),
    [({"classes": ["CLEAN", "DUST"]}, "DUST is no class"), ({"mpp": 0}, "mpp"), ({"more": 1}, "Extra inputs")],
)
def test_a_card_that_says_what_cannot_be_is_refused(copy: Path, change: dict[str, object], says: str) -> None:
    content = json.loads((copy / CARD).read_text(encoding="utf-8"))
    (copy / CARD).write_text(json.dumps({**content, **change}), encoding="utf-8")

    with pytest.raises(WeightsError, match=says):
        read_card(copy)


def test_a_broken_card_is_refused(copy: Path) -> None:
    (copy / CARD).write_text("{", encoding="utf-8")

    with pytest.raises(WeightsError, match="is no card of a network"):
        read_card(copy)


def test_weights_of_another_network_are_refused(copy: Path) -> None:
    content = json.loads((copy / CARD).read_text(encoding="utf-8"))
    content["network"]["pyramid_channels"] = 32
    (copy / CARD).write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(WeightsError, match=f"{WEIGHTS} does not fit its card"):
        load(copy)


def test_thresholds_of_classes_that_the_network_does_not_know_are_refused(network_folder: Path) -> None:
    card = read_card(network_folder)

    with pytest.raises(ValidationError, match="PEN"):
        Card.model_validate({**card.model_dump(), "classes": ("CLEAN", "FOLD"), "prior": {}})


def test_one_source_for_measuring_keeps_weights_from_being_published(network_folder: Path) -> None:
    card = read_card(network_folder)
    source = SourceCard(name="b", licence="none", use="evaluate", slides=())

    assert card.may_be_published
    assert not card.model_copy(update={"sources": (*card.sources, source)}).may_be_published
