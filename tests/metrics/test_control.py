"""Control charts against published examples and hand-computed values."""

import math

import numpy as np
import pytest

from qc.metrics.control import (
    BEYOND_LIMITS,
    EIGHT_ON_A_SIDE,
    FOUR_OF_FIVE,
    TWO_OF_THREE,
    ControlChart,
    alarms,
    ewma_chart,
    p_chart,
)


def _flat(values):
    size = len(values)
    return ControlChart(np.array(values, float), np.zeros(size), np.full(size, -3.0), np.full(size, 3.0), np.ones(size))


def test_p_chart_limits_are_those_computed_by_hand():
    chart = p_chart([10, 2, 0], [50, 50, 0])

    assert chart.centre[0] == pytest.approx(0.12)
    assert chart.upper[0] == pytest.approx(0.12 + 3 * math.sqrt(0.12 * 0.88 / 50))
    assert chart.lower[0] == 0
    assert np.isnan(chart.values[2])
    assert np.isnan(chart.upper[2])


def test_p_chart_limits_are_wider_on_days_with_few_slides():
    chart = p_chart([1, 10], [10, 100])

    assert chart.upper[0] > chart.upper[1]


def test_p_chart_baseline_ignores_later_days():
    chart = p_chart([1, 9], [10, 10], baseline=1)

    assert chart.centre[1] == pytest.approx(0.1)
    assert alarms(chart)[1] == [BEYOND_LIMITS]


def test_p_chart_refuses_more_bad_slides_than_slides():
    with pytest.raises(ValueError, match="more slides"):
        p_chart([3], [2])


def test_ewma_gives_the_values_of_the_nist_handbook():
    """NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4: target 50, s 2.0539, lambda 0.3, L 3."""
    data = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
    data += [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    published = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33]
    published += [50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]

    chart = ewma_chart(data, target=50, sigma=2.0539, weight=0.3, sigmas=3)

    np.testing.assert_allclose(chart.values, published, atol=0.006)
    assert chart.upper[-1] == pytest.approx(52.5884, abs=0.005)
    assert chart.lower[-1] == pytest.approx(47.4115, abs=0.005)
    assert not chart.is_beyond.any()


def test_ewma_skips_days_without_a_value():
    with_gap = ewma_chart([1.0, math.nan, 3.0], target=0, sigma=1)
    without = ewma_chart([1.0, 3.0], target=0, sigma=1)

    assert with_gap.values[2] == without.values[1]
    assert with_gap.upper[2] == without.upper[1]
    assert not with_gap.is_beyond[1]


def test_each_zone_rule_fires_on_the_day_that_completes_it():
    assert alarms(_flat([2.1, 0.0, 2.2]))[2] == [TWO_OF_THREE]
    assert alarms(_flat([1.1, 1.2, 0.0, 1.3, 1.4]))[4] == [FOUR_OF_FIVE]
    assert alarms(_flat([-0.1] * 8))[7] == [EIGHT_ON_A_SIDE]
    assert alarms(_flat([3.5]))[0] == [BEYOND_LIMITS]


def test_points_on_both_sides_do_not_make_a_run():
    told = alarms(_flat([2.1, 0.0, -2.2, 0.1, -0.1, 0.1, -0.1, 0.1]))

    assert told == [[]] * 8


def test_a_flat_line_raises_no_alarm():
    assert alarms(p_chart([0] * 10, [20] * 10)) == [[]] * 10
