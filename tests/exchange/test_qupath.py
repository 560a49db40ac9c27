"""Our GeoJSON as QuPath takes it (`QuPathTypeAdapters`, `GsonTools`, `ROITypeAdapters`), and its own as we do."""

import json
import uuid

import numpy as np
import pandas as pd
import pytest

from qc.errors import ExchangeError
from qc.exchange.annotations import burnt, read_drawing
from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.lesions import read_lesions
from qc.exchange.tile_outlines import tile_collection
from qc.geometry import Grid, Mpp, Size
from qc.labels import IGNORE, ArtefactClass
from qc.manifest import CLASS_COLUMNS
from qc.maps import ArtefactMap, TissueMask

GRID = Grid(Size(402, 299), Mpp(0.253), Mpp(2.1))
KNOWN_TYPES = ("annotation", "tile", "cell", "detection", "tmaCore", "root")
KNOWN_PROPERTIES = {"objectType", "name", "color", "classification", "isLocked", "measurements", "metadata"}


def as_qupath_reads(path):
    """Each object as (type, class, RGB, name, measurements, rings), or an AssertionError where QuPath would throw."""
    content = json.loads(path.read_text())
    assert isinstance(content["features"], list)
    objects = []
    for feature in content["features"]:
        uuid.UUID(feature["id"])
        properties = feature["properties"]
        assert set(properties) <= KNOWN_PROPERTIES
        assert properties["objectType"] in KNOWN_TYPES
        classification = properties["classification"]
        assert {"name", "color"} <= set(classification), "Unable to parse PathClass"
        assert "colorRGB" not in classification, "taken for the form before 0.4"
        colour = classification["color"]
        assert len(colour) == 3
        assert all(type(one) is int and 0 <= one <= 255 for one in colour)
        measurements = properties.get("measurements", {})
        assert all(isinstance(one, float) and np.isfinite(one) for one in measurements.values())
        geometry = feature["geometry"]
        assert geometry["type"] in ("Polygon", "MultiPolygon")
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        rings = [ring for polygon in polygons for ring in polygon]
        assert rings
        for ring in rings:  # JTS: a LinearRing is closed and has at least four points
            assert len(ring) >= 4
            assert ring[0] == ring[-1]
        name = classification["name"]
        objects.append((properties["objectType"], name, colour, properties.get("name"), measurements, rings))
    return objects


@pytest.mark.parametrize("simplify_cells", [0.0, 1.0, 3.0])
def test_qupath_takes_every_outline_of_a_map(tmp_path, simplify_cells):
    rng = np.random.default_rng(0)
    classes = rng.choice([0, 1, 1, 1, 2, 3, 4, 5, 6, 7], GRID.shape).astype(np.uint8)
    tissue = TissueMask(classes != ArtefactClass.GLASS, GRID)
    write_geojson(feature_collection(ArtefactMap(classes, GRID), tissue, simplify_cells), tmp_path / "a.geojson")

    objects = as_qupath_reads(tmp_path / "a.geojson")

    assert {one[0] for one in objects} == {"annotation"}
    assert {one[1] for one in objects} == {"Tissue", "Fold", "Foreign", "Pen", "Bubble", "Out of focus"}
    assert all(one[4]["Area mm^2"] > 0 for one in objects)


def test_qupath_takes_tiles_with_their_reasons_and_shares(tmp_path):
    shares = dict.fromkeys(("tissue", *CLASS_COLUMNS), 0.5)
    place = {"slide_id": "a", "y_level0": 0, "width_level0": 512, "height_level0": 512, **shares}
    rows = [
        {"x_level0": 0, "is_kept": True, "reason": "", **place},
        {"x_level0": 512, "is_kept": False, "reason": "fold 0.5 > 0.1", **place},
    ]
    write_geojson(tile_collection(pd.DataFrame(rows)), tmp_path / "a.geojson")

    kept, removed = as_qupath_reads(tmp_path / "a.geojson")

    assert (kept[0], kept[1], kept[3]) == ("tile", "Kept", None)
    assert (removed[0], removed[1], removed[3]) == ("tile", "Removed", "fold 0.5 > 0.1")
    assert set(kept[4]) == {"tissue", *CLASS_COLUMNS}


SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [84, 0], [84, 84], [0, 84], [0, 0]]]}


@pytest.mark.parametrize(
    ("classification", "value"),
    [
        ({"name": "Fold", "color": [0, 51, 160]}, ArtefactClass.FOLD),  # 0.4 and later
        ({"name": "Out of focus", "color": [1, 2, 3, 128]}, ArtefactClass.OUT_OF_FOCUS),  # with alpha
        ({"names": ["Pen"], "color": [0, 0, 0]}, ArtefactClass.PEN),
        ({"name": "Ignore*", "colorRGB": -5000269}, IGNORE),  # 0.2 and 0.3
        ("Bubble", ArtefactClass.BUBBLE),  # what it reads, but does not write
    ],
)
def test_every_form_of_a_class_that_qupath_knows_is_understood(tmp_path, classification, value):
    properties = {"objectType": "annotation", "classification": classification, "isLocked": True, "color": [1, 2, 3]}
    feature = {"type": "Feature", "id": str(uuid.uuid4()), "geometry": SQUARE, "properties": properties}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    base = ArtefactMap(np.full(GRID.shape, ArtefactClass.GLASS, np.uint8), GRID)

    labels = burnt(read_drawing(tmp_path / "a.geojson").annotations, base)

    assert labels[2, 2] == value
    assert labels[20, 20] == ArtefactClass.GLASS


def test_an_ellipse_on_another_plane_and_with_measurements_is_the_polygon_that_it_is_written_as(tmp_path):
    around = np.linspace(0, 2 * np.pi, 41)
    ring = [[round(200 + 80 * np.cos(a), 2), round(150 + 40 * np.sin(a), 2)] for a in around]
    ring[-1] = ring[0]
    geometry = {"type": "Polygon", "coordinates": [ring], "isEllipse": True, "plane": {"c": -1, "z": 1, "t": 0}}
    properties = {"objectType": "annotation", "name": "Annotation 3", "measurements": {"Area um^2": 10053.1}}
    properties |= {
        "classification": {"name": "Tumor", "color": [200, 0, 0]},
        "metadata": {"ANNOTATION_DESCRIPTION": ""},
    }
    feature = {"type": "Feature", "id": str(uuid.uuid4()), "geometry": geometry, "properties": properties}
    (tmp_path / "a.geojson").write_text(json.dumps([feature]))

    lesions = read_lesions(tmp_path / "a.geojson")

    assert lesions["Annotation 3"].area == pytest.approx(np.pi * 80 * 40, rel=0.01)
    with pytest.raises(ExchangeError, match="named 'Tumor'"):
        read_drawing(tmp_path / "a.geojson")
