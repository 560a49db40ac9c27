import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qc.metrics.objects import agreement, hausdorff, numbered, pooled


def boxes(*areas: tuple[int, int, int, int], side: int = 40) -> np.ndarray:
    """Boxes (x, y, width, height) numbered from 1."""
    labels = np.zeros((side, side), np.int32)
    for i, (x, y, width, height) in enumerate(areas, 1):
        labels[y : y + height, x : x + width] = i
    return labels


def test_a_split_a_missed_and_a_false_gland_are_counted_as_by_hand() -> None:
    truth = boxes((0, 0, 10, 10), (20, 0, 10, 10))  # the second is missed
    found = boxes((0, 0, 6, 10), (6, 0, 4, 10), (0, 30, 5, 4))  # the first in two, 6 to 4; the third is false

    one = agreement(truth, found)

    assert (one.tp, one.fp, one.fn) == (1, 2, 1)
    assert one.precision == 1 / 3
    assert one.recall == 1 / 2
    assert one.f1 == 2 / 5
    # found: 60 px with Dice 120/160, 40 px with 80/140, 20 px with 0; true: 100 px with 120/160, 100 px with 0
    of_found = (60 * 120 / 160 + 40 * 80 / 140 + 20 * 0) / 120
    of_true = (100 * 120 / 160 + 100 * 0) / 200
    assert one.dice == pytest.approx((of_found + of_true) / 2)
    # columns 6-9 lie up to 4 from the left part, columns 0-5 up to 6 from the right one; the false object is nearest to
    # the first gland, whose pixel (9, 0) lies (5, 30) from it; the missed gland is nearest to the right part: (29, 9)
    # lies 20 from it
    false, missed = math.hypot(5, 30), 20
    of_found = (60 * 4 + 40 * 6 + 20 * false) / 120
    of_true = (100 * 4 + 100 * missed) / 200
    assert one.hausdorff_px == pytest.approx((of_found + of_true) / 2)


def test_half_of_a_gland_is_enough_and_less_is_not() -> None:
    truth = boxes((0, 0, 10, 10))

    assert agreement(truth, boxes((0, 0, 5, 10))).tp == 1
    less = boxes((0, 0, 5, 10))
    less[0, 0] = 0
    one = agreement(truth, less)
    assert (one.tp, one.fp, one.fn) == (0, 1, 1)


def test_a_found_object_over_two_glands_finds_one_of_them() -> None:
    one = agreement(boxes((0, 0, 10, 10), (11, 0, 8, 10)), boxes((0, 0, 19, 10)))

    assert (one.tp, one.fp, one.fn) == (1, 0, 1)
    assert one.f1 == 2 / 3


def test_a_perfect_answer_is_perfect_whatever_its_numbers() -> None:
    truth = boxes((0, 0, 10, 10), (11, 0, 8, 10))

    one = agreement(truth, np.array([0, 250, 7])[truth])

    assert (one.f1, one.dice, one.hausdorff_px) == (1, 1, 0)


def test_nothing_to_find_and_nothing_found_is_undefined() -> None:
    one = agreement(boxes(), boxes())

    assert all(math.isnan(value) for value in (one.f1, one.precision, one.recall, one.dice, one.hausdorff_px))


def test_an_empty_answer_is_as_far_away_as_the_image_is_long() -> None:
    for one in (agreement(boxes((0, 0, 9, 9)), boxes()), agreement(boxes(), boxes((0, 0, 9, 9)))):
        assert (one.f1, one.dice) == (0, 0)
        assert one.hausdorff_px == pytest.approx(math.hypot(40, 40))


def test_images_pool_by_area_not_by_image() -> None:
    large = agreement(boxes((0, 0, 30, 30)), boxes((0, 0, 30, 30)))
    small = agreement(boxes((0, 0, 3, 3)), boxes((20, 20, 3, 3)))

    both = pooled([large, small])

    assert (both.tp, both.fp, both.fn) == (1, 1, 1)
    assert both.dice == pytest.approx(900 / 909)
    assert both.hausdorff_px == pytest.approx(9 / 909 * math.hypot(20, 20))


def test_different_shapes_and_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        agreement(boxes(), boxes(side=20))
    with pytest.raises(ValueError, match="numbered from 1"):
        agreement(boxes(), boxes() - 1)


labels = arrays(np.int32, (7, 9), elements=st.integers(0, 3))


@settings(deadline=None, max_examples=60)
@given(labels, labels)
def test_figures_are_those_of_the_definition_taken_literally(truth: np.ndarray, found: np.ndarray) -> None:
    one = agreement(truth, found)

    tp, fp, fn = literal_counts(truth, found)
    assert (one.tp, one.fp, one.fn) == (tp, fp, fn)
    if truth.any() and found.any():
        assert one.dice == pytest.approx((literal_dice(found, truth) + literal_dice(truth, found)) / 2)
        expected = (literal_hausdorff(found, truth) + literal_hausdorff(truth, found)) / 2
        assert one.hausdorff_px == pytest.approx(expected, rel=1e-5)


def parts(labels: np.ndarray) -> dict[int, set[tuple[int, ...]]]:
    return {
        int(number): set(map(tuple, np.argwhere(labels == number).tolist())) for number in np.unique(labels) if number
    }


def partner(own: set[tuple[int, ...]], others: dict[int, set[tuple[int, ...]]]) -> int | None:
    """Ties go to the smallest number."""
    best = max(others, key=lambda number: (len(own & others[number]), -number), default=None)
    return best if best is not None and own & others[best] else None


def literal_counts(truth: np.ndarray, found: np.ndarray) -> tuple[int, int, int]:
    true, hits, covered = parts(truth), 0, set()
    for pixels in parts(found).values():
        number = partner(pixels, true)
        if number is not None and len(pixels & true[number]) >= len(true[number]) / 2:
            hits += 1
            covered.add(number)
    return hits, len(parts(found)) - hits, len(true) - len(covered)


def literal_dice(own: np.ndarray, other: np.ndarray) -> float:
    total, others = 0.0, parts(other)
    for pixels in parts(own).values():
        number = partner(pixels, others)
        if number is not None:
            shared = 2 * len(pixels & others[number]) / (len(pixels) + len(others[number]))
            total += len(pixels) / np.count_nonzero(own) * shared
    return total


def literal_hausdorff(own: np.ndarray, other: np.ndarray) -> float:
    total, others = 0.0, parts(other)
    for pixels in parts(own).values():
        number = partner(pixels, others)
        chosen = [others[number]] if number is not None else list(others.values())
        total += len(pixels) / np.count_nonzero(own) * min(farthest(pixels, one) for one in chosen)
    return total


def farthest(one: set[tuple[int, ...]], other: set[tuple[int, ...]]) -> float:
    there_and_back = itertools.chain(((p, other) for p in one), ((p, one) for p in other))
    return max(min(math.dist(pixel, q) for q in pixels) for pixel, pixels in there_and_back)


def test_distance_is_the_farther_way() -> None:
    long = boxes((0, 0, 30, 2)) > 0

    assert hausdorff(long, boxes((0, 0, 5, 2)) > 0) == 25
    assert hausdorff(boxes((0, 0, 5, 2)) > 0, long) == 25


def test_numbers_without_gaps_whatever_their_size() -> None:
    labels = np.array([[0, 9], [5, 9]])

    np.testing.assert_array_equal(numbered(labels), [[0, 2], [1, 2]])
    np.testing.assert_array_equal(numbered(labels * 10**9), [[0, 2], [1, 2]])
