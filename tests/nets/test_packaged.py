"""Networks that come with the product."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from qc.artefact.choose import networks_in_force
from qc.artefact.network.agreement import agreement
from qc.artefact.network.evidence import decide, thresholds_of
from qc.config.assess import AssessSettings
from qc.config.stage import StageSettings
from qc.errors import WeightsError
from qc.labels import ARTEFACTS, ArtefactClass
from qc.nets.card import CARD, GRAPH, INT8_GRAPH, WEIGHTS, read_card
from qc.nets.gpu import CUDA, is_usable, open_weights
from qc.nets.packaged import has_gpu, network_folder, network_of
from qc.nets.session import session
from qc.phantom import load_cohort, make_phantom

FOLDER = Path(__file__).parents[2] / "qc" / "weights"
NETWORKS = sorted(path.parent.name for path in FOLDER.glob("*/card.json"))
COHORT = Path(__file__).parents[2] / "datasets" / "phantoms-test.toml"


@pytest.mark.parametrize("name", NETWORKS)
def test_a_shipped_network_was_trained_only_on_what_may_be_published(name: str) -> None:
    card = read_card(network_folder(name))

    assert card.may_be_published
    assert all(source.licence not in ("", "none") for source in card.sources)
    assert not {"gallery-18", "imi-29"} & {slide for source in card.sources for slide in source.slides}


def test_all_shipped_networks_fit_into_the_repository() -> None:
    size = sum((FOLDER / name / file).stat().st_size for name in NETWORKS for file in _files(name))

    assert 0 < size <= 15e6


def _files(name: str) -> list[str]:
    return [WEIGHTS, GRAPH, *([INT8_GRAPH] if read_card(network_folder(name)).int8_sha256 else [])]


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    """(500, 470, 3) uint8, of no size that networks take as it is."""
    return np.ascontiguousarray(make_phantom(load_cohort(COHORT).slides[0]).rgb[:500, :470])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("device", ["cpu", *([CUDA] if is_usable() else [])])
def test_torch_and_the_runtime_agree_on_tissue(name: str, device: str, tissue: np.ndarray) -> None:
    expected = open_weights(network_folder(name), device)(tissue)

    np.testing.assert_allclose(session(network_folder(name)).probabilities(tissue), expected, atol=1e-4)


def test_assessments_run_the_rounded_network_on_the_processor_and_the_exact_one_on_a_gpu(tissue: np.ndarray) -> None:
    rounded = network_of("artefact-1", "artefact", "auto", "cpu")
    exact = network_of("artefact-1", "artefact", "float32", "cpu")

    found = agreement(exact.probabilities, rounded.probabilities, exact.card, [tissue])

    assert (rounded.precision, rounded.device) == ("int8", "cpu")
    assert found.share > 0.97
    assert 0 < found.mean_difference < 0.01  # two forms, and nearly the same
    if has_gpu():
        chosen = network_of("artefact-1", "artefact", "auto", "auto")
        assert (chosen.precision, chosen.device) == ("float32", "gpu")
    else:
        with pytest.raises(WeightsError, match=r'no GPU on this machine; set device = "cpu"'):
            network_of("artefact-1", "artefact", "auto", "gpu")


def test_eight_bits_are_not_asked_of_a_gpu() -> None:
    with pytest.raises(ValueError, match="int8 runs on the processor alone"):
        StageSettings(device="gpu", precision="int8")


def test_other_thresholds_are_another_network_to_results(tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(network_folder("artefact-1"), changed)
    card = read_card(changed)
    lower = {name: value / 2 for name, value in card.thresholds.items()}
    (changed / CARD).write_text(card.model_copy(update={"thresholds": lower}).model_dump_json(), encoding="utf-8")

    prints = {
        networks_in_force(AssessSettings(artefact=StageSettings(network=str(f)))) for f in ("artefact-1", changed)
    }

    assert len(prints) == 2


def test_an_unknown_network_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(WeightsError, match=rf"no network nonsense; name one of .*{NETWORKS[0]}"):
        network_folder("nonsense")


@pytest.mark.data
def test_the_artefact_network_tells_ink_and_blur_from_the_same_tissue_untouched(qc_data: Path) -> None:
    network = session(network_folder("artefact-1"))
    pair = cv2.imread(str(sorted((qc_data / "artefacts" / "pen-pairs").glob("*"))[0]), cv2.IMREAD_COLOR_RGB)
    assert pair is not None
    clean, inked = np.ascontiguousarray(pair[:, :256]), np.ascontiguousarray(pair[:, 256:])
    blurred = np.asarray(cv2.blur(cv2.blur(clean, (9, 9)), (9, 9)), np.uint8)

    def share(rgb: np.ndarray) -> float:
        classes, _ = decide(network.probabilities(rgb.astype(np.uint8)), network.card, thresholds_of(network.card))
        return float(np.isin(classes, ARTEFACTS).mean())

    assert share(inked) > share(clean) + 0.3
    assert share(blurred) > share(clean) + 0.3
    assert ArtefactClass.PEN.name in network.card.thresholds
