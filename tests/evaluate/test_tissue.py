"""Measuring tissue finders: perfect, blind and greedy ones have known figures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from qc.config.tissue import TissueSettings
from qc.evaluate.masks import MaskedImage
from qc.evaluate.tissue import (
    CellTissue,
    TissueResult,
    against_cells,
    against_drawn,
    against_ink,
    against_phantom,
    draw_phantoms,
    finder_of,
)
from qc.evaluate.tissue_report import FinderResults, tissue_markdown
from qc.geometry import Mpp
from qc.metrics import Counts
from qc.phantom import CohortSpec, PhantomSpec


def _dark(rgb: np.ndarray, is_scanned: np.ndarray, mpp: float) -> np.ndarray:
    return (rgb.max(axis=2) < 128) & is_scanned


def _everything(rgb: np.ndarray, is_scanned: np.ndarray, mpp: float) -> np.ndarray:
    return is_scanned.copy()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A dark square of a quarter of the area."""
    image = np.full((200, 200), 255, np.uint8)
    image[50:150, 50:150] = 0
    cv2.imwrite(str(tmp_path / "square.png"), image)
    cv2.imwrite(str(tmp_path / "mask.png"), 255 - image)
    return tmp_path


def test_a_perfect_finder_has_dice_one_and_a_greedy_one_what_the_areas_say(picture: Path):
    image = MaskedImage(picture / "square.png", picture / "mask.png", Mpp(8), "tissue", 0)

    perfect, greedy = (against_drawn(image, finder) for finder in (_dark, _everything))

    assert perfect.counts.dice == 1
    assert greedy.counts.dice == pytest.approx(2 * 0.25 / 1.25)


def test_a_margin_grows_what_was_found_before_it_is_compared(picture: Path):
    mask = np.zeros((200, 200), np.uint8)
    mask[50:150, 50:150] = 255
    cv2.imwrite(str(picture / "mask.png"), cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (21, 21))))
    image = MaskedImage(picture / "square.png", picture / "mask.png", Mpp(8), "tissue", 80)

    result = against_drawn(image, _dark)

    assert result.grown is not None
    assert result.counts.dice < 0.93
    assert result.grown.dice > 0.99


def test_ink_called_tissue_is_a_share_of_the_ink(picture: Path):
    image = MaskedImage(picture / "square.png", picture / "mask.png", Mpp(8), "pen", 0)

    assert against_ink(image, _dark) == 1
    assert against_ink(image, lambda rgb, is_scanned, mpp: _everything(rgb, is_scanned, mpp) & (rgb[..., 0] > 128)) == 0


def test_cells_are_found_where_their_table_says(tmp_path: Path):
    (tmp_path / "slide").mkdir()
    for view, dark in (("00", 0), ("01", 1)):
        image = np.full((128, 128), 255, np.uint8)
        image[:64, 64 * dark : 64 * dark + 64] = 0
        cv2.imwrite(str(tmp_path / "slide" / f"{view}.png"), image)
        cv2.imwrite(str(tmp_path / "slide" / f"{view}.jpg"), image)
    rows = [f"slide,{view},{row},{column},{'C' if (row, column) == (0, dark) else 'G'}"
            for view, dark in (("00", 0), ("01", 1)) for row in range(2) for column in range(2)]  # fmt: skip
    (tmp_path / "labels.csv").write_text("\n".join(["slide,view,row,col,code", *rows]))

    cells = against_cells(tmp_path / "labels.csv", 1.0, 64, _dark)

    assert [cell.share for cell in cells if cell.code == "C"] == [1, 1]
    assert max(cell.share for cell in cells if cell.code == "G") == 0


def test_the_rules_reach_their_figure_on_a_phantom():
    spec = PhantomSpec(name="one", seed=11, width_mm=4, height_mm=4, mpp=8, truth_mpp=8, tissues=("stroma",))

    (phantom,) = draw_phantoms(CohortSpec(name="cohort", slides=(spec,)))
    result = against_phantom(phantom, finder_of(TissueSettings(network="")))

    assert result.counts.dice > 0.9


def test_finders_stand_side_by_side_and_slides_they_learnt_from_are_marked():
    phantoms = [TissueResult("one", Counts(8, 2, 88, 2)), TissueResult("two", Counts(2, 0, 98, 0))]
    cells = [CellTissue("known", "C", 0.9), CellTissue("new", "C", 0.4), CellTissue("new", "C", 0.5)]
    cells += [CellTissue("new", "G", 0.1)]
    rules = FinderResults("rules", (), phantoms, {"pen.png": 0.25}, cells)
    learnt = FinderResults("learnt", (), phantoms, {"pen.png": 0.0}, cells, frozenset({"known"}))

    lines = tissue_markdown([rules, learnt], "qc evaluate tissue").splitlines()

    assert "| one | rules | 0.800 | 0.800 | 0.978 |" in lines
    assert "| all | learnt | 0.833 | 0.833 | 0.989 |" in lines
    assert "| rules | 0.250 |" in lines
    assert "| known * | 1 | 0 | 1.000 | - | 1.000 | - |" in lines
    assert "| unseen | 2 | 1 | 0.500 | 0.000 | 0.500 | 0.000 |" in lines
