from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from qc.downstream.metastasis.labels_file import agreement, read_labels
from qc.downstream.metastasis.stages import NodeLabel, PNStage, pn_stage, quadratic_kappa
from qc.errors import ManifestError

N, I, MI, MA = NodeLabel  # noqa: E741 - isolated tumour cells


@pytest.mark.parametrize(
    ("labels", "stage"),
    [
        ((N, N, N, N, N), "pN0"),
        ((I, N, N, N, N), "pN0(i+)"),
        ((I, I, I, I, I), "pN0(i+)"),
        ((MI, N, N, N, N), "pN1mi"),
        ((MI, I, I, I, I), "pN1mi"),
        ((MI, MI, MI, MI, MI), "pN1mi"),
        ((MA, N, N, N, N), "pN1"),
        ((MA, I, I, I, I), "pN1"),
        ((MA, MI, MI, I, I), "pN1"),
        ((MA, MA, MA, N, N), "pN1"),
        ((MA, MI, MI, MI, N), "pN2"),
        ((MA, MA, MA, MA, N), "pN2"),
        ((MA,) * 9, "pN2"),
    ],
)
def test_stages_follow_the_rules_of_camelyon17(labels: tuple[NodeLabel, ...], stage: str) -> None:
    assert pn_stage(labels) == stage
    assert pn_stage(reversed(labels)) == stage


def test_what_the_rules_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="10 positive nodes are beyond pN2"):
        pn_stage([MA] * 10)
    with pytest.raises(ValueError, match="without a node"):
        pn_stage([])


def test_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    order = list(PNStage)
    truth, found = rng.integers(0, 5, 60), rng.integers(0, 5, 60)

    kappa = quadratic_kappa([order[i] for i in truth], [order[i] for i in found])

    assert kappa == pytest.approx(cohen_kappa_score(truth, found, weights="quadratic"))


def test_kappa_by_hand() -> None:
    """Three patients, one wrong by two of four steps: 1 - (4/3) / (sum over pairs of squared steps / 9)."""
    truth, found = (PNStage.PN0, PNStage.PN1MI, PNStage.PN2), (PNStage.PN0, PNStage.PN0, PNStage.PN2)

    # squared steps of all pairs: pN0 against (0, 0, 4), pN1mi (2, 2, 2), pN2 (4, 4, 0)
    by_chance = (0 + 0 + 16 + 4 + 4 + 4 + 16 + 16 + 0) / 9
    assert quadratic_kappa(truth, found) == pytest.approx(1 - (4 / 3) / by_chance)


def test_kappa_of_one_stage_alone_is_undefined() -> None:
    assert np.isnan(quadratic_kappa([PNStage.PN0, PNStage.PN0], [PNStage.PN0, PNStage.PN0]))


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("patient,stage", *lines)) + "\n", encoding="utf-8")
    return path


def test_a_wrong_stage_in_a_file_is_found(tmp_path: Path) -> None:
    file = write(tmp_path / "s.csv", "p_0.zip,pN1", "p_0_node_0.tif,macro", "p_1.zip,pN0", "p_1_node_0.tif,itc")

    patients = read_labels(file)

    assert [(one.name, str(one.stage), str(one.stated)) for one in patients] == [
        ("p_0", "pN1", "pN1"),
        ("p_1", "pN0(i+)", "pN0"),
    ]
    assert agreement(patients)[:2] == (1, 2)


def test_a_file_may_hold_labels_only(tmp_path: Path) -> None:
    patients = read_labels(write(tmp_path / "s.csv", "p_0_node_0.tif,micro", "p_0_node_1.tif,negative"))

    assert (str(patients[0].stage), patients[0].stated) == ("pN1mi", None)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("p_0_node_0.tif,huge",), "line 2: 'huge' is none of negative, itc, micro, macro"),
        (("p_0.zip,pN3", "p_0_node_0.tif,macro"), "line 2: 'pN3' is none of"),
        (("p_0.zip,pN0",), "without a node has no stage"),
        (("p_0_node_0.tif,itc", "p_0_node_0.tif,itc"), "is there twice"),
        ((), "names no patient"),
    ],
)
def test_a_file_that_cannot_be_staged_says_why(tmp_path: Path, lines: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ManifestError, match=sentence):
        read_labels(write(tmp_path / "s.csv", *lines))


@pytest.mark.data
def test_the_hundred_patients_of_camelyon17_get_their_stages(qc_data: Path) -> None:
    patients = read_labels(qc_data / "camelyon" / "camelyon17-stage-labels.csv")

    right, stated, kappa = agreement(patients)

    assert (right, stated, kappa) == (100, 100, 1.0)
    assert sum(len(one.labels) for one in patients) == 500
