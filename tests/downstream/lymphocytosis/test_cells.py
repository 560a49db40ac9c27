from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.cluster import KMeans

from qc.config.lymphocytosis import CellSettings, PixelSettings, QualitySettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cells import measure_all
from qc.downstream.lymphocytosis.cohort import read_cohort
from qc.downstream.lymphocytosis.morphology import NAMES, cell_values
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.quality import quality_of, reasons
from qc.downstream.lymphocytosis.segment import find_cell, lymphocytes_only, two_means
from qc.downstream.lymphocytosis.spoil import defocused, emptied, spoilt, stained_over
from qc.errors import SettingsError

CELLS = CellSettings()
SIDE = 64
PLASMA, NUCLEUS = (176, 158, 200), (76, 42, 118)
Draw = Callable[..., np.ndarray]


def disc(radius: int) -> np.ndarray:
    return cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (SIDE // 2, SIDE // 2), radius, 1, -1) > 0


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    return (found & truth).sum() / (found | truth).sum()


def test_nucleus_and_cytoplasm_are_found_where_they_were_drawn(smear: Draw) -> None:
    cell = find_cell(smear(11, 6), CELLS)

    assert overlap(cell.nucleus, disc(11)) > 0.9
    assert overlap(cell.whole, disc(17)) > 0.85


def test_glass_and_red_cells_alone_are_no_lymphocyte() -> None:
    assert not find_cell(np.full((SIDE, SIDE, 3), 240, np.uint8), CELLS).nucleus.any()


def test_a_neighbour_is_not_taken_for_cytoplasm(smear: Draw) -> None:
    image, neighbour = smear(9, 4, side=96), (75, 48)
    image = cv2.circle(cv2.circle(image, neighbour, 14, PLASMA, -1), neighbour, 9, NUCLEUS, -1)

    cell = find_cell(np.asarray(image, np.uint8), CELLS)

    assert cell.nucleus[48, 48]
    assert not cell.whole[:, 66:].any()


def test_where_only_lymphocytes_are_shown_the_rest_is_black(smear: Draw) -> None:
    image = smear(11, 4)

    shown = lymphocytes_only(image, CELLS)

    assert (shown[disc(11)] == image[disc(11)]).all()
    assert (shown[~disc(19)] == 0).all()


def test_two_means_part_values_where_scikit_learn_does() -> None:
    rng = np.random.default_rng(3)
    values = np.clip(np.concatenate([rng.normal(60, 12, 900), rng.normal(150, 20, 100)]), 0, 255).astype(int)

    border = two_means(np.bincount(values, minlength=256))

    theirs = KMeans(2, random_state=0).fit(values[:, None].astype(float)).cluster_centers_.mean()
    assert border == pytest.approx(theirs, abs=0.5)


def test_measures_follow_what_was_drawn(smear: Draw) -> None:
    small, large = (dict(zip(NAMES, cell_values(find_cell(smear(r, 6), CELLS)), strict=True)) for r in (9, 13))

    assert large["nucleus_area_px"] / small["nucleus_area_px"] == pytest.approx((13 / 9) ** 2, rel=0.15)
    assert large["nucleus_share"] > small["nucleus_share"]
    assert small["nucleus_roundness"] > 0.8


@pytest.mark.parametrize(
    ("spoil", "why"), [(defocused, "blurred"), (stained_over, "stained over"), (emptied, "no cell"), (None, "")]
)
def test_spoilt_cells_are_left_out_and_say_why(spoil: Draw | None, why: str, smear: Draw) -> None:
    image = smear(11, 6, seed=5)
    seen = spoil(image, 0.5) if spoil else image

    found = reasons(quality_of(seen, find_cell(seen, CELLS), CELLS)[None], QualitySettings())

    assert found == [why]


def test_a_share_of_each_patients_cells_is_spoilt_and_no_file_is_touched(cohort: Path, tmp_path: Path) -> None:
    patients = read_cohort(cohort, needs_labels=True)
    before = {path: path.read_bytes() for one in patients for path in one.images}

    found = spoilt(patients, 0.5, tmp_path)

    assert all(sum(path.is_relative_to(tmp_path) for path in one.images) == 3 for one in found)
    assert {path: path.read_bytes() for path in before} == before
    assert spoilt(patients, 0.5, tmp_path) == found


def test_cells_measured_before_are_read_back(cohort: Path, tmp_path: Path) -> None:
    patients = read_cohort(cohort, needs_labels=True)[:1]
    first = measure_all(patients, CELLS, tmp_path, lambda: None)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    second = measure_all(patients, CELLS, tmp_path, lambda: None)

    assert np.array_equal(first[0].values, second[0].values)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


def test_networks_see_the_middle_of_an_image(bags: Bags, tmp_path: Path) -> None:
    pixels = Pixels(PixelSettings(crop_px=16, input_px=16), CELLS, tmp_path)

    seen = pixels.of(bags.cells[0])

    assert seen.shape == (6, 16, 16, 3)
    assert seen.mean() < 110  # nucleus only


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("p0,M,x,5,1", "age_years of p0 is 'x'"),
        ("p0,M,50,-1,1", "must be|lymphocyte_count of p0 is -1"),
        ("p0,Q,50,5,1", "sex of p0 is 'Q'"),
        ("p0,M,50,5,2", "label of p0 is '2'"),
        ("../p0,M,50,5,1", "is no name of a patient"),
        ("p0,M,50,5,", "patient p0 has no label"),
    ],
)
def test_a_wrong_line_is_one_sentence(line: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "clinical.csv").write_text(f"patient,sex,age_years,lymphocyte_count,label\n{line}\n", encoding="utf-8")

    with pytest.raises(SettingsError, match=sentence):
        read_cohort(tmp_path, needs_labels=True)


@pytest.mark.data
def test_a_lymphocyte_is_found_in_real_images(qc_data: Path, tmp_path: Path) -> None:
    patients = read_cohort(qc_data / "lymphocytosis", needs_labels=True)[:1]

    cells = measure_all(patients, CELLS, tmp_path, lambda: None)[0]

    assert not np.isnan(cells.values[:, 0]).any()
    assert 300 < np.median(cells.values[:, NAMES.index("nucleus_area_px")]) < 2000
