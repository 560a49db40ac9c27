import numpy as np
import pandas as pd
import pytest
import shapely

from qc.downstream.metastasis.froc import RATES, SlideHits, froc, hits
from qc.downstream.metastasis.heat import Detection, HeatMap, detections, features, heat_map

NAN = np.nan
MAP = HeatMap(
    np.array(
        [
            [0.9, 0.0, 0.0, NAN, NAN, 0.2],
            [0.0, 0.0, 0.5, 0.6, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.7, 0.0],
            [0.1, 0.0, 0.0, 0.0, 0.8, 0.0],
        ],
        np.float32,
    ),
    side_level0=100,
    slide_mpp=1.0,
)


def test_the_six_figures_are_those_counted_by_hand() -> None:
    found = features(MAP, threshold=0.5)

    assert found["highest"] == pytest.approx(0.9)
    assert found["mean_positive"] == pytest.approx((0.9 + 0.2 + 0.5 + 0.6 + 0.7 + 0.8 + 0.1) / 7)
    assert found["pixels"] == 5  # 0.9, 0.5, 0.6, 0.7, 0.8: the threshold itself counts
    assert found["largest_pixels"] == 4  # all of these but 0.9, for 0.6 and 0.7 touch at a corner
    # columns 2 to 4 and rows 1 to 3: the tightest rectangle around them is this square of 3, or one turned
    assert found["long_side"] >= found["short_side"]
    assert found["long_side"] * found["short_side"] <= 9 + 1e-4


def test_sides_of_an_object_are_those_of_its_own_rectangle() -> None:
    scores = np.zeros((8, 9), np.float32)
    scores[2:4, 1:8] = 0.9
    turned = np.zeros((12, 12), np.float32)
    for i in range(8):
        turned[2 + i, 2 + i] = turned[2 + i, 3 + i] = 0.9

    straight = features(HeatMap(scores, 1, 1.0), 0.5)
    diagonal = features(HeatMap(turned, 1, 1.0), 0.5)

    assert (straight["long_side"], straight["short_side"]) == (7, 2)
    assert diagonal["long_side"] == pytest.approx(8.5 * 2**0.5, rel=0.03)
    assert diagonal["short_side"] == pytest.approx(3 / 2**0.5, rel=0.03)


def test_a_map_without_tumour_has_no_object() -> None:
    found = features(HeatMap(np.full((3, 3), 0.1, np.float32), 1, 1.0), 0.5)

    assert [found[name] for name in ("pixels", "long_side", "short_side", "largest_pixels")] == [0, 0, 0, 0]
    assert features(HeatMap(np.zeros((2, 2), np.float32), 1, 1.0), 0.5)["mean_positive"] == 0


def test_each_tile_is_one_pixel_and_where_none_was_scored_nothing_is_known() -> None:
    tiles = pd.DataFrame({"x_level0": [0, 256], "y_level0": [128, 0], "probability": [0.25, 0.75]})
    tiles = tiles.assign(width_level0=128, height_level0=128, slide_mpp=0.5)

    found = heat_map(tiles, 500, 300)

    np.testing.assert_array_equal(found.scores, np.array([[NAN, NAN, 0.75], [0.25, NAN, NAN]], np.float32))
    assert found.pixel_um == 64


def test_detections_are_peaks_that_lie_apart() -> None:
    found = detections(MAP, score_min=0.15, apart_um=150)

    # 0.7 touches 0.8, 0.5 touches 0.6; 0.6 lies two rows above 0.8 (224 um)
    assert [(one.x_level0, one.y_level0, round(one.score, 2)) for one in found] == [
        (50, 50, 0.9),
        (450, 350, 0.8),
        (350, 150, 0.6),
        (550, 50, 0.2),
    ]


def test_hits_are_sorted_as_camelyon16_does() -> None:
    """At 1 um per pixel: two lesions 60 um apart are one, isolated tumour cells are neither hit nor missed."""
    lesions = [
        shapely.box(0, 0, 300, 300),
        shapely.box(360, 0, 700, 300),
        shapely.box(2000, 2000, 2400, 2400).difference(shapely.box(2150, 2150, 2250, 2250)),
        shapely.box(5000, 5000, 5100, 5100),
        shapely.box(8000, 8000, 8500, 8500),
    ]
    found = [
        Detection(100, 100, 0.4),
        Detection(600, 100, 0.9),  # the same lesion as the one before
        Detection(330, 100, 0.5),  # between the two
        Detection(2200, 2200, 0.8),  # in the hole
        Detection(5050, 5050, 0.7),  # isolated tumour cells
        Detection(3000, 100, 0.6),
        Detection(8530, 8100, 0.3),  # 30 um beside a lesion that grew by 37.5
    ]

    sorted_hits = hits(found, lesions, 1.0)

    assert sorted(sorted_hits.lesions) == [0.3, 0.8, 0.9]
    assert sorted_hits.false == (0.6,)


def test_isolated_tumour_cells_are_told_by_their_length() -> None:
    """200 um along the diagonal, at 0.5 um per pixel; growing by 75 um adds as much to the limit."""
    side = 200 / 0.5 / 2**0.5

    assert hits([], [shapely.box(0, 0, 0.97 * side, 0.97 * side)], 0.5).lesions == ()
    assert hits([], [shapely.box(0, 0, 1.03 * side, 1.03 * side)], 0.5).lesions == (0.0,)


def test_froc_by_hand() -> None:
    """Four slides with four lesions, three of them found, and five false positives.

    Falling threshold: 0.9 one lesion; 0.8 two; 0.7 and 0.6 a false positive each (0.25, 0.5 per slide); 0.5 the third
    lesion; 0.4, 0.3 and 0.2 three more (0.75, 1.0, 1.25 per slide).
    """
    slides = [
        SlideHits((0.9, 0.0), (0.7,)),
        SlideHits((0.8,), (0.6, 0.4)),
        SlideHits((0.5,), ()),
        SlideHits((), (0.3, 0.2)),
    ]

    found = froc(slides)

    assert dict(zip(RATES, found.at_rates, strict=True)) == {
        0.25: 0.5,
        0.5: 0.75,
        1.0: 0.75,
        2.0: 0.75,
        4.0: 0.75,
        8.0: 0.75,
    }
    assert found.score == pytest.approx((0.5 + 5 * 0.75) / 6)


def test_froc_between_rates_is_interpolated() -> None:
    found = froc([SlideHits((0.9, 0.4), (0.5,))])

    # (0, 1/2) at 0.9, (1, 1/2) at 0.5, (1, 1) at 0.4
    assert found.at_rates[:2] == (0.5, 0.5)
    assert found.at_rates[2:] == (1.0, 1.0, 1.0, 1.0)


def test_without_lesions_there_is_no_froc() -> None:
    assert np.isnan(froc([SlideHits((), (0.5,))]).score)
