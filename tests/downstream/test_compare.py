import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from qc.downstream.compare import STATISTICS, Scores, changed, difference, figure, ranking, slides_right, tiles_right
from qc.downstream.slide_score import slide_scores


def scores(score: np.ndarray, target: np.ndarray, people: tuple[str, ...] | None = None) -> Scores:
    names = tuple(f"s{i}" for i in range(len(target)))
    return Scores(names, people or names, target, score, np.where(target[:, None], score, 1 - score))


def drawn(seed: int, slides: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = np.arange(slides) % 2 == 1
    return np.clip(rng.normal(0.4 + 0.2 * target[:, None], 0.25, (slides, 2)), 0, 1), target


def test_a_slide_s_score_is_the_share_of_its_tiles_called() -> None:
    tiles = pd.DataFrame({"slide_id": ["a"] * 4 + ["b"] * 2, "probability": [0.5, 0.9, 0.49, 0.1, 0.0, 0.2]})
    slides = pd.DataFrame({"slide_id": ["a", "b", "c"], "person": ["a", "b", "c"], "target": [1, 0, 1]})

    found = slide_scores(tiles, slides)

    np.testing.assert_array_equal(found["score"].to_numpy(), [0.5, 0.0, np.nan])
    assert found["tiles"].tolist() == [4, 2, 0]


def test_the_interval_of_a_difference_agrees_with_scipy_s_paired_bootstrap() -> None:
    before, target = drawn(1)
    after = np.clip(before + np.random.default_rng(2).normal(0.05, 0.1, before.shape), 0, 1)

    def mean(one: Scores) -> float:
        return float(one.score.mean())

    found = difference(scores(before, target), scores(after, target), mean, 4000)

    expected = bootstrap(
        ((after - before).mean(axis=1),), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert found.value == pytest.approx((after - before).mean())
    assert found.low == pytest.approx(expected.low, abs=0.004)
    assert found.high == pytest.approx(expected.high, abs=0.004)


def test_pairing_makes_the_interval_narrower_than_that_of_either_arm() -> None:
    before, target = drawn(3)
    after = np.clip(before + 0.03, 0, 1)

    gain = difference(scores(before, target), scores(after, target), tiles_right, 500)

    alone = figure(scores(before, target), tiles_right, 500)
    assert gain.high - gain.low < 0.3 * (alone.high - alone.low)


def test_slides_of_one_patient_are_drawn_together() -> None:
    score, target = drawn(4, 24)
    twice = np.repeat(score, 3, axis=0), np.repeat(target, 3)
    people = tuple(f"p{i}" for i in range(24) for _ in range(3))

    together = figure(scores(*twice, people), slides_right, 800)

    single = figure(scores(score, target), slides_right, 800)
    assert together.high - together.low == pytest.approx(single.high - single.low, abs=0.03)


def test_ranking_agrees_with_scikit_learn_and_leaves_unscored_slides_out() -> None:
    score, target = drawn(5)
    score = np.round(score, 1)
    expected = np.mean([roc_auc_score(target, column) for column in score.T])
    with_unscored = score.copy()
    with_unscored[:3] = np.nan

    assert ranking(scores(score, target)) == pytest.approx(expected)
    assert ranking(scores(with_unscored, target)) == pytest.approx(
        np.mean([roc_auc_score(target[3:], column[3:]) for column in score.T])
    )


def test_a_slide_that_nobody_scored_is_not_right() -> None:
    target = np.array([True, False, True, False])

    found = slides_right(scores(np.array([[0.9], [0.1], [np.nan], [np.nan]]), target))

    assert found == 0.5


def test_changed_cases_are_named_with_what_they_became() -> None:
    target = np.array([True, False, True, False, True])
    before = scores(np.array([[0.4], [0.6], [0.9], [0.2], [0.8]]), target)
    after = scores(np.array([[0.6], [0.7], [np.nan], [0.9], [0.7]]), target)

    table = changed(before, after)

    assert table[["slide_id", "became"]].values.tolist() == [["s0", "right"], ["s2", "unscored"], ["s3", "wrong"]]


def test_arms_of_different_slides_are_not_compared() -> None:
    score, target = drawn(6)

    with pytest.raises(ValueError, match="not tested on the same slides"):
        difference(scores(score, target), scores(score[:-2], target[:-2]), STATISTICS["slides right"], 100)
