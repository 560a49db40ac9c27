from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from qc.config.lymphocytosis import CellSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cells import measure_all
from qc.downstream.lymphocytosis.cohort import read_cohort

GLASS, RED_CELL, PLASMA, NUCLEUS = (253, 230, 205), (165, 132, 150), (176, 158, 200), (76, 42, 118)
SIDE = 64


def draw_smear(
    radius: int = 10, ring: int = 6, nucleus: tuple[int, ...] = NUCLEUS, seed: int = 0, side: int = SIDE
) -> np.ndarray:
    """(side, side, 3) uint8: a lymphocyte in the middle, red cells in the corners, fine grain."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), GLASS, np.uint8)
    for x, y in ((6, 6), (side - 7, 8), (8, side - 6), (side - 8, side - 8)):
        image = cv2.circle(image, (x, y), 8, RED_CELL, -1)
    middle = (side // 2, side // 2)
    image = cv2.circle(cv2.circle(image, middle, radius + ring, PLASMA, -1), middle, radius, nucleus, -1)
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def write_cohort(folder: Path, patients: int = 12, cells: int = 6, labels: bool = True) -> Path:
    """Half the patients reactive: young, low counts, nuclei of many colours; tumoral ones are old and alike."""
    lines = ["patient,sex,age_years,lymphocyte_count" + (",label" if labels else "")]
    for i in range(patients):
        label, rng = i % 2, np.random.default_rng(i)
        home = folder / "images" / f"p{i}"
        home.mkdir(parents=True)
        for j in range(cells):
            shift = rng.normal(0, 4 if label else 16, 3)
            colour = tuple(int(one) for one in np.clip(np.array(NUCLEUS) + shift, 0, 255))
            drawn = draw_smear(int(rng.integers(9, 13)), 5, colour, 100 * i + j)
            cv2.imwrite(str(home / f"{j}.png"), drawn[..., ::-1])
        sex, age, count = "MF"[i // 2 % 2], 75 + i if label else 40 + i, 20 + i if label else 5 + 0.1 * i
        lines.append(f"p{i},{sex},{age},{count:g}" + (f",{label}" if labels else ""))
    (folder / "clinical.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def smear() -> Callable[..., np.ndarray]:
    return draw_smear


@pytest.fixture(scope="session")
def new_cohort() -> Callable[..., Path]:
    return write_cohort


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("lymphocytosis"))


@pytest.fixture(scope="session")
def bags(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Bags:
    patients = read_cohort(cohort, needs_labels=True)
    return Bags(patients, measure_all(patients, CellSettings(), tmp_path_factory.mktemp("cells"), lambda: None))
