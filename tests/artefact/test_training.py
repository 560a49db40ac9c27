import csv
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from qc.artefact.training import IGNORE, Raster, TileSource, plan_sources, split_patients, spoil, verify_split
from qc.config.toml import load_settings
from qc.config.training import ComposeSettings, LabelNoiseSettings, TrainingSources
from qc.errors import SettingsError
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ARTEFACTS, ArtefactClass
from qc.phantom import load_cohort

CLEAN, FOLD, PEN, GLASS = ArtefactClass.CLEAN, ArtefactClass.FOLD, ArtefactClass.PEN, ArtefactClass.GLASS
Write = Callable[..., None]


def sources(*tables: dict[str, Any], **settings: Any) -> TrainingSources:
    plain = {"name": "one", "kind": "tissue", "files": "*/*.png", "mpp": 0.5, "use": "train", "licence": "CC0"}
    content = [{**plain, "slide": r"([^/]+)/", "all_tissue": True, **table} for table in tables]
    return TrainingSources.model_validate({"tile_px": 64, "mpp": 1.0, "sources": content, **settings})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three slides with two pink images each, 200 x 160 px at 0.5 mpp."""
    rng = np.random.default_rng(0)
    for slide in ("a", "b", "c"):
        (tmp_path / slide).mkdir()
        for name in ("1", "2"):
            pixels = rng.integers(120, 240, (160, 200, 3)).astype(np.uint8)
            pixels[..., 1] //= 2
            Image.fromarray(pixels).save(tmp_path / slide / f"{name}.png")
    return tmp_path


def read(folder: Path, settings: TrainingSources, noise: LabelNoiseSettings | None = None) -> TileSource:
    return TileSource(plan_sources(settings, folder), ComposeSettings(), noise or LabelNoiseSettings())


def test_tiles_are_read_at_the_training_mpp_with_their_slide(folder: Path) -> None:
    source = read(folder, sources({}))

    tile = source.read(0)

    assert tile.rgb.shape == (64, 64, 3)
    assert tile.mpp == 1.0
    assert {ref.slide for ref in source.refs} == {"a", "b", "c"}
    assert all(ref.composable for ref in source.refs)
    assert max(ref.window.right for ref in source.refs) == 100
    assert max(ref.window.bottom for ref in source.refs) == 80


def test_area_reading_averages_whole_blocks(folder: Path) -> None:
    planned = plan_sources(sources({}), folder)
    quiet = ComposeSettings(soft=0, noise_max=0)
    full = np.asarray(Image.open(folder / "a" / "1.png"), np.float32)

    tile = TileSource(planned, quiet, LabelNoiseSettings()).read(0)

    blocks = full[:128, :128].reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(tile.rgb, blocks, atol=1.01)


def test_an_image_coarser_than_training_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"1\.png has 2 mpp, training needs 1"):
        plan_sources(sources({"mpp": 2.0}), folder)


def test_an_annotated_image_coarser_than_training_is_read_at_its_own_mpp_where_declared(folder: Path) -> None:
    for image in sorted(folder.glob("*/*.png")):
        Image.fromarray(np.full((160, 200), 255, np.uint8)).save(image.with_suffix(".mask.tif"))
    masks = {"kind": "masks", "annotation": "{parent}/{stem}.mask.tif", "values": {"255": "pen"}, "mpp": 8.0}

    tile = read(folder, sources({**masks, "coarse": True})).read(0)

    assert tile.mpp == 8.0
    np.testing.assert_array_equal(tile.rgb, np.asarray(Image.open(folder / "a" / "1.png"))[:64, :64])
    assert (tile.classes == PEN).all()
    with pytest.raises(SettingsError, match="declared `coarse`"):
        read(folder, sources(masks))


def test_what_may_only_be_measured_on_is_refused_for_weights_that_are_published(folder: Path) -> None:
    settings = sources({"use": "evaluate", "licence": "none"})

    with pytest.raises(SettingsError, match="may be measured on, but not trained on"):
        plan_sources(settings, folder)

    assert plan_sources(settings, folder, throw_away=True).tiles


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"licens": "x"}, "Extra inputs"),
        ({"coarse": True}, "cannot be `coarse`"),
        ({"kind": "masks"}, "needs `annotation`"),
        ({"slide": "x"}, "one group"),
    ],
)
def test_a_wrong_source_is_an_error(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        sources(table)


def test_a_source_without_files_is_an_error(folder: Path) -> None:
    with pytest.raises(SettingsError, match="no files"):
        plan_sources(sources({"files": "*.svs"}), folder)


def test_composing_depends_on_seed_label_and_draw_only(folder: Path) -> None:
    source = read(folder, sources({}))
    elsewhere = pickle.loads(pickle.dumps(source))

    tile, again, other = source.read(2, PEN, 5), elsewhere.read(2, PEN, 5), source.read(2, PEN, 6)

    np.testing.assert_array_equal(tile.rgb, again.rgb)
    np.testing.assert_array_equal(tile.classes, again.classes)
    assert (tile.classes == PEN).any()
    assert (tile.rgb != other.rgb).any()


def test_a_mask_says_what_its_values_mean(folder: Path) -> None:
    for image in sorted(folder.glob("*/*.png")):
        mask = np.zeros((80, 100), np.uint8)  # half the resolution of its image
        mask[:, 50:] = 255
        Image.fromarray(mask).save(image.with_suffix(".mask.tif"))
    masks = {"kind": "masks", "annotation": "{parent}/{stem}.mask.tif", "values": {"255": "fold"}, "rest": "clean"}

    source = read(folder, sources(masks))

    whole = Raster(np.repeat([[1] * 50 + [2] * 50], 80, axis=0).astype(np.uint8), 1.0)
    for index, ref in enumerate(source.refs[:6]):
        grid = Grid(Size(200, 160), Mpp(0.5), Mpp(1.0))
        np.testing.assert_array_equal(source.read(index).classes, whole.window(grid, ref.window))
        assert ref.classes == ({FOLD} if ref.window.right > 50 else frozenset())
        assert not ref.composable


def test_masks_with_the_classes_own_values_are_read_as_they_are(folder: Path) -> None:
    for image in sorted(folder.glob("*/*.png")):
        mask = np.full((160, 200), int(ArtefactClass.BUBBLE), np.uint8)
        mask[:20] = 0
        Image.fromarray(mask).save(image.with_suffix(".classes.tif"))
    values = {str(int(label)): label.name.lower() for label in ArtefactClass if label}
    own = {"kind": "masks", "annotation": "{parent}/{stem}.classes.tif", "values": values}

    classes = read(folder, sources(own)).read(0).classes

    assert (classes[:10] == IGNORE).all()
    assert (classes[10:] == ArtefactClass.BUBBLE).all()


def test_annotations_of_qupath_become_classes(folder: Path) -> None:
    ring = [[0, 0], [100, 0], [100, 160], [0, 160], [0, 0]]  # level-0 pixels: the left half
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"classification": {"name": "Pen"}},
    }
    for image in folder.glob("*/*.png"):
        image.with_suffix(".geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    table = {"kind": "geojson", "annotation": "{parent}/{stem}.geojson", "values": {"Pen": "pen"}, "rest": "clean"}

    classes = read(folder, sources(table)).read(0).classes

    assert (classes[:, :50] == PEN).all()
    assert (classes[:, 50:] == CLEAN).all()


def test_outlines_may_lie_beside_the_file_that_declares_them(folder: Path, tmp_path_factory) -> None:
    beside = tmp_path_factory.mktemp("datasets")
    (beside / "all.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    table = {"kind": "geojson", "annotation": "all.geojson", "values": {"Pen": "pen"}, "rest": "clean"}

    planned = plan_sources(sources(table), folder, beside=beside)

    assert (TileSource(planned, ComposeSettings(), LabelNoiseSettings()).read(0).classes == CLEAN).all()
    with pytest.raises(SettingsError, match=r"all\.geojson cannot be read"):
        plan_sources(sources(table), folder)


def test_beyond_tissue_ink_stays_ink_and_other_artefacts_are_left_open(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = np.full((400, 600, 3), 244, np.uint8)
    pixels[:, :300] = rng.integers(90, 200, (400, 300, 3)) * (1.0, 0.6, 0.9)
    mask = np.zeros((400, 600), np.uint8)
    mask[:200, 100:550], mask[200:, 100:550] = 1, 2
    Image.fromarray(pixels).save(tmp_path / "view.png")
    Image.fromarray(mask).save(tmp_path / "mask.tif")
    table = {"kind": "masks", "files": "*.png", "annotation": "mask.tif", "rest": "clean", "slide": "([^/]+)$"}
    table |= {"values": {"1": "pen", "2": "fold"}, "mpp": 2.0, "all_tissue": False}

    classes = read(tmp_path, sources(table, tile_px=600, mpp=2.0)).read(0).classes[:400]

    assert (classes[20:180, 120:530] == PEN).all()
    assert (classes[220:, 120:250] == FOLD).all()
    assert (classes[220:, 350:530] == IGNORE).all()
    assert (classes[:, 570:] == GLASS).all()


def test_only_positive_sampling_leaves_out_tiles_without_annotation(folder: Path) -> None:
    for image in sorted(folder.glob("*/*.png")):
        mask = np.zeros((160, 200), np.uint8)
        mask[:, 190:] = 255
        Image.fromarray(mask).save(image.with_suffix(".mask.tif"))
    table = {"kind": "masks", "annotation": "{parent}/{stem}.mask.tif", "values": {"255": "fold"}, "rest": "clean"}

    every = read(folder, sources(table))
    positive = read(folder, sources(table), LabelNoiseSettings(only_positive=True))

    assert 0 < len(positive) < len(every)
    assert all(FOLD in ref.classes for ref in positive.refs)


def test_labelled_cells_give_tiles_of_clean_cells_only(folder: Path) -> None:
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["slide", "view", "row", "col", "code"])
        for row in range(4):
            for column in range(5):
                rows.writerow(["a", "1", row, column, "F" if (row, column) == (0, 0) else "C"])
    table = {"kind": "cells", "annotation": "labels.csv", "cell_px": 40}

    source = TileSource(plan_sources(sources(table, tile_px=40), folder), ComposeSettings(), LabelNoiseSettings())

    corners = {(ref.window.x, ref.window.y) for ref in source.refs}
    assert corners == {(x, y) for x in (0, 20, 40, 60) for y in (0, 20, 40)} - {(0, 0)}
    assert {ref.slide for ref in source.refs} == {"a"}


def test_phantoms_bring_their_own_truth(tmp_path: Path) -> None:
    (tmp_path / "cohort.toml").write_text(
        'name = "c"\n[[slides]]\nname = "p"\nwidth_mm = 0.8\nheight_mm = 0.8\nmpp = 1.0\ncover = 0.6\npieces = 1\n'
        'patient = "x"\nartefacts = [{kind = "pen", share = 0.5}]\n'
    )
    table = {"kind": "phantoms", "files": "cohort.toml", "all_tissue": False}

    source = TileSource(plan_sources(sources(table, tile_px=256), tmp_path), ComposeSettings(), LabelNoiseSettings())

    assert {(ref.patient, ref.is_composed) for ref in source.refs} == {("x", True)}
    labelled = [index for index, ref in enumerate(source.refs) if PEN in ref.classes]
    assert (source.read(labelled[0]).classes == PEN).any()


@dataclass(frozen=True)
class Member:
    patient: str
    slide: str
    file: str


def members(count: int) -> list[Member]:
    return [Member(f"p{i // 6}", f"s{i // 3}", f"f{i}") for i in range(count)]


def test_slides_under_two_names_are_one_patient_when_the_sources_say_so(folder: Path) -> None:
    planned = plan_sources(sources({}, patients={"b": "a"}), folder)

    assert {ref.slide: ref.patient for ref in planned.tiles} == {"a": "a", "b": "a", "c": "c"}


def test_standardised_tiles_differ_from_plain_ones_and_name_white_as_their_glass(folder: Path) -> None:
    plain = read(folder, sources({})).read(0).rgb
    standard = read(folder, sources({}, tissue_density=0.1)).read(0).rgb
    dense = read(folder, sources({}, tissue_density=0.4)).read(0).rgb

    assert standard.mean() > plain.mean() > dense.mean()


def test_patients_are_split_whole_in_the_wanted_shares_and_the_same_for_a_seed() -> None:
    tiles, parts = members(600), {"train": 0.7, "validation": 0.15, "test": 0.15}

    split, again, other = (split_patients(tiles, parts, seed) for seed in (0, 0, 1))

    assert split == again != other
    assert sorted(index for part in split.values() for index in part) == list(range(600))
    assert {name: len(part) / 600 for name, part in split.items()} == pytest.approx(parts, abs=0.02)
    patients = [{tiles[i].patient for i in part} for part in split.values()]
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]


@pytest.mark.parametrize("patients", [3, 4, 5])
def test_with_few_patients_every_part_gets_one_as_long_as_there_are_enough(patients: int) -> None:
    few = [Member(f"p{i}", f"s{i}", f"f{i}") for i in range(patients)]

    split = split_patients(few, {"train": 0.7, "validation": 0.15, "test": 0.15, "none": 0.0}, 0)

    assert [bool(split[name]) for name in split] == [True, True, True, False]


def test_patients_that_were_dealt_before_stay_and_the_others_fill_what_lacks() -> None:
    tiles, parts = members(60), {"one": 0.5, "other": 0.5}
    before: dict[str, str] = dict.fromkeys(("p0", "p1", "p2", "elsewhere"), "one")

    split = split_patients(tiles, parts, 0, before)

    patients = {name: {tiles[i].patient for i in part} for name, part in split.items()}
    assert {"p0", "p1", "p2"} < patients["one"]
    assert len(patients["one"]) == len(patients["other"]) == 5


@pytest.mark.parametrize("kind", ["patient", "slide", "file"])
def test_leakage_is_an_error(kind: str) -> None:
    first, other = (Member(f"p{i}", f"s{i}", f"f{i}") for i in (0, 1))
    second = replace(other, **{kind: getattr(first, kind)})

    with pytest.raises(SettingsError, match=f"{kind} .0 is in both train and test"):
        verify_split([first, second], {"train": [0], "test": [1]})


def annotated() -> np.ndarray:
    classes = np.full((200, 200), CLEAN, np.uint8)
    classes[:, 180:] = GLASS
    for index, y in enumerate(range(10, 190, 30)):
        cv2.circle(classes, (40 + 20 * index, y), 10, int(ARTEFACTS[index % 5]), -1)
    return classes


def changed(**noise: Any) -> tuple[np.ndarray, np.ndarray]:
    classes = annotated()
    return classes, spoil(classes, 2.0, LabelNoiseSettings(**noise), np.random.default_rng(0))


def test_no_noise_is_no_change() -> None:
    before, after = changed()

    np.testing.assert_array_equal(before, after)


def test_missing_annotations_are_left_out_whole() -> None:
    before, after = changed(missing=0.5)

    counts = [cv2.connectedComponents((c < GLASS).astype(np.uint8) * (c > CLEAN))[0] - 1 for c in (before, after)]
    assert 0 < counts[1] < counts[0] == 6
    assert set(np.unique(after[before != after])) == {CLEAN}


def test_erosion_takes_a_border_and_growth_adds_one() -> None:
    before, smaller = changed(eroded_um=6.0)
    _, larger = changed(eroded_um=-6.0)

    areas = [np.isin(c, ARTEFACTS).sum() for c in (smaller, before, larger)]
    assert areas[0] / areas[1] == pytest.approx((7 / 10) ** 2, abs=0.1)
    assert areas[2] / areas[1] == pytest.approx((13 / 10) ** 2, abs=0.15)
    assert (larger[before == GLASS] == GLASS).all()


def test_shifting_moves_areas_and_keeps_their_size() -> None:
    before, after = changed(shifted_um=8.0)

    assert (before != after).sum() > 100
    assert np.isin(after, ARTEFACTS).sum() == pytest.approx(np.isin(before, ARTEFACTS).sum(), rel=0.1)


def test_polygons_have_straight_edges_near_the_outline() -> None:
    before, after = changed(polygon_um=8.0)

    outline = cv2.findContours((after == FOLD).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_TC89_KCOS)[0][0]
    exact = cv2.findContours((before == FOLD).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_TC89_KCOS)[0][0]
    assert len(outline) < len(exact)
    assert np.isin(after, ARTEFACTS).sum() > 0.5 * np.isin(before, ARTEFACTS).sum()


def test_the_ignore_band_follows_borders_at_its_width() -> None:
    before, after = changed(ignore_band_um=8.0)

    row = after[100]
    assert (row[178:182] == IGNORE).all()  # 2 px of 2 um on either side of the glass, none beyond
    assert row[176] == CLEAN
    assert row[183] == GLASS
    assert (after[(after != IGNORE)] == before[after != IGNORE]).all()


def test_a_raster_gives_nearest_values_and_ignores_what_lies_beyond() -> None:
    raster = Raster(np.array([[1, 2], [3, 4]], np.uint8), 4.0)
    grid = Grid(Size(16, 16), Mpp(0.5), Mpp(2.0))

    values = raster.window(grid, Window(1, 1, 4, 4))

    assert values.tolist() == [[1, 2, 2, IGNORE], [3, 4, 4, IGNORE], [3, 4, 4, IGNORE], [IGNORE] * 4]


def test_the_published_sources_are_all_licensed_for_training() -> None:
    settings = load_settings(TrainingSources, Path(__file__).parents[2] / "datasets" / "training-sources.toml")

    assert {source.use for source in settings.sources} == {"train"}


@pytest.mark.data
def test_the_published_sources_can_be_read(qc_data: Path) -> None:
    datasets = Path(__file__).parents[2] / "datasets"
    settings = load_settings(TrainingSources, datasets / "training-sources.toml")
    few = settings.model_copy(
        update={
            "sources": tuple(
                one.model_copy(update={"files": one.files.replace("views/*", "views/bs11")}) for one in settings.sources
            )
        }
    )

    planned = plan_sources(few, qc_data, beside=datasets)
    tile = TileSource(planned, ComposeSettings(), LabelNoiseSettings()).read(0, FOLD)

    phantoms = {ref.slide for ref in planned.tiles if ref.is_composed}
    taught = {one.name for one in load_cohort(datasets / "phantoms-training.toml").slides}
    clean = {"bs11", "cmu-1-small-region", "mucosa-biopsy", "histoprep-slide", *(f"template{i}" for i in range(1, 5))}
    marked = {"tcga-cr-7395", "masked"}
    assert {ref.slide for ref in planned.tiles} - phantoms == clean | marked
    assert {ref.slide for ref in planned.tiles if ref.composable} == clean
    with_pixels = {ref.slide for ref in planned.tiles if ref.classes and not ref.weak} - phantoms
    assert with_pixels == marked
    assert phantoms == taught
    assert not taught & {one.name for one in load_cohort(datasets / "phantoms-validation.toml").slides}
    assert any(ref.weak and ref.weak.present for ref in planned.tiles)
    assert planned.cutouts
    assert tile.rgb.shape == (settings.tile_px, settings.tile_px, 3)
    assert (tile.classes == FOLD).any()
