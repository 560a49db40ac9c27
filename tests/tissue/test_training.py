"""Training data of tissue networks: what is believed of masks, what is laid on tiles, and that nothing leaks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from qc.config.tissue_training import (
    Correction,
    OverviewSpec,
    PhantomDraws,
    TissueComposeSettings,
    TissueTrainingSources,
    TrustSettings,
)
from qc.config.toml import load_settings
from qc.errors import SettingsError
from qc.labels import ARTEFACTS, ArtefactClass
from qc.phantom import PhantomSpec, load_cohort, make_phantom
from qc.tissue import find_tissue
from qc.tissue.training import IGNORE, TissueSource, label_overview, plan_tissue_sources
from qc.tissue.training.compose import compose_tissue
from qc.tissue.training.phantoms import draw_overviews

DATASETS = Path(__file__).parents[2] / "datasets"
MPP = 8.0
GLASS = (240.0, 240.0, 240.0)
PLAIN = TissueComposeSettings(
    recolour=0, fade=0, glass=0, shading=0, haze=0, stray=0, another=0, padding=0, soft=0, noise_max=0, jpeg=0
)


@pytest.fixture(scope="module")
def overview() -> np.ndarray:
    """(500, 700, 3) uint8 at 8 mpp."""
    spec = PhantomSpec(
        name="one", seed=3, width_mm=5.6, height_mm=4, mpp=MPP, truth_mpp=MPP, tissues=("stroma",), pieces=2
    )
    return make_phantom(spec).rgb


@pytest.fixture
def folder(tmp_path: Path, overview: np.ndarray) -> Path:
    for name in ("first", "second"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), overview[..., ::-1])
    return tmp_path


def _sources(**changes: object) -> TissueTrainingSources:
    source = OverviewSpec(name="pictures", files="*.png", mpp=MPP, use="train", licence="MIT")
    content: dict[str, object] = {"sources": (source,), "phantoms": PhantomDraws(count=0), "tile_px": 128}
    return TissueTrainingSources.model_validate({**content, **changes})


def test_the_same_seed_gives_the_same_tile_and_another_draw_another(folder: Path):
    planned = plan_tissue_sources(_sources(), folder)

    one, again = (TissueSource(planned, TissueComposeSettings(), seed=5) for _ in range(2))

    for label in (ArtefactClass.CLEAN, *ARTEFACTS):
        tile, same, other = one.read(2, label, 7), again.read(2, label, 7), one.read(2, label, 8)
        assert np.array_equal(tile.rgb, same.rgb)
        assert np.array_equal(tile.classes, same.classes)
        assert not np.array_equal(tile.rgb, other.rgb)
        assert set(np.unique(tile.classes)) <= {ArtefactClass.CLEAN, ArtefactClass.GLASS, IGNORE}


def test_tiles_name_slide_and_patient_and_cover_tissue_and_glass(folder: Path):
    planned = plan_tissue_sources(_sources(patients={"first": "anna", "second": "anna"}), folder)
    source = TissueSource(planned, None)

    classes = np.stack([source.read(index).classes for index in range(len(source))])

    assert {ref.slide for ref in source.refs} == {"first", "second"}
    assert {ref.patient for ref in source.refs} == {"anna"}
    assert 0.2 < (classes == ArtefactClass.CLEAN).mean() < 0.8
    assert 0.2 < (classes == ArtefactClass.GLASS).mean() < 0.8


def test_labels_say_nothing_where_rules_differ_and_along_outlines(overview: np.ndarray):
    trust = TrustSettings(permissive_margin_um=0)
    is_scanned = np.ones(overview.shape[:2], bool)

    classes = label_overview(overview, is_scanned, MPP, trust)

    strict = find_tissue(overview, is_scanned, MPP, trust.strict)
    permissive = find_tissue(overview, is_scanned, MPP, trust.permissive)
    tissue, glass = classes == ArtefactClass.CLEAN, classes == ArtefactClass.GLASS
    assert not (tissue & ~strict).any()
    assert not (glass & (permissive | strict)).any()
    assert not (cv2.dilate(tissue.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & glass).any()


@pytest.mark.parametrize(("means", "expected"), [("glass", ArtefactClass.GLASS), ("ignore", IGNORE)])
def test_a_correction_overrules_what_was_found(overview: np.ndarray, means: str, expected: int):
    whole = Correction.model_validate({"slide": "one", "means": means, "outline": ((0, 0), (1, 1)), "why": "seen"})

    classes = label_overview(overview, np.ones(overview.shape[:2], bool), MPP, TrustSettings(), [whole])

    assert (classes == expected).all()


def test_a_correction_to_tissue_settles_what_was_open_and_leaves_glass(overview: np.ndarray):
    whole = Correction(slide="one", means="clean", outline=((0, 0), (1, 1)), why="seen")
    is_scanned, trust = np.ones(overview.shape[:2], bool), TrustSettings(band_um=0)

    before = label_overview(overview, is_scanned, MPP, trust)
    after = label_overview(overview, is_scanned, MPP, trust, [whole])

    assert (before == IGNORE).any()
    assert not (after == IGNORE).any()
    assert np.array_equal(before == ArtefactClass.GLASS, after == ArtefactClass.GLASS)


def test_what_is_laid_on_glass_changes_it_and_leaves_it_glass():
    white, classes = np.full((128, 128, 3), 240, np.uint8), np.full((128, 128), ArtefactClass.GLASS, np.uint8)
    changed = 0

    for label in (ArtefactClass.PEN, ArtefactClass.FOREIGN, ArtefactClass.BUBBLE):
        for seed in range(12):
            rgb, out = compose_tissue(white, classes, MPP, GLASS, label, PLAIN, np.random.default_rng(seed))
            assert (out == ArtefactClass.GLASS).all()
            changed += bool((rgb != 240).any())

    assert changed > 20  # a few land beside the tile


def test_tissue_stays_tissue_under_thin_ink_and_is_left_open_under_opaque_ink():
    pink, classes = np.full((128, 128, 3), (220, 150, 190), np.uint8), np.full((128, 128), 1, np.uint8)
    open_light, kept_light = [], []

    for seed in range(40):
        rgb, out = compose_tissue(pink, classes, MPP, GLASS, ArtefactClass.PEN, PLAIN, np.random.default_rng(seed))
        light = (rgb / pink.astype(np.float32)).mean(axis=2)
        open_light += light[out == IGNORE].tolist()
        kept_light += light[out == ArtefactClass.CLEAN].tolist()

    assert max(open_light) < PLAIN.hidden_light + 0.01
    assert min(kept_light) > PLAIN.hidden_light - 0.01


def test_tissue_that_nobody_could_see_is_left_open():
    ghost, classes = np.full((64, 64, 3), 239, np.uint8), np.full((64, 64), ArtefactClass.CLEAN, np.uint8)
    ghost[:, :32] = (215, 190, 210)

    _, out = compose_tissue(ghost, classes, MPP, GLASS, ArtefactClass.CLEAN, PLAIN, np.random.default_rng(0))

    assert (out[:, :20] == ArtefactClass.CLEAN).all()
    assert (out[:, 50:] == IGNORE).all()


def test_phantoms_to_learn_from_have_seeds_of_no_cohort_and_both_classes():
    draws = PhantomDraws(count=1, width_mm=3, height_mm=3)
    used = {one.seed for path in DATASETS.glob("phantoms-*.toml") for one in load_cohort(path).slides}

    (drawn,) = draw_overviews(draws, MPP, band_um=32)

    assert drawn.rgb.shape[:2] == drawn.classes.shape
    assert {ArtefactClass.CLEAN, ArtefactClass.GLASS, IGNORE} == set(np.unique(drawn.classes))
    assert max(used) < PhantomDraws().first_seed


def test_a_source_for_measuring_is_refused_unless_weights_are_thrown_away(folder: Path):
    source = OverviewSpec(name="pictures", files="*.png", mpp=MPP, use="evaluate", licence="none")
    settings = _sources(sources=(source,))

    with pytest.raises(SettingsError, match="may be measured on, but not trained on"):
        plan_tissue_sources(settings, folder)

    assert plan_tissue_sources(settings, folder, throw_away=True).tiles


def test_a_correction_of_a_slide_that_does_not_exist_is_refused(folder: Path):
    wrong = Correction(slide="third", means="glass", outline=((0, 0), (1, 1)), why="seen")

    with pytest.raises(SettingsError, match="corrections name third"):
        plan_tissue_sources(_sources(corrections=(wrong,)), folder)


@pytest.mark.data
def test_the_declared_overviews_exist_and_the_one_for_measuring_is_not_among_them(qc_data: Path):
    settings = load_settings(TissueTrainingSources, DATASETS / "tissue-sources.toml")

    files = {source.name: sorted(qc_data.glob(source.files)) for source in settings.sources}

    assert all(files.values())
    assert not any("imi-29" in path.name for paths in files.values() for path in paths)
