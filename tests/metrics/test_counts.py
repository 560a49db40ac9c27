"""Rates against scikit-learn on random tables, by hand on empty ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from qc.metrics import Counts, bootstrap_interval, wilson_interval

some = st.integers(0, 200)
counts = st.builds(Counts, some, some, some, some)


@given(st.integers(0, 2**32 - 1), st.integers(2, 300))
def test_rates_agree_with_scikit_learn(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    truth, called = rng.random(n) < 0.4, rng.random(n) < 0.5
    truth[:2], called[:2] = (True, False), (True, False)

    found = Counts.of(truth, called)

    assert found.tpr == pytest.approx(metrics.recall_score(truth, called))
    assert found.tnr == pytest.approx(metrics.recall_score(truth, called, pos_label=False))
    assert found.ppv == pytest.approx(metrics.precision_score(truth, called))
    assert found.npv == pytest.approx(metrics.precision_score(truth, called, pos_label=False))
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, called))
    assert found.dice == pytest.approx(metrics.f1_score(truth, called))


@given(counts, counts)
def test_pooling_is_adding_counts(a: Counts, b: Counts) -> None:
    pooled = a + b

    assert pooled.total == a.total + b.total
    assert (pooled.tp, pooled.fp, pooled.tn, pooled.fn) == (a.tp + b.tp, a.fp + b.fp, a.tn + b.tn, a.fn + b.fn)


def test_what_was_not_measured_is_nan() -> None:
    empty = Counts(0, 0, 0, 0)

    rates = (empty.tpr, empty.tnr, empty.ppv, empty.npv, empty.accuracy, empty.prevalence, empty.dice)

    assert all(math.isnan(rate) for rate in rates)


@given(counts.filter(lambda c: c.tp + c.fn > 0 and c.tn + c.fp > 0 and c.tn + c.fn > 0))
def test_npv_restated_at_its_own_prevalence_is_the_npv(table: Counts) -> None:
    assert table.npv_at(table.prevalence) == pytest.approx(table.npv)


def test_npv_falls_as_prevalence_rises() -> None:
    table = Counts(tp=8, fp=10, tn=90, fn=2)

    assert table.npv_at(0.02) == pytest.approx(0.9 * 0.98 / (0.9 * 0.98 + 0.2 * 0.02))
    assert table.npv_at(0.5) < table.npv_at(0.1)


def test_arrays_of_different_shape_and_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        Counts.of(np.zeros(3, bool), np.zeros(4, bool))
    with pytest.raises(ValueError, match="negative"):
        Counts(1, -1, 0, 0)


def test_wilson_interval_holds_its_published_value_and_never_leaves_0_1() -> None:
    low, high = wilson_interval(81, 263)  # Newcombe 1998, table I

    assert (low, high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20)[0] == 0
    assert wilson_interval(20, 20)[1] == 1
    assert math.isnan(wilson_interval(0, 0)[0])


def test_wilson_interval_covers_the_truth_about_19_times_in_20() -> None:
    rng = np.random.default_rng(3)
    shares = rng.uniform(0.05, 0.95, 4000)
    draws = rng.binomial(40, shares)

    intervals = np.array([wilson_interval(int(k), 40) for k in draws])

    covered = (intervals[:, 0] <= shares) & (shares <= intervals[:, 1])
    assert 0.94 < covered.mean() < 0.96


def test_bootstrap_draws_whole_slides() -> None:
    slides = [Counts(10, 0, 90, 0)] * 5 + [Counts(0, 0, 90, 10)] * 5

    low, high = bootstrap_interval(slides, lambda draw: sum(draw, Counts(0, 0, 0, 0)).tpr, np.random.default_rng(1))

    assert low < 0.25  # 1000 cells alone would give 0.47 to 0.53
    assert high > 0.75
    assert math.isnan(bootstrap_interval(slides[:1], lambda draw: draw[0].tpr, np.random.default_rng(1))[0])
