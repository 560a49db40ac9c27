from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qc.artefact.training.plan import plan_sources
from qc.config.toml import load_settings
from qc.config.training import TrainingSources
from qc.errors import ExchangeError, SettingsError
from qc.exchange.corrections import add_sources, source_of, write_mask
from qc.geometry import Grid, Mpp, Size
from qc.labels import IGNORE, ArtefactClass
from qc.record import Assessed, ClassCoverage, Stamp

GRID = Grid(Size(1000, 900), Mpp(1.0), Mpp(2.0))


def record(path, slide_id="small-1", mpp_source="header"):
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    texts = {"verdict": "usable", "reason": "", "remedy": "", "profile": "p", "artefact_stage": "s", "findings": ()}
    numbers = dict.fromkeys(("tissue_mm2", "usable_mm2", "focus_score", "stain_score", "seconds"), 1.0)
    return Assessed(
        stamp=Stamp.unkept(slide_id, str(path), "0"),
        **texts,
        **numbers,
        **{"width_px": 1000, "height_px": 900, "mpp": 1.0, "mpp_source": mpp_source, "slide_format": "x"},
        **{"read_mpp": 1.0, "map_mpp": 2.0, "tiles": 1, "tiles_unread": 0},
        coverage={name: ClassCoverage(share=0.0, area_mm2=0.0) for name in names},
    )


@pytest.fixture
def labels():
    values = np.full(GRID.shape, ArtefactClass.CLEAN, np.uint8)
    values[100:200, 50:150] = ArtefactClass.FOLD
    values[:, 400:] = ArtefactClass.GLASS
    values[300:, :] = ArtefactClass.UNASSESSED
    values[0:50, 0:50] = IGNORE
    return values


def test_training_reads_the_mask_of_a_corrected_slide_cell_by_cell(tmp_path, small_tiff, labels):
    one = record(small_tiff.resolve())
    root = small_tiff.parent
    add_sources([source_of(one, write_mask(labels, GRID, one, tmp_path), root, "ours")], tmp_path / "sources.toml")

    sources = load_settings(TrainingSources, tmp_path / "sources.toml")
    (item,) = plan_sources(sources, root).items

    assert item.annotation is not None
    expected = np.where(labels == ArtefactClass.UNASSESSED, IGNORE, labels)
    assert np.array_equal(item.annotation.values, expected)
    assert item.annotation.mpp == 2.0


@pytest.mark.parametrize("cell_mpp", [2.0, 3.7, 16.1])
def test_no_cell_of_a_corrected_mask_moves_on_a_slide_that_ends_within_one(tmp_path, cell_mpp):
    slide = tmp_path / "slide.png"
    Image.new("RGB", (1000, 901), (220, 140, 180)).save(slide)
    grid = Grid(Size(1000, 901), Mpp(1.0), Mpp(cell_mpp))
    labels = np.random.default_rng(0).integers(1, 8, grid.shape, np.uint8)
    one = record(slide, mpp_source="caller")
    source = source_of(one, write_mask(labels, grid, one, tmp_path), tmp_path, "ours")

    (item,) = plan_sources(TrainingSources(sources=(source,)), tmp_path).items

    assert item.annotation is not None
    assert item.annotation.mpp == cell_mpp
    assert np.array_equal(item.annotation.window(grid, grid.window), labels)


def test_a_mask_of_another_slide_is_refused_even_where_its_shape_fits(tmp_path, labels):
    slide = tmp_path / "slide.png"
    Image.new("RGB", (1001, 901), (220, 140, 180)).save(slide)
    one = record(slide, mpp_source="caller")
    source = source_of(one, write_mask(labels, GRID, one, tmp_path), tmp_path, "ours")

    with pytest.raises(SettingsError, match="slide of 1000 x 900 pixels, its image has 1001 x 901"):
        plan_sources(TrainingSources(sources=(source,)), tmp_path)


def test_later_slides_are_added_and_what_a_person_set_stays(tmp_path, small_tiff, labels):
    path = tmp_path / "sources.toml"
    first, second = (record(tmp_path / "slides" / name / "a {1}[x].svs", f"a-{name}") for name in ("x", "y"))
    add_sources([source_of(first, write_mask(labels, GRID, first, tmp_path), tmp_path, "")], path)
    path.write_text("mpp = 2.0\nparts = {train = 0.5, test = 0.5}\n" + path.read_text())

    mask = write_mask(labels, GRID, second, tmp_path)
    for licence in ("", 'the "lab"\'s'):
        add_sources([source_of(second, mask, tmp_path, licence)], path)

    sources = load_settings(TrainingSources, path)
    assert (sources.mpp, sources.parts) == (2.0, {"train": 0.5, "test": 0.5})
    assert [(one.name, one.use, one.licence) for one in sources.sources] == [
        ("corrected-a-x", "evaluate", "none"),
        ("corrected-a-y", "train", 'the "lab"\'s'),
    ]


def test_odd_names_of_slides_are_found_again(tmp_path, labels):
    slide = tmp_path / "slides" / "a {1}[x].png"
    slide.parent.mkdir()
    Image.new("RGB", (1000, 900), (220, 140, 180)).save(slide)
    one = record(slide, mpp_source="caller")
    source = source_of(one, write_mask(labels, GRID, one, tmp_path / "{out}"), tmp_path, "ours")

    add_sources([source], tmp_path / "sources.toml")
    (item,) = plan_sources(load_settings(TrainingSources, tmp_path / "sources.toml"), tmp_path).items

    assert Path(item.path) == slide


def test_a_slide_outside_the_data_folder_is_one_sentence(tmp_path, labels):
    one = record(tmp_path / "elsewhere" / "a.svs")

    with pytest.raises(ExchangeError, match=r"does not lie under .*--data"):
        source_of(one, tmp_path / "a.png", tmp_path / "data", "ours")


def test_a_file_that_holds_no_sources_is_left_alone(tmp_path, labels):
    (tmp_path / "sources.toml").write_text("colour = 1")
    one = record(tmp_path / "a.svs")

    with pytest.raises(SettingsError, match="unknown key colour"):
        add_sources([source_of(one, tmp_path / "a.png", tmp_path, "ours")], tmp_path / "sources.toml")

    assert (tmp_path / "sources.toml").read_text() == "colour = 1"
