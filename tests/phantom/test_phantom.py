from pathlib import Path

import numpy as np
import openslide
import pytest

from qc.errors import SettingsError
from qc.labels import ArtefactClass
from qc.phantom import ArtefactSpec, PhantomSpec, load_cohort, make_phantom, read_truth, write_cohort, write_phantom
from qc.phantom.spec import CohortSpec, ScannerSpec

DATASETS = Path(__file__).parents[2] / "datasets"
QUIET = ScannerSpec.model_validate({"noise": 0.0, "falloff": 0.0})


def small(name: str = "one", **changes) -> PhantomSpec:
    fields = {"width_mm": 1.6, "height_mm": 1.2, "mpp": 1.0, "pieces": 1, "cover": 0.5, "seed": 3, "scanner": QUIET}
    return PhantomSpec.model_validate({"name": name, "tissues": ("stroma", "fat")} | fields | changes)


def artefact(kind: str, share: float, **changes) -> ArtefactSpec:
    return ArtefactSpec.model_validate({"kind": kind, "share": share} | changes)


def test_equal_specifications_give_identical_pixels_and_truth() -> None:
    spec = small(artefacts=(artefact("fold", 0.1),), scanner={})

    first, second = make_phantom(spec), make_phantom(spec)

    np.testing.assert_array_equal(first.rgb, second.rgb)
    np.testing.assert_array_equal(first.truth.classes, second.truth.classes)


def test_another_seed_gives_another_slide() -> None:
    first, second = make_phantom(small()), make_phantom(small(seed=4))

    assert (first.truth.is_tissue != second.truth.is_tissue).any()


def test_tissue_covers_the_share_asked_for_and_glass_is_bright() -> None:
    phantom = make_phantom(small())

    tissue = phantom.truth.is_tissue
    assert tissue.mean() == pytest.approx(0.5, abs=0.05)
    assert set(np.unique(phantom.truth.classes)) == {ArtefactClass.CLEAN, ArtefactClass.GLASS}
    glass = np.repeat(np.repeat(~tissue, 2, 0), 2, 1)[: phantom.rgb.shape[0], : phantom.rgb.shape[1]]
    assert np.median(phantom.rgb[glass]) > 225
    assert phantom.rgb[~glass].mean() < phantom.rgb[glass].mean() - 15


@pytest.mark.parametrize(
    ("kind", "label"),
    [("out_of_focus", ArtefactClass.OUT_OF_FOCUS), ("pen", ArtefactClass.PEN), ("bubble", ArtefactClass.BUBBLE)],
)
def test_pixels_change_under_the_artefact_and_nowhere_else(kind, label) -> None:
    clean = make_phantom(small())
    dirty = make_phantom(small(artefacts=(artefact(kind, 0.2),)))

    ruined = dirty.truth.classes == label
    changed = np.abs(clean.rgb.astype(int) - dirty.rgb).max(axis=2)
    cells = changed[: 2 * ruined.shape[0], : 2 * ruined.shape[1]].reshape(ruined.shape[0], 2, ruined.shape[1], 2)
    loud = cells.max(axis=(1, 3)) > (90 if kind == "out_of_focus" else 25)
    assert ruined.sum() / dirty.truth.is_tissue.sum() == pytest.approx(0.2, abs=0.08)
    assert changed.any()
    assert (loud & ~ruined & dirty.truth.is_tissue).sum() < 0.05 * ruined.sum()


def test_blocks_meet_without_seams() -> None:
    artefacts = (artefact("out_of_focus", 0.6, size_um=1500.0),)
    rgb = make_phantom(small(artefacts=artefacts, seed=5)).rgb.astype(float)

    steps = np.abs(np.diff(rgb, axis=1)).mean(axis=(0, 2))

    assert steps[511] < 1.5 * np.median(steps[480:544])


def test_openslide_reads_the_file_with_its_mpp(tmp_path: Path) -> None:
    spec = small(mpp=0.5, tissues=("stroma",))

    written = write_phantom(spec, tmp_path)

    with openslide.OpenSlide(written.path) as slide:
        assert slide.dimensions == spec.size_px
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)
        assert slide.level_count >= 2
        middle = np.asarray(slide.read_region((1400, 1000), 0, (64, 64)).convert("RGB"), float)
    np.testing.assert_allclose(middle.mean(), make_phantom(spec).rgb[1000:1064, 1400:1464].mean(), atol=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.tiff", "one.truth.npz"]


def test_the_truth_survives_the_disc(tmp_path: Path) -> None:
    spec = small(artefacts=(artefact("pen", 0.1),))

    seen = []
    [written] = write_cohort(CohortSpec(name="c", slides=(spec,)), tmp_path, progress=seen.append)

    assert seen == [written]
    np.testing.assert_array_equal(read_truth(written.truth_path).classes, make_phantom(spec).truth.classes)


@pytest.mark.parametrize("name", ["phantoms-demo.toml", "phantoms-test.toml"])
def test_the_cohorts_of_the_project_load(name: str) -> None:
    cohort = load_cohort(DATASETS / name)

    assert {slide.diagnosis for slide in cohort.slides} == {"none", "lymphoma", "hyperplasia"}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('name = "x"\n[[slides]]\nname = "a"\nsharpness = 3\n', "sharpness"),
        ('name = "x"\n[[slides]]\nname = "a"\nmpp = -1\n', "mpp"),
        ('name = "x"\n[[slides]]\nname = "a"\nartefacts = [{kind = "fold", shre = 0.1}]\n', "shre"),
        ('name = "x"\n[[slides]]\nname = "a"\n[[slides]]\nname = "a"\n', "used twice"),
        ('name = "x"\nslides = [1]\n', "tables"),
        ("name = ", "TOML"),
    ],
)
def test_a_wrong_cohort_file_is_one_sentence_with_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "cohort.toml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=key) as caught:
        load_cohort(path)

    assert str(path) in str(caught.value)


def test_a_missing_cohort_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_cohort(tmp_path / "nowhere.toml")
