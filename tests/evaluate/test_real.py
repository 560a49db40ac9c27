"""All measurements on real images: over a drawn collection, and over parts of the reference collection."""

import re
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from qc.artefact.choose import artefact_stage
from qc.config.assess import AssessSettings
from qc.errors import SettingsError
from qc.evaluate.biology import read_biology
from qc.evaluate.cell_figures import auroc_of
from qc.evaluate.cells import evaluate_cells
from qc.evaluate.field import judge_field
from qc.evaluate.focus_series import evaluate_focus_series
from qc.evaluate.goals import goals
from qc.evaluate.pass_fail import evaluate_pass_fail
from qc.evaluate.real import FOCUS_SERIES, PASS_FAIL, RealResults, evaluate_real
from qc.evaluate.sheets import write_sheets
from qc.evaluate.validation_report import charts, validation_markdown
from qc.geometry import Mpp

SETTINGS = AssessSettings()
STAGE = artefact_stage(SETTINGS)


def _blurred(rgb: np.ndarray, sigma_px: float) -> np.ndarray:
    return cv2.GaussianBlur(rgb, (0, 0), sigma_px) if sigma_px > 0 else rgb


def _write(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1])


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, tissue_rgb: np.ndarray) -> Path:
    """Two slides with a blurred half each, tiles, a soft slide and a focus series, all cut from one drawn slide."""
    root = tmp_path_factory.mktemp("collection")
    labels = ["slide,view,row,col,code"]
    for slide, left in (("s1", 590), ("s2", 610)):
        view = np.ascontiguousarray(tissue_rgb[700:1212, left : left + 1024])
        view[:, 512:] = _blurred(view, 4.0)[:, 512:]
        _write(root / f"slide-views/{slide}/00.jpg", view)
        labels += [f"{slide},00,{r},{c},{'C' if c < 2 else 'O'}" for r in range(2) for c in range(4)]
    (root / "slide-views/labels.csv").write_text("\n".join(labels) + "\n")
    (root / "slide-views/slides.csv").write_text("slide,use\ns1,train\ns2,evaluate\n")
    for i in range(3):
        tile = tissue_rgb[800 : 800 + 128, 700 + 150 * i : 828 + 150 * i]
        large = cv2.resize(tile, (512, 512), interpolation=cv2.INTER_CUBIC)
        _write(root / f"artefacts/tiles-pass-fail/pass/o-{i}.jpg", large)
        _write(root / f"artefacts/tiles-pass-fail/fail/x-{i}.jpg", _blurred(large, 20.0))
        _write(root / f"lymphoma/reactive/{i:03}.jpg", tile)
        _write(root / f"lymphoma/fl/{i + 70:03}.jpg", _blurred(tile, 4.0))
    for step in range(-9, 10):
        grey = cv2.cvtColor(tissue_rgb[800:880, 700:780], cv2.COLOR_RGB2GRAY)
        _write(root / f"artefacts/focus-stack/smear/{step}.png", cv2.merge([_blurred(grey, abs(step) / 2)] * 3))
    _write(root / "slide.png", tissue_rgb[:600])
    tissue = (cv2.cvtColor(tissue_rgb[:600], cv2.COLOR_RGB2HSV)[..., 1:2] > 25).astype(np.uint8)
    _write(root / "mask.png", np.repeat(tissue * 255, 3, axis=2))
    (root / "masks.csv").write_text("image,mask,mpp,truth,margin_um\nslide.png,mask.png,1.0,tissue,0\n")
    (root / "biology.csv").write_text("slide,views,biology\ns1,00 01,fat\n")
    return root


@pytest.fixture(scope="module")
def results(collection: Path) -> RealResults:
    return evaluate_real(collection, collection / "masks.csv", read_biology(collection / "biology.csv"), SETTINGS)


def test_blur_is_found_in_every_part_of_the_collection(results: RealResults) -> None:
    assert auroc_of(results.cells) > 0.9
    assert results.pass_fail.auroc == 1
    assert results.soft_slide.auroc == 1
    soft, sharp = ([t.suspicion for t in results.soft_slide.tiles if t.is_soft is kind] for kind in (True, False))
    assert min(soft) > 0.3 > 0.03 > max(sharp)  # which artefact it is called on so small a drawn tile is another matter
    assert results.soft_slide.blurred_share(False) == 0
    assert results.soft_slide.auroc_of_neighbours == 1
    assert any(series.correlation > 0.7 for series in results.focus if series.is_stained)
    assert all(series.correlation_of_focus < -0.9 for series in results.focus)


def test_the_report_names_each_goal_and_its_charts(results: RealResults) -> None:
    text = validation_markdown(
        results, "qc evaluate real --data DATA", "images/validation", ["Dust. Some lies on glass."]
    )

    assert all(f"| {goal.what} |" in text for goal in goals(results))
    assert all(f"(images/validation/{name})" in text for name in charts(results))
    assert "nan" not in text
    assert "| fat | 4 |" in text


def test_charts_are_svg_with_a_line_for_each_source(results: RealResults) -> None:
    drawn = {name: ElementTree.fromstring(svg) for name, svg in charts(results).items()}

    lines = {name: len(svg.findall("{http://www.w3.org/2000/svg}polyline")) for name, svg in drawn.items()}
    assert lines == {"reliability.svg": 1, "roc.svg": 3}


def test_each_slide_is_scored_by_the_stage_that_is_given_for_it(collection: Path) -> None:
    asked: list[str] = []

    def stage_of(slide: str):
        asked.append(slide)
        return STAGE

    found = list(evaluate_cells(collection / "slide-views/labels.csv", Mpp(1.0), 256, SETTINGS, stage_of))

    assert asked == ["s1", "s2"] == [cells[0].slide for cells in found]


def test_sheets_show_licensed_slides_only(collection: Path, results: RealResults, tmp_path: Path) -> None:
    swapped = [cell for cell in results.cells if cell.slide == "s2"]

    with_one, without = (
        write_sheets(cells, collection, tmp_path / name) for name, cells in (("all", results.cells), ("s2", swapped))
    )

    assert all(path.is_file() for path in with_one)
    assert (cv2.imread(str(without[0])) == 255).all()


def test_a_field_keeps_its_size_and_its_edges_are_judged(tissue_rgb: np.ndarray) -> None:
    field = judge_field(np.ascontiguousarray(tissue_rgb[800:900, 700:860]), Mpp(1.0), SETTINGS, STAGE)

    assert field.suspicion.shape == field.classes.shape == (50, 80)
    assert not np.isnan(field.suspicion).any()


def test_a_missing_table_or_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no table of views"):
        read_biology(tmp_path / "none.csv")
    with pytest.raises(SettingsError, match=re.escape("holds no .jpg files; check --data")):
        evaluate_pass_fail(tmp_path, SETTINGS, STAGE)


@pytest.mark.data
def test_dry_tissue_of_a_real_slide_scores_above_its_clean_tissue(qc_data: Path, tmp_path: Path) -> None:
    views = qc_data / "slide-views"
    rows = views.joinpath("labels.csv").read_text("utf-8").splitlines()
    (tmp_path / "eas20").symlink_to(views / "eas20")
    (tmp_path / "labels.csv").write_text("\n".join([rows[0], *(row for row in rows if row.startswith("eas20,"))]))

    (cells,) = evaluate_cells(tmp_path / "labels.csv", Mpp(1.0), 256, SETTINGS)

    assert len(cells) == 200
    assert auroc_of(cell for cell in cells if cell.counts_for_artefacts) > 0.9


@pytest.mark.data
def test_real_failed_tiles_rank_above_passed_ones(qc_data: Path) -> None:
    assert evaluate_pass_fail(qc_data / PASS_FAIL, SETTINGS, STAGE).auroc > 0.95


@pytest.mark.data
def test_the_focus_score_falls_along_real_defocus(qc_data: Path) -> None:
    series = evaluate_focus_series(qc_data / FOCUS_SERIES, SETTINGS, STAGE, [Mpp(0.25)])

    assert [one.is_stained for one in series] == [False, True]
    assert series[1].correlation_of_focus < -0.9
    assert series[1].correlation > 0.7
