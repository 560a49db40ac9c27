import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from qc.config.metastasis import TileLabelSettings
from qc.downstream.metastasis.targets import lesion_shares, lesions_of, tile_targets
from qc.errors import ManifestError

SIDE = 256


def grid(slide_id: str, columns: int = 3, rows: int = 2) -> pd.DataFrame:
    places = [(c * SIDE, r * SIDE) for r in range(rows) for c in range(columns)]
    table = pd.DataFrame(places, columns=["x_level0", "y_level0"])
    return table.assign(slide_id=slide_id, patient="", width_level0=SIDE, height_level0=SIDE, label="macro")


def test_a_lesion_over_the_border_of_tiles_is_shared_between_them() -> None:
    """A square of 128 px around the corner where four tiles meet, and one that ends exactly on a border."""
    corner = shapely.box(SIDE - 64, SIDE - 64, SIDE + 64, SIDE + 64)
    touching = shapely.box(2 * SIDE - 128, 0, 2 * SIDE, 128)

    shares = lesion_shares(grid("a"), {"one": corner, "two": touching})

    quarter = 64 * 64 / SIDE**2
    np.testing.assert_allclose(shares, [quarter, quarter + 128 * 128 / SIDE**2, 0, quarter, quarter, 0])


def test_lesions_that_overlap_count_once() -> None:
    half = shapely.box(0, 0, SIDE / 2, SIDE)

    assert lesion_shares(grid("a", 1, 1), {"one": half, "two": half}).tolist() == [0.5]


def test_tiles_with_little_tumour_are_not_trained_on() -> None:
    lesions = {"a": {"one": shapely.box(0, 0, SIDE * 1.1, SIDE / 2)}}

    table = tile_targets(grid("a"), lesions, TileLabelSettings(tumour_from=0.4), seed=0)

    assert dict(zip(zip(table["x_level0"], table["y_level0"], strict=True), table["target"], strict=True)) == {
        (0, 0): 1,
        (512, 0): 0,
        (0, 256): 0,
        (256, 256): 0,
        (512, 256): 0,
    }


def test_a_slide_of_which_nothing_is_known_is_left_out_and_a_large_one_is_thinned() -> None:
    tiles = pd.concat([grid("a", 9, 9), grid("b")], ignore_index=True)
    lesions = {"a": {"one": shapely.box(0, 0, 3 * SIDE, 9 * SIDE)}}
    few = TileLabelSettings(per_slide_max=10)

    table = tile_targets(tiles, lesions, few, seed=0)

    assert set(table["slide_id"]) == {"a"}
    assert table["target"].value_counts().to_dict() == {0: 10, 1: 10}
    pd.testing.assert_frame_equal(table, tile_targets(tiles, lesions, few, seed=0))


def test_tiles_of_one_kind_only_are_refused() -> None:
    with pytest.raises(ManifestError, match="both normal and tumour"):
        tile_targets(grid("a"), {"a": {}}, TileLabelSettings(), seed=0)


ASAP = """<?xml version="1.0"?><ASAP_Annotations><Annotations><Annotation Name="Annotation 0" Type="Polygon"
PartOfGroup="Tumor"><Coordinates><Coordinate Order="0" X="0" Y="0"/><Coordinate Order="1" X="256" Y="0"/>
<Coordinate Order="2" X="256" Y="128"/><Coordinate Order="3" X="0" Y="128"/></Coordinates></Annotation></Annotations>
</ASAP_Annotations>"""
CORNERS = [[0, 0], [256, 0], [256, 128], [0, 128]]
CAMELYON = {"positive": [{"name": "one", "vertices": CORNERS}], "negative": []}
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[*CORNERS, CORNERS[0]]]},
            "properties": {"classification": {"name": "Tumor"}},
        }
    ],
}


@pytest.mark.parametrize(
    ("name", "text"), [("s.xml", ASAP), ("s.json", json.dumps(CAMELYON)), ("s.geojson", json.dumps(GEOJSON))]
)
def test_outlines_of_every_format_label_the_same_tiles(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    slides = pd.DataFrame({"slide_id": ["s-1"], "path": ["/slides/s.tif"], "label": ["macro"]})

    lesions = lesions_of(slides, tmp_path)

    assert lesion_shares(grid("s-1"), lesions["s-1"]).tolist() == [0.5, 0, 0, 0, 0, 0]


def test_negative_slides_need_no_outline_and_may_have_none(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(CAMELYON), encoding="utf-8")
    slides = pd.DataFrame({"slide_id": ["s", "t", "u"], "path": ["s.tif", "t.tif", "u.tif"]})

    known = lesions_of(slides.assign(label=["micro", "negative", "micro"]), tmp_path)

    assert {slide: len(lesions) for slide, lesions in known.items()} == {"s": 1, "t": 0}
    with pytest.raises(ManifestError, match="slide s is labelled negative"):
        lesions_of(slides.assign(label="negative"), tmp_path)


@pytest.mark.data
def test_outlines_of_camelyon16_cover_the_tiles_they_should(qc_data: Path) -> None:
    slides = pd.DataFrame({"slide_id": ["t"], "path": ["tumor-001.tif"], "label": ["macro"]})
    lesions = lesions_of(slides, qc_data / "camelyon" / "annotations")["t"]
    left, top, right, bottom = shapely.union_all(list(lesions.values())).bounds
    xs, ys = (np.arange(int(low) // SIDE, int(high) // SIDE + 1) * SIDE for low, high in ((left, right), (top, bottom)))
    x, y = (one.ravel() for one in np.meshgrid(xs, ys))
    tiles = pd.DataFrame({"x_level0": x, "y_level0": y, "width_level0": SIDE, "height_level0": SIDE})

    shares = lesion_shares(tiles, lesions)

    area = shapely.union_all(list(lesions.values())).area
    assert shares.sum() * SIDE**2 == pytest.approx(area)
    assert shares.min() >= 0
    assert shares.max() <= 1 + 1e-9
