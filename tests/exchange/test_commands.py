import json
import shutil

import numpy as np
import pandas as pd
import pytest

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.exchange.coords import read_coords
from qc.exchange.rasters import read_artefact_map, read_label_tiff, write_artefact_map, write_tissue_mask
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.manifest import Manifest, ManifestNote, slide_frame, tile_frame, write_manifest
from qc.maps import ArtefactMap, TissueMask
from qc.pipeline.folder import RunFolder
from qc.record import Assessed, ClassCoverage, Failed, Stamp

GRID = Grid(Size(1000, 900), Mpp(1.0), Mpp(2.0))


def assessed(slide_id, path):
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    numbers = dict.fromkeys(("tissue_mm2", "usable_mm2", "focus_score", "stain_score", "seconds"), 1.0)
    return Assessed(
        stamp=Stamp.unkept(slide_id, str(path), "0"),
        **{"verdict": "usable", "reason": "", "remedy": "", "profile": "p", "artefact_stage": "s", "findings": ()},
        **numbers,
        **{"width_px": 1000, "height_px": 900, "mpp": 1.0, "mpp_source": "header", "slide_format": "x"},
        **{"read_mpp": 1.0, "map_mpp": 2.0, "tiles": 1, "tiles_unread": 0},
        coverage={name: ClassCoverage(share=0.0, area_mm2=0.0) for name in names},
    )


@pytest.fixture
def data(tmp_path, small_tiff):
    """Two folders that hold a slide of one name."""
    for name in ("x", "y"):
        (tmp_path / "data" / name).mkdir(parents=True)
        shutil.copy(small_tiff, tmp_path / "data" / name / "a.tiff")
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path, data):
    """Maps of both slides and the failure of a third, as a run keeps them."""
    folder = RunFolder(tmp_path / "run")
    folder.root.mkdir()
    folder.begin(AssessSettings(), load_profile("default"), "0")
    for number, name in enumerate("xy"):
        classes = np.full(GRID.shape, ArtefactClass.GLASS, np.uint8)
        classes[50:400, 60:440] = ArtefactClass.CLEAN
        classes[100 + 50 * number : 250, 100:200] = ArtefactClass.FOLD
        classes[:, 490:] = ArtefactClass.UNASSESSED
        slide = folder.slide(f"a-{name}")
        slide.root.mkdir(parents=True)
        write_artefact_map(ArtefactMap(classes, GRID), slide.artefacts)
        is_tissue = (classes != ArtefactClass.GLASS) & (np.arange(GRID.size.width) < 495)  # beyond, nothing was scanned
        write_tissue_mask(TissueMask(is_tissue, GRID), slide.tissue)
        slide.write_record(assessed(f"a-{name}", data / name / "a.tiff"))
    failed = Failed(
        stamp=Stamp.unkept("b-1", str(data / "b.svs"), "0"),
        reason_code="truncated",
        reason="no pixels",
        remedy="copy it again",
        seconds=1.0,
    )
    folder.slide("b-1").write_record(failed)
    return folder


def stored(run, slide_id):
    return read_artefact_map(run.slide(slide_id).artefacts).classes


def test_what_goes_to_qupath_unchanged_comes_back_unchanged_for_every_slide(qc, run, data, tmp_path):
    qc("export", run.root, "--format", "geojson", "--out", tmp_path / "out")

    code, _, err = qc("import", tmp_path / "out", "--run", run.root, "--data", data, "--out", tmp_path / "back")

    assert code == 0
    assert "--licence" in err
    for slide_id in ("a-x", "a-y"):
        mask = read_artefact_map(tmp_path / "back" / "masks" / f"{slide_id}.png")
        assert np.array_equal(mask.classes, stored(run, slide_id))
    assert (tmp_path / "back" / "sources.toml").read_text().count("[[sources]]") == 2


def test_a_correction_made_in_qupath_reaches_the_mask(qc, run, data, tmp_path):
    qc("export", run.root, "--format", "geojson", "--out", tmp_path / "out", "--slide", "a-x")
    path = tmp_path / "out" / "a-x.geojson"
    content = json.loads(path.read_text())
    del content["slidegate"]  # QuPath does not keep it
    fold = next(f for f in content["features"] if f["properties"]["classification"]["name"] == "Fold")
    fold["properties"]["classification"]["name"] = "Edge of slide"
    path.rename(tmp_path / "any name.geojson").write_text(json.dumps(content))
    arguments = ("--run", run.root, "--data", data, "--out", tmp_path / "back", "--slide", "a-x")

    refused, _, sentence = qc("import", tmp_path / "any name.geojson", *arguments)
    code, _, _ = qc("import", tmp_path / "any name.geojson", *arguments, "--rename", "edge of slide=Bubble")

    was, mask = stored(run, "a-x"), read_artefact_map(tmp_path / "back" / "masks" / "a-x.png").classes
    assert (refused, code) == (2, 0)
    assert "named 'Edge of slide'" in sentence
    assert np.array_equal(mask == ArtefactClass.BUBBLE, was == ArtefactClass.FOLD)
    assert np.array_equal(mask != was, was == ArtefactClass.FOLD)


def test_slides_of_one_name_are_kept_apart_and_one_that_failed_is_said(qc, run, tmp_path):
    code, out, err = qc("export", run.root, "--format", "tiff", "--out", tmp_path / "out")

    assert code == 1
    assert "b-1 has no map: no pixels; copy it again" in err
    for slide_id in ("a-x", "a-y"):
        assert np.array_equal(
            read_label_tiff(tmp_path / "out" / f"{slide_id}.labels.tif").classes, stored(run, slide_id)
        )
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize(("kind", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_tables_hold_the_chosen_slides(qc, run, tmp_path, kind, read):
    qc("export", run.root, "--format", kind, "--out", tmp_path / "out", "--slide", "a-y", "--slide", "b-1")

    assert read(tmp_path / "out" / f"slides.{kind}")["slide_id"].tolist() == ["a-y", "b-1"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--format", "tiff", "--slide", "a.tiff"), "a.tiff may be a-x or a-y"),
        (("--format", "hdf5"), "hdf5 is made of a manifest"),
        (("--format", "seg", "--dicom", __file__), "the segmentation of one slide"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(qc, run, tmp_path, arguments, says):
    code, out, err = qc("export", run.root, *arguments, "--out", tmp_path / "out")

    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_run_is_never_exported_onto_itself(qc, run):
    code, _, err = qc("export", run.root, "--format", "csv", "--out", run.root, "--slide", "a-x")

    assert code == 2
    assert "choose another --out" in err


def test_a_manifest_goes_to_clam_and_trident_by_slide(qc, data, tmp_path):
    shares = dict.fromkeys(("fold", "foreign", "pen", "bubble", "out_of_focus", "unassessed"), 0.0)
    common = {"patient": "", "label": "", "split": "", "settings_fingerprint": "f", "tissue": 1.0, "clean": 1.0}
    place = {"y_level0": 0, "width_level0": 64, "height_level0": 64, "tile_px": 64, "tile_mpp": 1.0, "slide_mpp": 1.0}
    kept = {"is_kept": True, "reason": ""}
    ids = {"a-x": str(data / "x" / "a.tiff"), "a-y": str(data / "y" / "a.tiff")}
    tiles = [
        {"slide_id": one, "path": path, "x_level0": x, **common, **place, **kept, **shares}
        for one, path in ids.items()
        for x in (0, 64)
    ]
    sizes = {"width_level0": 1000, "height_level0": 900, "slide_mpp": 1.0, "candidates": 2, "kept": 2, "status": "kept"}
    note = ManifestNote(
        **{"software_version": "0", "settings_fingerprint": "f", "runs": (), "profile": "p"},
        **{"filter_settings": {}, "filter_fingerprint": ""},
    )
    accounts = slide_frame({"slide_id": one, "path": path, **sizes} for one, path in ids.items())
    write_manifest(Manifest(tile_frame(tiles), accounts, note), tmp_path / "m.parquet")

    code, out, _ = qc("export", tmp_path / "m.parquet", "--format", "hdf5", "--out", tmp_path / "out", "--slide", "a-y")
    refused, _, sentence = qc("export", tmp_path / "m.parquet", "--format", "seg", "--out", tmp_path / "out")

    files = sorted(path.name for path in (tmp_path / "out" / "patches").iterdir())
    assert (code, refused) == (0, 2)
    assert files == ["a-y.h5", "a-y_patches.h5"]
    assert read_coords(tmp_path / "out" / "patches" / "a-y.h5")[0].tolist() == [[0, 0], [64, 0]]
    assert pd.read_csv(tmp_path / "out" / "process_list.csv")["slide_id"].tolist() == ["a-y.tiff"]
    assert len(out.splitlines()) == 3
    assert "seg is made of a run" in sentence
