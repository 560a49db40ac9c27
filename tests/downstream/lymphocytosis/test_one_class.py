from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.svm import OneClassSVM
from torch import Tensor, nn

from qc.config.lymphocytosis import FeatureSettings, InstanceMilSettings, OneClassSvmSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.folds import fold_numbers, of_others
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.networks import InstanceMil
from qc.downstream.lymphocytosis.one_class import fit_one_class, one_class_margins
from qc.downstream.lymphocytosis.one_class_model import outlier_shares
from qc.downstream.lymphocytosis.registry import model_of


def test_margins_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    seen, others = rng.normal(2, 3, (60, 4)), rng.normal(0, 6, (30, 4))

    found = one_class_margins(fit_one_class(seen, 0.2), others)

    theirs = OneClassSVM(nu=0.2, gamma="scale").fit(seen)
    assert found == pytest.approx(theirs.decision_function(others), abs=1e-9)
    assert (one_class_margins(fit_one_class(seen, 0.2), seen) < -1e-6).mean() <= 0.2


def test_the_machine_learns_cells_of_reactive_patients_alone(bags: Bags, tmp_path: Path) -> None:
    settings = OneClassSvmSettings(features=FeatureSettings(source="morphology", components=0), inner_folds=2, nu=0.5)

    tensors = model_of(settings).fit(bags, Bench(tmp_path), 1)

    seen = np.concatenate([cells.values for cells in bags.cells])
    scaled = (seen - tensors["features.scaler.mean"]) / tensors["features.scaler.deviation"]
    is_reactive = np.repeat(~bags.target, bags.counts)
    apart = np.abs(tensors["machine.support"][:, None] - np.nan_to_num(scaled)).sum(axis=2)
    assert is_reactive[apart.argmin(axis=1)].all()
    assert apart.min(axis=1).max() < 1e-9


def test_a_patient_is_the_share_of_cells_outside() -> None:
    found = outlier_shares([np.array([-1.0, 0.5, -0.1, 2.0]), np.zeros(0)])

    assert found[0] == 0.5
    assert np.isnan(found[1])


def test_values_of_others_come_from_folds_without_the_patient(bags: Bags) -> None:
    number = fold_numbers(bags, 3, 4)

    def judge(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        assert not set(number[inside]) & set(number[outside])
        return outside.astype(float)

    assert of_others(bags, 3, 4, judge).tolist() == list(range(12))


class Fixed(nn.Module):
    """Gives logits that were put in as the first pixel's brightness."""

    def forward(self, rgb: Tensor) -> Tensor:
        return rgb[:, :1, 0, 0]


@pytest.mark.parametrize(("pooling", "wanted"), [("mean", 0.6), ("max", 0.7)])
def test_a_patients_chance_is_the_mean_or_the_maximum_of_the_cells(pooling: str, wanted: float) -> None:
    settings = InstanceMilSettings.model_validate({"encoder": "test_resnet", "pooling": pooling})
    network = InstanceMil(settings)
    network.encoder = Fixed()
    chance = torch.tensor([[0.5, 0.7, 0.9], [0.5, 0.5, 0.5]])
    cells = ((torch.logit(chance) + 1) * 127.5)[..., None, None, None].expand(2, 3, 1, 1, 3)

    logit, weights = network(cells, torch.tensor([[True, True, False], [False] * 3]), torch.zeros(2, 3))

    assert torch.sigmoid(logit).tolist() == pytest.approx([wanted, 0.5], abs=1e-6)
    assert weights[0].tolist() == pytest.approx([0.5, 0.7, 0], abs=1e-6)
