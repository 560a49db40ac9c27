"""Measuring against exact truth: on phantoms, on masked images, on labelled cells."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from qc.artefact.classical.stage import ClassicalStage
from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.errors import SettingsError
from qc.evaluate.cell_report import cells_markdown
from qc.evaluate.cells import evaluate_cells
from qc.evaluate.mask_report import masks_markdown
from qc.evaluate.masks import evaluate_mask, read_mask, read_table
from qc.evaluate.phantom_report import phantoms_markdown
from qc.evaluate.phantoms import PhantomResult, evaluate_phantoms, measure, verdict_counts
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass, Verdict
from qc.maps import ArtefactMap, TissueMask
from qc.phantom import PhantomTruth, load_cohort
from qc.pipeline.assess import Assessment, assess_slide
from qc.record import Assessed, Stamp
from qc.slide.memory import MemorySlide

COHORT = Path(__file__).parents[2] / "datasets" / "phantoms-test.toml"


@pytest.fixture(scope="module")
def assessed_record(memory_slide: MemorySlide) -> Assessed:
    stamp = Stamp(slide_id="x", path="x", slide_fingerprint="", settings_fingerprint="", software_version="0")
    settings = AssessSettings()
    stage = ClassicalStage(settings.classical)
    return assess_slide(memory_slide, stamp, settings, load_profile("default"), stage).record


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[PhantomResult]:
    cohort = load_cohort(COHORT)
    few = cohort.model_copy(update={"slides": cohort.slides[:3]})
    folder = tmp_path_factory.mktemp("phantoms")
    return evaluate_phantoms(few, folder, AssessSettings(), load_profile("default"))


def test_tissue_of_phantoms_is_found(results: list[PhantomResult]) -> None:
    assert min(result.tissue.dice for result in results) > 0.9


def test_a_blurred_phantom_is_called_and_a_clean_one_is_not(results: list[PhantomResult]) -> None:
    clean, _, blurred = results

    assert clean.verdict is clean.true_verdict is Verdict.USABLE
    assert blurred.true_verdict is not Verdict.USABLE
    assert blurred.verdict is not Verdict.USABLE
    assert blurred.classes[ArtefactClass.OUT_OF_FOCUS].tpr > 0.5


def test_the_report_states_its_command_and_every_slide(results: list[PhantomResult]) -> None:
    text = phantoms_markdown(results, "test", "classical 1", "default 1", "qc evaluate phantoms x.toml")

    assert "`qc evaluate phantoms x.toml`" in text
    assert all(f"| {result.name} |" in text for result in results)
    assert "nan" not in text
    assert "too soft" not in text

    called = replace(results[0], verdict=Verdict.REVIEW, true_verdict=Verdict.USABLE, reason="too soft")
    assert "| review | usable | too soft |" in phantoms_markdown([called], "test", "s", "p", "c")


def test_a_perfect_map_scores_one_and_a_blind_one_zero(assessed_record: Assessed) -> None:
    grid = Grid(Size(200, 100), Mpp(1.0), Mpp(2.0))
    classes = np.full(grid.shape, ArtefactClass.GLASS, np.uint8)
    classes[10:40, 10:80] = ArtefactClass.CLEAN
    classes[10:40, 10:40] = ArtefactClass.FOLD
    is_tissue = classes != ArtefactClass.GLASS
    truth = PhantomTruth(is_tissue, classes, 2.0)
    picture = np.zeros((*grid.shape, 3), np.uint8)
    perfect = Assessment(assessed_record, picture, TissueMask(is_tissue, grid), ArtefactMap(classes, grid))
    blind = replace(perfect, artefacts=ArtefactMap(np.where(is_tissue, 1, classes).astype(np.uint8), grid))

    best, worst = (measure("x", assessment, truth, load_profile("default")) for assessment in (perfect, blind))

    assert best.classes[ArtefactClass.FOLD].dice == best.tissue.dice == best.clean.dice == 1
    assert worst.classes[ArtefactClass.FOLD].tpr == 0
    assert best.true_verdict is Verdict.REJECT


def test_verdict_counts_take_anything_but_usable_for_a_call(results: list[PhantomResult]) -> None:
    usable = replace(results[0], verdict=Verdict.USABLE, true_verdict=Verdict.USABLE)
    missed = replace(usable, true_verdict=Verdict.REVIEW)
    caught = replace(missed, verdict=Verdict.REJECT)

    counts = verdict_counts([usable, missed, caught])

    assert (counts.tp, counts.fp, counts.tn, counts.fn) == (1, 0, 1, 1)


def test_a_mask_of_tissue_and_one_of_nothing_are_told_apart(tmp_path: Path, tissue_rgb: np.ndarray) -> None:
    tissue = cv2.cvtColor(tissue_rgb, cv2.COLOR_RGB2HSV)[..., 1] > 25
    tissue = cv2.morphologyEx(tissue.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    cv2.imwrite(str(tmp_path / "slide.png"), tissue_rgb[..., ::-1])
    cv2.imwrite(str(tmp_path / "mask.png"), tissue * 255)
    cv2.imwrite(str(tmp_path / "inverse.png"), (1 - tissue) * 255)
    table = tmp_path / "table.csv"
    table.write_text(
        "image,mask,mpp,truth,margin_um\nslide.png,mask.png,1.0,tissue,0\nslide.png,inverse.png,1.0,tissue,0\n"
    )

    right, wrong = (evaluate_mask(image, AssessSettings()) for image in read_table(table, tmp_path))

    assert right.counts.dice > 0.93
    assert wrong.counts.dice < 0.1
    assert "| slide.png | tissue |" in masks_markdown([right], "classical 1", "qc evaluate masks t.csv --data D")


def outlined(folder: Path, name: str, corners: list[list[int]]) -> Path:
    """A table of one image of even tissue with one outlined area."""
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
        "properties": {"classification": {"name": name}},
    }
    (folder / "drawn.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    table = folder / "table.csv"
    table.write_text("image,mask,mpp,truth,margin_um,slide\nslide.png,drawn.geojson,1.0,fold,0,known\n")
    return table


def test_outlines_mark_what_lies_inside_them(tmp_path: Path, tissue_rgb: np.ndarray) -> None:
    data = tmp_path / "data"
    data.mkdir()
    cv2.imwrite(str(data / "slide.png"), tissue_rgb[..., ::-1])
    table = outlined(tmp_path, "Fold", [[10, 20], [110, 20], [110, 60], [10, 60]])

    (image,) = read_table(table, data)
    marked = read_mask(image, Size(tissue_rgb.shape[1], tissue_rgb.shape[0]))
    result = evaluate_mask(image, AssessSettings())

    assert image.slide == "known"
    assert marked[20:60, 10:110].all()
    assert marked.sum() == result.counts.tp + result.counts.fn == 100 * 40


def test_outlines_without_the_truth_are_refused(tmp_path: Path, tissue_rgb: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "slide.png"), tissue_rgb[..., ::-1])
    (image,) = read_table(outlined(tmp_path, "Pen", [[10, 20], [110, 20], [110, 60]]), tmp_path)

    with pytest.raises(SettingsError, match="outlines no fold"):
        evaluate_mask(image, AssessSettings())


def test_a_table_that_names_a_missing_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("image,mask,mpp,truth,margin_um\nno.png,none.png,1.0,tissue,0\n")

    with pytest.raises(SettingsError, match=r"no\.png does not exist; check --data"):
        read_table(table, tmp_path)


def test_blurred_cells_of_a_view_score_higher_than_sharp_ones(tmp_path: Path, tissue_rgb: np.ndarray) -> None:
    view = np.ascontiguousarray(tissue_rgb[440:1464, 590:1614])
    half = view.shape[1] // 2
    view[:, half:] = cv2.GaussianBlur(view, (0, 0), 4.0)[:, half:]
    folder = tmp_path / "s1"
    folder.mkdir()
    cv2.imwrite(str(folder / "00.jpg"), view[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    rows = [f"s1,00,{r},{c},{'C' if c < 2 else 'O'}" for r in range(4) for c in range(4)]
    labels = tmp_path / "labels.csv"
    labels.write_text("slide,view,row,col,code\n" + "\n".join(rows) + "\n")

    cells = [cell for slide in evaluate_cells(labels, Mpp(1.0), 256, AssessSettings()) for cell in slide]

    sharp = [cell.score for cell in cells if not cell.is_artefact]
    blurred = [cell.score for cell in cells if cell.is_artefact]
    assert np.median(blurred) > 0.7
    assert np.median(sharp) < 0.2
    assert "AUROC" in cells_markdown(cells, [], "classical 1", "qc evaluate cells labels.csv")
