import pytest
import torch

from qc.config.train import NetworkSettings
from qc.labels import IGNORE, ArtefactClass
from qc.nets.build import build
from qc.nets.sampler import Draw
from qc.train.dataset import Sample
from qc.train.rarity import class_weights, undo_weights

DRAW = Draw(0, ArtefactClass.CLEAN, 0)
SIZES = NetworkSettings(pyramid_channels=16, segmentation_channels=32)


class Told:
    """Samples whose cells are what they are said to be: 90 of class 0, 10 of class 1, the rest without a label."""

    def __getitem__(self, draw: Draw) -> Sample:
        nothing = torch.zeros(0)
        classes = torch.tensor([0] * 90 + [1] * 10 + [IGNORE] * 50)
        return Sample(
            rgb=nothing,
            classes=classes,
            allowed=nothing,
            present=nothing,
            is_weak=nothing,
            index=torch.tensor(draw.index),
        )


@pytest.mark.parametrize("power", [0.0, 0.3, 0.5, 1.0])
def test_rare_classes_weigh_more_and_all_cells_together_as_before(power: float) -> None:
    weights = class_weights(Told(), [[DRAW, DRAW]], 3, power)

    assert float(weights[1] / weights[0]) == pytest.approx(9**power, rel=1e-5)
    assert float(0.9 * weights[0] + 0.1 * weights[1]) == pytest.approx(1, rel=1e-5)
    assert float(weights[2]) == 1  # never seen


def test_without_labels_all_weigh_alike() -> None:
    assert class_weights(Told(), [], 3, 0.5).tolist() == [1, 1, 1]


def test_undone_weights_leave_the_probabilities_of_unweighted_cells() -> None:
    network = build(SIZES, 3, seed=1).eval()
    rgb = torch.randint(0, 255, (1, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    weights = torch.tensor([0.5, 2.0, 4.0])
    with torch.no_grad():
        before = torch.softmax(network(rgb), dim=1)
        undo_weights(network, weights)
        after = torch.softmax(network(rgb), dim=1)

    wanted = before / weights[None, :, None, None]
    torch.testing.assert_close(after, wanted / wanted.sum(dim=1, keepdim=True))
