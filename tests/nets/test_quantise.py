"""A network in 8 bits: nearly the same answers, run only where it was adopted."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from qc.artefact.choose import artefact_stage
from qc.artefact.network.agreement import agreement
from qc.cli.train import train
from qc.config.assess import AssessSettings
from qc.errors import WeightsError
from qc.nets.card import INT8_GRAPH, read_card
from qc.nets.quantise import adopt, quantise
from qc.nets.session import Session, open_graph

Rgb = np.ndarray


@pytest.fixture(scope="module")
def tiles(tissue_rgb: Rgb) -> list[Rgb]:
    corners = [(y, x) for y in range(400, 1400, 160) for x in range(500, 1700, 160)]
    return [np.ascontiguousarray(tissue_rgb[y : y + 128, x : x + 128]) for y, x in corners]


@pytest.fixture(scope="module")
def rounded(network_folder: Path, tiles: list[Rgb], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the network with a form in 8 bits that was not adopted."""
    folder = Path(shutil.copytree(network_folder, tmp_path_factory.mktemp("rounded") / "network"))
    quantise(folder, tiles[::2])
    return folder


def test_a_rounded_network_says_nearly_the_same(rounded: Path, tiles: list[Rgb]) -> None:
    exact, other = Session(rounded), open_graph(rounded / INT8_GRAPH)

    found = agreement(exact.probabilities, other, exact.card, tiles[1::2])

    assert found.cells == len(tiles[1::2]) * 32 * 32
    assert 0.9 < found.share < 1
    assert 0 < found.mean_difference < 0.02
    assert (rounded / INT8_GRAPH).stat().st_size < 0.5 * (rounded / "network.onnx").stat().st_size


def test_agreement_counts_cells(network_folder: Path, tiles: list[Rgb]) -> None:
    session = Session(network_folder)

    def never(rgb: Rgb) -> Rgb:
        p = np.zeros((7, rgb.shape[0] // 4, rgb.shape[1] // 4), np.float32)
        p[0] = 1
        return p

    same = agreement(session.probabilities, session.probabilities, session.card, tiles[:2])
    other = agreement(session.probabilities, never, session.card, tiles[:2])

    assert same.share == 1
    assert same.mean_difference == 0
    assert other.called == same.called > 0
    assert other.called_share == 0
    assert other.share == pytest.approx(1 - same.called / same.cells)


def test_what_was_not_adopted_is_not_run(rounded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(rounded, tmp_path / "network"))
    assert read_card(folder).int8_sha256 is None
    with pytest.raises(WeightsError, match="no network in 8 bits that was adopted"):
        Session(folder, precision="int8")

    adopt(folder)

    settings = AssessSettings.model_validate(
        {"artefact": {"stage": "network", "network": str(folder), "precision": "int8"}}
    )
    assert artefact_stage(settings).name.endswith(" int8")
    (folder / INT8_GRAPH).write_bytes(b"other")
    with pytest.raises(WeightsError, match=f"{INT8_GRAPH} is not the file that its card speaks of"):
        Session(folder)


def test_what_is_not_there_is_not_adopted(network_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(network_folder, tmp_path / "network"))

    with pytest.raises(WeightsError, match="no network in 8 bits to adopt"):
        adopt(folder)
    assert read_card(folder).int8_sha256 is None


def test_the_command_says_what_rounding_costs(network_folder: Path, tiles: list[Rgb], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(network_folder, tmp_path / "network"))
    np.save(tmp_path / "pixels.npy", np.stack(tiles))

    told = CliRunner().invoke(train, ["quantise", str(folder), "--tiles", str(tmp_path), "--count", "8", "--adopt"])

    assert told.exit_code == 0, told.output
    assert "cells called the same: 0." in told.output
    assert read_card(folder).int8_sha256 is not None
