import numpy as np
import pytest

from qc.figures.overlay import draw_overlay, fitted
from qc.geometry import Grid, Mpp, Size
from qc.labels import ARTEFACTS, ArtefactClass
from qc.maps import ArtefactMap, TissueMask

_SIZE = Size(800, 600)


def overlay(classes, is_tissue=None, side_max_px=800, rgb=None):
    grid = Grid(_SIZE, Mpp(1.0), Mpp(1.0))
    picture = np.full((*_SIZE.shape, 3), 240, np.uint8) if rgb is None else rgb
    mask = np.ones(_SIZE.shape, np.bool_) if is_tissue is None else is_tissue
    image = draw_overlay(picture, ArtefactMap(classes, grid), TissueMask(mask, grid), "title", side_max_px)
    height, width = (round(side * min(1, side_max_px / 800)) for side in _SIZE.shape)
    return np.array(image)[34 : 34 + height, 12 : 12 + width]


def clean():
    return np.full(_SIZE.shape, ArtefactClass.CLEAN, np.uint8)


@pytest.mark.parametrize("cls", [*ARTEFACTS, ArtefactClass.UNASSESSED])
def test_a_class_is_shown_in_its_colour_at_its_place(cls):
    classes = clean()
    classes[100:200, 300:400] = cls

    drawn = overlay(classes)

    expected = 0.4 * 240 + 0.6 * np.array(cls.colour)
    assert np.abs(drawn[150, 350] - expected).max() <= 2
    assert drawn[250, 350].tolist() == [240, 240, 240]


def test_a_thin_line_survives_reduction():
    classes = clean()
    classes[:, 399:402] = ArtefactClass.FOLD

    drawn = overlay(classes, side_max_px=160)

    assert (drawn[10:110, 80] != 240).any(axis=1).all()


def test_glass_that_was_not_read_is_not_shown_as_unassessed_tissue():
    is_tissue = np.zeros(_SIZE.shape, np.bool_)
    is_tissue[:, :400] = True
    classes = np.full(_SIZE.shape, ArtefactClass.UNASSESSED, np.uint8)

    drawn = overlay(classes, is_tissue)

    assert drawn[300, 200].tolist() != [240, 240, 240]
    assert drawn[300, 600].tolist() == [240, 240, 240]


def test_the_picture_given_is_not_painted_on():
    rgb = np.full((*_SIZE.shape, 3), 240, np.uint8)

    overlay(np.full(_SIZE.shape, ArtefactClass.PEN, np.uint8), rgb=rgb)

    assert (rgb == 240).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 900), (900, 3)])
def test_odd_shapes_and_long_titles_are_drawn_without_harm(width, height):
    grid = Grid(Size(width, height), Mpp(1.0), Mpp(1.0))
    classes = ArtefactMap(np.full((height, width), 6, np.uint8), grid)
    mask = TissueMask(np.ones((height, width), np.bool_), grid)

    image = draw_overlay(np.zeros((height, width, 3), np.uint8), classes, mask, "ä[/]" * 300, 400)

    assert image.width < 1000


def test_a_picture_is_only_ever_made_smaller():
    rgb = np.zeros((100, 400, 3), np.uint8)

    assert fitted(rgb, 400) is rgb
    assert fitted(rgb, 100).shape == (25, 100, 3)
    assert fitted(np.zeros((1, 5000, 3), np.uint8), 100).shape == (1, 100, 3)
