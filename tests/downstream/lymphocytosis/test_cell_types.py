import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from qc.config.lymphocytosis import CellTypeSettings, FeatureSettings, PixelSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cell_types import fit_cell_types, type_features, type_loss, typed_cells
from qc.downstream.lymphocytosis.features import features_of, fit_features
from qc.downstream.lymphocytosis.model import Bench
from qc.errors import SettingsError

PIXELS = PixelSettings(crop_px=64, input_px=32)


@pytest.fixture
def typed(tmp_path: Path, smear: Callable[..., np.ndarray]) -> Path:
    for name, radius in (("monocyte", 14), ("basophil", 8)):
        (tmp_path / "typed" / name).mkdir(parents=True)
        for i in range(6):
            cv2.imwrite(str(tmp_path / "typed" / name / f"{i}.png"), smear(radius, seed=i)[..., ::-1])
    return tmp_path / "typed"


def told(folder: Path, epochs: int) -> CellTypeSettings:
    return CellTypeSettings(
        encoder="test_resnet",
        folder=str(folder),
        typed_crop_px=64,
        pixels=PIXELS,
        epochs=epochs,
        batch_cells=6,
        learning_rate=1e-2,
    )


def test_types_are_numbered_by_the_names_of_their_folders(typed: Path) -> None:
    found = typed_cells(typed)

    assert {(path.parent.name, label) for path, label in found} == {("basophil", 0), ("monocyte", 1)}
    assert len(found) == 12


def test_the_loss_is_the_cross_entropy_of_types() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]])

    class Fixed(nn.Module):
        def forward(self, rgb: torch.Tensor) -> torch.Tensor:
            return logits

    found = type_loss(Fixed(), (torch.zeros(2, 4, 4, 3), torch.tensor([2, 1])), np.random.default_rng(0))

    chance = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True)
    assert float(found) == pytest.approx(-np.log([chance[0, 2], chance[1, 1]]).mean(), abs=1e-6)


def test_features_are_those_of_the_network_that_learnt_the_types(typed: Path, bags: Bags, tmp_path: Path) -> None:
    settings = FeatureSettings(source="cell_types", cell_types=told(typed, 2), components=4)
    bench = Bench(tmp_path / "work")

    tensors = fit_features(bags, settings, bench, 1)

    shutil.rmtree(typed)  # judging needs the file alone
    found = features_of(tensors, settings, bags.at([3]), Bench(tmp_path / "elsewhere"))[0]
    assert found.shape == (6, 4)
    assert found == pytest.approx(features_of(tensors, settings, bags, bench)[3], abs=1e-4)


def test_learning_types_changes_what_is_seen(typed: Path, bags: Bags, tmp_path: Path) -> None:
    short, long = told(typed, 1), told(typed, 3)

    first, second = (
        type_features(fit_cell_types(one, Bench(tmp_path)), one, bags, Bench(tmp_path))[0] for one in (short, long)
    )

    assert not np.allclose(first, second)


def test_folders_without_types_are_refused(typed: Path) -> None:
    shutil.rmtree(typed / "basophil")
    with pytest.raises(SettingsError, match="holds 1 folders of cells"):
        typed_cells(typed)
    (typed / "empty").mkdir()
    with pytest.raises(SettingsError, match="empty holds no image"):
        typed_cells(typed)


def test_a_network_that_learnt_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither a folder"):
        CellTypeSettings()
    with pytest.raises(ValidationError, match="belong together"):
        FeatureSettings(source="cell_types")
