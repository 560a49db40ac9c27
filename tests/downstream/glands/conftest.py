from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qc.config.glands import GlandFitSettings, GlandSettings, InstanceSettings, UnetSettings
from qc.config.training import AugmentSettings

AS_IS = AugmentSettings(chance=0.0, noise=0.0)


def draw(seed: int, side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Dark rings with a light middle on pink, some of them touching; each is a gland."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    rgb = np.full((side, side, 3), (225, 170, 200), float)
    labels = np.zeros((side, side), np.uint8)
    for number, (x, y) in enumerate(((24, 24), (25, 70), (70, 30), (72, 72)), 1):
        away = np.hypot(columns - x - rng.uniform(-3, 3), rows - y - rng.uniform(-3, 3))
        radius = rng.uniform(15, 21)
        free = labels == 0
        labels[(away <= radius) & free] = number
        rgb[(away <= radius) & free] = (120, 70, 140)
        rgb[away <= radius / 2.5] = (240, 235, 240)
    return np.clip(rgb + rng.normal(0, 5, rgb.shape), 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="session")
def glands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `train`, `testA` and `testB` of drawn glands with masks, and the table of patients."""
    root = tmp_path_factory.mktemp("glands")
    rows = ["name,patient ID, grade (GlaS), grade (Sirinukunwattana et al. 2015)"]
    for part, count in (("train", 3), ("testA", 2), ("testB", 2)):
        (root / part).mkdir()
        for number in range(1, count + 1):
            rgb, labels = draw(number + 10 * len(part))
            Image.fromarray(rgb).save(root / part / f"{number}.png")
            Image.fromarray(labels).save(root / part / f"{number}-mask.png")
            rows.append(f"{part}_{number},{number}, {'benign' if number % 2 else 'malignant'}, any")
    (root / "grades.csv").write_text("\r".join(rows))
    return root


@pytest.fixture(scope="session")
def small() -> GlandSettings:
    return GlandSettings(
        image_mpp=1.0,
        mpp=1.0,
        border_um=3.0,
        turned=False,
        network=UnetSettings(encoder="tu-test_resnet", decoder_channels=(16, 16, 8)),
        fit=GlandFitSettings(epochs=2, epoch_crops=8, batch_crops=4, crop_px=64, learning_rate=5e-3),
        augment=AS_IS,
        instances=InstanceSettings(core_from=0.5, core_mm2_min=1e-4, area_mm2_min=4e-4),
    )
