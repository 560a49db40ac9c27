"""Thresholds reach the rate asked for, are the lowest that do, and never look at the slide they are used on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc.metrics import threshold_at_tnr, thresholds_from_others

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=60)
TNR = st.floats(0.01, 1)


@given(SCORES, TNR)
def test_a_threshold_keeps_the_asked_share_of_negatives_uncalled(negatives: list[float], tnr: float) -> None:
    threshold = threshold_at_tnr(negatives, tnr)

    assert sum(score <= threshold for score in negatives) >= tnr * len(negatives) - 1e-6


@given(SCORES, TNR)
def test_no_lower_score_would_do(negatives: list[float], tnr: float) -> None:
    threshold = threshold_at_tnr(negatives, tnr)

    assert threshold in negatives
    for lower in {score for score in negatives if score < threshold}:
        assert sum(score <= lower for score in negatives) < tnr * len(negatives)


def test_without_negatives_there_is_no_threshold() -> None:
    assert math.isnan(threshold_at_tnr([], 0.9))


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="tnr"):
        threshold_at_tnr([0.1], 0.0)


@given(st.dictionaries(st.sampled_from("abcd"), SCORES, min_size=2), SCORES, TNR)
def test_a_slide_has_no_say_in_its_own_threshold(
    negatives: dict[str, list[float]], other_scores: list[float], tnr: float
) -> None:
    slide = min(negatives)

    before = thresholds_from_others(negatives, tnr)
    after = thresholds_from_others({**negatives, slide: other_scores}, tnr)

    assert before[slide] == after[slide]
