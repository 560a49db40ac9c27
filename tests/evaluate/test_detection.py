"""One score from many cells, and what is counted about it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc.evaluate.cell_figures import counts, judged_by_slide, thresholds_at
from qc.evaluate.cells import CellResult
from qc.evaluate.detection import WORST_SHARE, detection_score, mean_suspicion
from qc.evaluate.focus_series import count_inversions, stained
from qc.evaluate.sheets import worst_cells
from qc.metrics.ranking import auroc, reliability, roc

SUSPICION = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=200)


def _score(values: list[float]) -> float:
    return detection_score(np.array([values], np.float32), np.ones((1, len(values)), np.bool_))


def _cell(slide: str, code: str, score: float, column: int = 0) -> CellResult:
    return CellResult(slide, "00", 0, column, code, score, score, score, 1.0)


@given(SUSPICION, st.integers(0, 199), st.floats(0, 1, width=32))
def test_more_suspicion_never_lowers_the_score(values: list[float], where: int, more: float) -> None:
    raised = values.copy()
    raised[where % len(values)] = max(more, values[where % len(values)])

    assert 0 <= _score(values) <= _score(raised) + 1e-9 <= 1 + 1e-6


@given(st.integers(0, 400), st.integers(0, 400))
def test_rules_are_ranked_by_the_share_they_call(few: int, many: int) -> None:
    few, many = sorted((few, many))
    scores = [_score([1.0] * n + [0.0] * (400 - n)) for n in (few, many)]

    assert (scores[0] < scores[1]) is (few < many)


def test_an_artefact_on_the_share_that_readers_label_scores_near_one() -> None:
    n = 400

    assert _score([1.0] * int(WORST_SHARE * n) + [0.0] * int((1 - WORST_SHARE) * n)) > 0.99


def test_what_was_not_seen_and_what_has_no_tissue_is_suspected() -> None:
    unseen = np.full((4, 4), np.nan, np.float32)

    assert detection_score(unseen, np.ones((4, 4), np.bool_)) == 1
    assert detection_score(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.bool_)) == 1
    assert mean_suspicion(unseen, np.ones((4, 4), np.bool_)) == 1


def test_suspicion_outside_tissue_does_not_count() -> None:
    suspicion = np.array([[1, 0, 0, 0]], np.float32)

    assert detection_score(suspicion, suspicion < 1) == 0


def test_a_slide_is_judged_at_the_threshold_of_the_others() -> None:
    cells = [_cell("soft", "C", 0.5), _cell("soft", "F", 0.6), _cell("sharp", "C", 0.1), _cell("sharp", "F", 0.4)]

    thresholds = thresholds_at(cells, 0.9)
    pooled = counts(cells, thresholds)

    assert thresholds == {"soft": 0.1, "sharp": 0.5}
    assert (pooled.tp, pooled.fp, pooled.tn, pooled.fn) == (1, 1, 1, 1)


def test_a_slide_alone_has_no_threshold_and_counts_nowhere() -> None:
    cells = [_cell("alone", "C", 0.5), _cell("alone", "F", 0.6)]

    assert math.isnan(counts(cells, thresholds_at(cells, 0.9)).tpr)


def test_surgical_ink_and_glass_are_in_no_figure() -> None:
    cells = [_cell("a", "CK", 1.0), _cell("a", "GD", 1.0), _cell("a", "CT", 0.0), _cell("a", "CX", 0.0)]

    assert judged_by_slide(cells) == {"a": [cells[2]]}
    assert [cell.is_surgical_ink for cell in cells] == [True, False, False, False]


def test_the_worst_cells_are_the_surest_mistakes_and_not_all_of_one_slide() -> None:
    thresholds = {"a": 0.5, "b": 0.5}
    wrong = [_cell("a", "C", 0.9 - i / 100, i) for i in range(6)]
    missed = _cell("b", "F", 0.2)
    right = [_cell("b", "F", 0.8), _cell("b", "C", 0.1)]

    called, overlooked = worst_cells([*wrong, missed, *right], thresholds, 24)

    assert called == wrong[:3]
    assert overlooked == [missed]


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=80))
def test_reliability_bins_hold_every_case_once(cases: list[tuple[bool, float]]) -> None:
    truth, scores = [case[0] for case in cases], [case[1] for case in cases]

    bins = reliability(truth, scores)

    assert sum(b.n for b in bins) == len(cases)
    assert sum(b.n * b.positive_share for b in bins) == pytest.approx(sum(truth))
    assert sum(b.n * b.mean_score for b in bins) == pytest.approx(sum(scores))


def test_one_class_alone_has_no_ranking() -> None:
    assert math.isnan(auroc([True, True], [0.1, 0.2]))
    assert roc([True, True], [0.1, 0.2]) == []


def test_inversions_are_counted_on_each_side_of_focus() -> None:
    rising = [(step, float(abs(step))) for step in range(-9, 10)]
    dip = [(step, 0.0 if step == 9 else value) for step, value in rising]

    assert count_inversions(rising) == 0
    assert count_inversions(dip) == 8


def test_staining_a_grey_field_keeps_its_mean_optical_density() -> None:
    grey = np.repeat(np.arange(90, 250, dtype=np.uint8)[None, :, None], 3, axis=2)

    density = -np.log10(stained(grey) / 255.0).mean(axis=2)

    assert np.allclose(density, -np.log10(grey[..., 0] / 255.0), atol=0.01)
