import json

import numpy as np
import pytest

from qc.errors import ExchangeError
from qc.exchange.annotations import burnt, check_place, read_drawing
from qc.geometry import Grid, Mpp, Size
from qc.labels import IGNORE, ArtefactClass
from qc.maps import ArtefactMap

GRID = Grid(Size(100, 80), Mpp(0.5), Mpp(2.0))  # cells of 4 pixels
SEEN = ArtefactMap(np.full(GRID.shape, ArtefactClass.GLASS, np.uint8), GRID)


def box(x0, y0, x1, y1, hole=None):
    rings = [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]
    if hole:
        rings += box(*hole)["coordinates"]
    return {"type": "Polygon", "coordinates": rings}


def feature(name, geometry, **classification):
    known = {"classification": {"name": name, "color": [1, 2, 3]} | classification} if name else {}
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation"} | known}


@pytest.fixture
def drawn(tmp_path):
    def write(*features, **members):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | members))
        return path

    return write


def test_polygons_along_the_grid_give_exactly_their_cells(drawn):
    path = drawn(feature("Tissue", box(0, 0, 80, 80)), feature("Fold", box(8, 8, 40, 40, hole=(16, 16, 32, 32))))

    classes = burnt(read_drawing(path).annotations, SEEN)

    expected = np.full(GRID.shape, ArtefactClass.GLASS, np.uint8)
    expected[:20, :20] = ArtefactClass.CLEAN
    expected[2:10, 2:10] = ArtefactClass.FOLD
    expected[4:8, 4:8] = ArtefactClass.CLEAN
    assert np.array_equal(classes, expected)


def test_what_a_person_corrects_lies_on_top_whatever_the_order_in_the_file(drawn):
    path = drawn(
        feature("Ignore*", box(24, 0, 28, 4)),
        feature("Clean", box(8, 0, 28, 4)),
        feature("pen", box(0, 0, 40, 4)),
        feature("Tissue", box(0, 0, 100, 4)),
    )

    row = burnt(read_drawing(path).annotations, SEEN)[0]

    pen, clean = int(ArtefactClass.PEN), int(ArtefactClass.CLEAN)
    assert row[:11].tolist() == [pen, pen, clean, clean, clean, clean, IGNORE, pen, pen, pen, clean]


def test_tissue_drawn_over_what_nobody_saw_stays_unassessed_but_an_artefact_counts(drawn):
    unseen = ArtefactMap(np.full(GRID.shape, ArtefactClass.UNASSESSED, np.uint8), GRID)
    path = drawn(feature("Tissue", box(0, 0, 100, 80)), feature("Bubble", box(0, 0, 4, 4)))

    classes = burnt(read_drawing(path).annotations, unseen)

    assert classes[0, 0] == ArtefactClass.BUBBLE
    assert np.count_nonzero(classes) == 1


def test_names_can_be_told_and_classes_of_several_names_are_read(drawn):
    path = drawn(feature(None, box(0, 0, 4, 4)), feature(None, box(4, 0, 8, 4)))
    content = json.loads(path.read_text())
    content["features"][1]["properties"]["classification"] = {"names": ["Dirt", "fibre"]}
    path.write_text(json.dumps(content["features"]))  # QuPath also writes bare lists

    drawing = read_drawing(path, {"": "ignore", "dirt: fibre": "Foreign"})

    assert burnt(drawing.annotations, SEEN)[0, :2].tolist() == [IGNORE, ArtefactClass.FOREIGN]


def test_an_outline_that_crosses_itself_is_mended(drawn):
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [40, 40], [40, 0], [0, 40], [0, 0]]]}

    classes = burnt(read_drawing(drawn(feature("Fold", bow))).annotations, SEEN)

    assert np.count_nonzero(classes == ArtefactClass.FOLD) == pytest.approx(50, abs=10)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ([feature("Tumour", box(0, 0, 4, 4))], "named 'Tumour'.*--rename 'Tumour=Ignore'"),
        ([feature(None, box(0, 0, 4, 4))], "without a class"),
        ([feature("Fold", {"type": "Point", "coordinates": [1, 1]})], "is a Point, no area"),
        ([feature("Fold", None)], "no area"),
        ([feature("Fold", {"type": "Polygon", "coordinates": []})], "empty outline"),
        ([feature("Fold", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})], "broken outline"),
        ([{"type": "Feature"}], "cannot be read as GeoJSON"),
        (["x"], "cannot be read as GeoJSON"),
    ],
)
def test_what_cannot_be_burnt_is_one_sentence_and_never_passed_over(drawn, features, says):
    with pytest.raises(ExchangeError, match=says) as caught:
        read_drawing(drawn(*features))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"features": 3}', "\x00"])
def test_a_file_that_is_no_geojson_is_one_sentence(tmp_path, text):
    (tmp_path / "a.geojson").write_text(text)

    with pytest.raises(ExchangeError, match="cannot be read as GeoJSON"):
        read_drawing(tmp_path / "a.geojson")


def test_a_drawing_of_another_slide_is_refused(drawn):
    beyond = drawn(feature("Fold", box(500, 0, 600, 50)))
    with pytest.raises(ExchangeError, match=r"at \(500, 0\), beyond a-1 of 100 x 80"):
        check_place(read_drawing(beyond), beyond, "a-1", GRID.slide_size)

    other = drawn(slidegate={"slide_id": "b-2"})
    with pytest.raises(ExchangeError, match="drawn on b-2, not on a-1"):
        check_place(read_drawing(other), other, "a-1", GRID.slide_size)
