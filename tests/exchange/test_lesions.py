import json
from pathlib import Path

import pytest
import shapely

from qc.errors import ExchangeError
from qc.exchange.lesions import find_lesion_files, read_lesions

SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]
HOLE = [(10, 10), (20, 10), (20, 20), (10, 20)]


def asap(path: Path, *annotations: tuple[str, str, list[tuple[int, int]]]) -> Path:
    body = ""
    for name, group, outline in annotations:
        points = [f'<Coordinate Order="{i}" X="{x}" Y="{y}" />' for i, (x, y) in enumerate(outline)]
        inside = "".join(reversed(points))  # the order is stated, not implied
        body += f'<Annotation Name="{name}" PartOfGroup="{group}"><Coordinates>{inside}</Coordinates></Annotation>'
    path.write_text(f"<ASAP_Annotations><Annotations>{body}</Annotations></ASAP_Annotations>")
    return path


def test_asap_exclusions_are_cut_out(tmp_path: Path):
    path = asap(tmp_path / "t.xml", ("one", "_0", SQUARE), ("hole", "_2", HOLE))

    lesions = read_lesions(path)

    assert list(lesions) == ["one"]
    assert lesions["one"].area == 10_000 - 100


def test_camelyon_json_has_positive_and_negative_outlines(tmp_path: Path):
    outlines = {"positive": [{"name": "_0", "vertices": SQUARE}], "negative": [{"name": "_2", "vertices": HOLE}]}
    (tmp_path / "t.json").write_text(json.dumps(outlines))

    assert {name: polygon.area for name, polygon in read_lesions(tmp_path / "t.json").items()} == {"_0": 9900}


@pytest.mark.parametrize("as_list", [True, False])
def test_geojson_takes_tumour_by_class_and_what_has_none(tmp_path: Path, as_list: bool):
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[*SQUARE, SQUARE[0]]]},
            "properties": {"classification": {"name": name}} if name else {},
        }
        for name in ("Tumor", "Stroma", "")
    ]
    (tmp_path / "t.geojson").write_text(json.dumps(features if as_list else {"features": features}))

    lesions = read_lesions(tmp_path / "t.geojson")

    assert list(lesions) == ["lesion", "lesion (2)"]


def test_annotations_of_something_else_are_no_lesions(tmp_path: Path):
    path = asap(tmp_path / "t.xml", ("one", "Stroma", SQUARE))

    with pytest.raises(ExchangeError, match=r"t.xml annotates stroma, none of it tumour"):
        read_lesions(path)


def test_crossed_and_empty_outlines_are_mended_or_left_out(tmp_path: Path):
    bow_tie = [(0, 0), (100, 100), (100, 0), (0, 100)]
    path = asap(tmp_path / "t.xml", ("tie", "Tumor", bow_tie), ("line", "Tumor", [(0, 0), (5, 5), (9, 9)]))

    assert {name: polygon.area for name, polygon in read_lesions(path).items()} == {"tie": 5000}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"features": [{"geometry": {"type": "Nonsense"}}]}', "{}"])
def test_what_cannot_be_read_is_one_sentence(text: str, tmp_path: Path):
    (tmp_path / "t.json").write_text(text)

    with pytest.raises(ExchangeError, match=r"t.json holds no annotations that can be read"):
        read_lesions(tmp_path / "t.json")


def test_files_are_found_by_the_slide_they_are_named_after(tmp_path: Path):
    asap(tmp_path / "a.xml", ("one", "_0", SQUARE))
    (tmp_path / "notes.txt").write_text("")

    assert find_lesion_files(tmp_path) == {"a": tmp_path / "a.xml"}

    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ExchangeError, match=r"a.json and a.xml annotate one slide"):
        find_lesion_files(tmp_path)
    with pytest.raises(ExchangeError, match="holds no annotations"):
        find_lesion_files(tmp_path / "nowhere")


@pytest.mark.data
def test_real_outlines_of_camelyon_are_polygons_with_an_area(qc_data: Path):
    files = find_lesion_files(qc_data / "camelyon" / "annotations")

    lesions = {stem: read_lesions(path) for stem, path in files.items()}

    assert len(lesions) == 19
    assert all(found and all(polygon.is_valid for polygon in found.values()) for found in lesions.values())
    assert isinstance(next(iter(lesions["tumor-001"].values())), shapely.Polygon)
