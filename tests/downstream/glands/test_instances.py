import numpy as np
import pytest

from qc.config.glands import InstanceSettings
from qc.downstream.glands.annotators import redrawn, without_some
from qc.downstream.glands.instances import separate
from qc.downstream.glands.outlines import outlined
from qc.downstream.glands.predict import measured
from qc.downstream.glands.target import BORDER, CORE, OUTSIDE, target

SIDE = 96
PLAIN = InstanceSettings(core_mm2_min=0, area_mm2_min=0)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(columns - x, rows - y) <= radius


def sure(classes: np.ndarray) -> np.ndarray:
    """Probabilities of a network that is quite sure of classes."""
    return np.where(np.arange(3) == classes[..., None], 0.9, 0.05).astype(np.float32)


def test_touching_discs_become_two_objects_that_cover_both() -> None:
    left, right = disc(32, 48, 16), disc(64, 48, 16)
    labels = np.where(left, 1, np.where(right, 2, 0)).astype(np.uint8)

    found = separate(sure(target(labels, 3)), 1.0, PLAIN)

    assert found.max() == 2
    np.testing.assert_array_equal(found > 0, labels > 0)
    number = found[48, 32]
    assert number != found[48, 64]
    assert ((found == number) == left).mean() > 0.995


def test_the_border_is_inside_the_gland_and_lies_where_glands_touch() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 0:20], labels[10:30, 20:32] = 1, 2

    classes = target(labels, 3)

    assert (classes[labels == 0] == OUTSIDE).all()
    assert (classes[20, 17:23] == BORDER).all()
    assert classes[20, 16] == classes[20, 23] == CORE
    assert classes[20, 0] == CORE  # cut by the image, not ended
    assert (classes[10:13, 8] == BORDER).all()
    assert classes[13, 8] == CORE


def test_a_gland_has_no_holes_and_no_crumbs() -> None:
    classes = np.where(disc(48, 48, 20), CORE, OUTSIDE)
    classes[disc(48, 48, 5)] = OUTSIDE  # the lumen
    classes[disc(10, 10, 2)] = CORE

    found = separate(sure(classes), 1.0, InstanceSettings(core_mm2_min=0, area_mm2_min=100e-6))

    np.testing.assert_array_equal(found > 0, disc(48, 48, 20))


def test_gland_without_a_core_is_left_where_no_core_is_near_and_joined_where_one_is() -> None:
    classes = np.full((SIDE, SIDE), OUTSIDE)
    classes[10:30, 10:30], classes[13:27, 13:27] = BORDER, CORE
    classes[60:80, 60:64] = BORDER

    found = separate(sure(classes), 1.0, PLAIN)

    assert found[10:30, 10:30].min() == 1
    assert not found[60:80, 60:64].any()


def test_outlines_run_inside_each_gland_and_not_along_the_image() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[10:30, 0:20], labels[10:30, 20:32] = 1, 2

    is_drawn = outlined(np.full((40, 40, 3), 255, np.uint8), labels, (0, 0, 0), width_px=1)[..., 0] == 0

    assert is_drawn[10, 1:31].all()
    assert is_drawn[20, [19, 20, 31]].all()
    assert not is_drawn[12:28, 0].any()
    assert not is_drawn[labels == 0].any()


def test_small_cores_start_no_gland() -> None:
    classes = np.where(disc(30, 48, 12), CORE, OUTSIDE)
    classes[disc(70, 48, 4)] = CORE

    found = separate(sure(classes), 0.5, InstanceSettings(core_mm2_min=80 * 0.25e-6, area_mm2_min=0))

    assert found.max() == 1
    assert found[48, 30] == 1


def test_nothing_found_is_an_empty_image() -> None:
    assert not separate(sure(np.zeros((SIDE, SIDE), int)), 1.0, PLAIN).any()


def test_a_gland_s_size_is_in_micrometres_and_a_cut_one_is_marked() -> None:
    labels = np.zeros((50, 60), np.int32)
    labels[10:20, 5:25], labels[40:50, 0:5] = 1, 2

    whole, cut = measured(labels, 0.5)

    assert whole == (1, 14.5, 14.5, 50.0, 28.0, False)
    assert cut[5]


@pytest.mark.parametrize(("kind", "area"), [("wide", 24 * 24), ("narrow", 16 * 16)])
def test_imprecise_outlines_are_imprecise_by_what_is_asked(kind: str, area: int) -> None:
    labels = np.zeros((60, 60), np.int32)
    labels[20:40, 20:40] = 1

    drawn = redrawn(labels, kind, 1.0, 0.5, np.random.default_rng(0))

    rows, columns = np.nonzero(drawn)
    assert (np.ptp(rows) + 1) * (np.ptp(columns) + 1) == area


def test_an_outline_beside_its_gland_keeps_its_size_and_neighbours_keep_theirs() -> None:
    labels = np.zeros((60, 60), np.int32)
    labels[20:40, 10:30], labels[20:40, 30:50] = 1, 2

    drawn = redrawn(labels, "beside", 2.0, 1.0, np.random.default_rng(3))

    for number in (1, 2):
        was, is_now = (np.argwhere(one == number).mean(axis=0) for one in (labels, drawn))
        assert 1 < np.hypot(*(is_now - was)) < 2.5
        taken = (labels == number) & (drawn == 3 - number)
        assert taken.sum() <= 2 * 20  # what its own outline left


def test_missing_glands_are_missing_whole() -> None:
    labels = np.arange(101, dtype=np.int32)[None].repeat(3, axis=0)

    left = without_some(labels, 0.3, np.random.default_rng(0))

    assert 15 <= 100 - len(set(left[0]) - {0}) <= 45
    assert (left[0] == left[2]).all()
    assert set(left[0].tolist()) <= set(range(101))
