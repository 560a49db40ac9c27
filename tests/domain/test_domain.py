import json
import math

import cv2
import numpy as np
import pytest

from qc.config.domain import DomainSource
from qc.domain.features import FEATURES, measure_patch, slide_features
from qc.domain.fit import fit_domain
from qc.domain.reference import packaged_reference, read_reference
from qc.domain.sample import ColourSample, plan_sample
from qc.domain.slides import read_slides, slide_patches
from qc.errors import SettingsError
from qc.geometry import Mpp, Window
from qc.phantom import PhantomSpec, make_phantom
from qc.slide.memory import MemorySlide


def features_of(rgb, mpp=1.0):
    patches = slide_patches(MemorySlide(rgb, Mpp(mpp)))
    return slide_features([measure_patch(*patch) for patch in patches])


def phantom_rgb():
    spec = PhantomSpec(name="a", width_mm=2.4, height_mm=2.0, cover=0.5, mpp=1.0, seed=3)
    return make_phantom(spec).rgb


@pytest.fixture(scope="module")
def reference():
    return packaged_reference()


@pytest.fixture(scope="module")
def he_rgb():
    return phantom_rgb()


@pytest.fixture(scope="module")
def patches(he_rgb):
    return slide_patches(MemorySlide(he_rgb, Mpp(1.0)))


def distance(reference, patches, change=lambda rgb: rgb):
    return reference.distance(slide_features([measure_patch(change(rgb), mask) for rgb, mask in patches]))


def test_a_phantom_in_haematoxylin_and_eosin_lies_inside(reference, patches):
    assert distance(reference, patches) < 1


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 0, 1]])
def test_swapped_channels_lie_outside(reference, patches, order):
    assert distance(reference, patches, lambda rgb: np.ascontiguousarray(rgb[..., order])) > 1


@pytest.mark.parametrize("sigma_um", [2.0, 5.0])
def test_defocus_is_left_to_the_artefact_stage(reference, patches, sigma_um):
    assert distance(reference, patches, lambda rgb: cv2.GaussianBlur(rgb, (0, 0), sigma_um)) < 1


def test_a_minority_of_ruined_patches_hardly_moves_the_features(patches):
    own = [measure_patch(*patch) for patch in patches]
    ruined = [measure_patch(255 - rgb, mask) for rgb, mask in patches]
    few = len(own) // 6

    mixed, whole = slide_features([*ruined[:few], *own[few:]]), slide_features(own)

    assert few >= 2
    assert np.abs(mixed - whole).max() < 0.1 * np.abs(slide_features(ruined) - whole).max()


def test_features_do_not_depend_on_the_order_in_which_tiles_come(patches):
    cores = [Window(i * 512, 0, 512, 512) for i in range(len(patches))]
    forward, backward = (ColourSample(cores, 1.0, 2.0) for _ in range(2))

    for patch in patches:
        forward.add(*patch)
    for patch in reversed(patches):
        backward.add(*patch)

    assert forward.features().tolist() == backward.features().tolist()


def test_features_hardly_depend_on_how_much_of_the_tissue_is_seen(reference, he_rgb):
    whole, half = features_of(he_rgb), features_of(he_rgb[: he_rgb.shape[0] // 2])

    assert reference.distance(half) == pytest.approx(reference.distance(whole), abs=0.2)


def test_a_large_slide_is_sampled_over_its_whole_area():
    cores = tuple(Window(i * 512, 0, 512, 512) for i in range(1000))

    chosen, per_tile = plan_sample(cores)

    assert 32 <= len(chosen) <= 64
    assert per_tile == 1
    assert chosen[-1].x > 0.95 * cores[-1].x


@pytest.mark.parametrize("rgb", [np.full((256, 256, 3), 250, np.uint8), np.zeros((0, 0, 3), np.uint8)])
def test_blank_glass_has_no_distance_rather_than_none_at_all(reference, rgb):
    patches = [measure_patch(rgb, np.ones(rgb.shape[:2], bool))] if rgb.size else []

    assert math.isnan(reference.distance(slide_features(patches)))


def test_tiles_too_coarse_for_focus_are_not_compared(patches):
    core = Window(0, 0, 256, 256)

    assert not ColourSample([core], 2.5, 2.0).wants(core)
    assert np.isnan(ColourSample([core], 2.5, 2.0).features()).all()


def test_a_fitted_reference_holds_its_own_slides_and_finds_others():
    rng = np.random.default_rng(1)
    centre = np.linspace(0.2, 0.7, len(FEATURES))
    looks = {f"s{i}": centre + rng.normal(0, 0.02, (8, len(FEATURES))) for i in range(12)}

    fitted = fit_domain(looks, 0.99, "test", (), "", "0")

    own = [fitted.distance(row) for rows in looks.values() for row in rows]
    assert np.mean(np.array(own) > 1) < 0.05
    assert fitted.distance(centre + 0.2) > 3
    assert fitted.card is not None
    assert set(fitted.card.left_out) == set(looks)
    assert read_reference(fitted.model_dump_json(), "test") == fitted


def test_too_few_slides_make_no_reference():
    with pytest.raises(SettingsError, match="too few"):
        fit_domain({"a": np.ones((3, len(FEATURES)))}, 0.99, "test", (), "", "0")


def test_a_reference_of_other_features_is_refused(reference):
    other = json.loads(reference.model_dump_json()) | {"features": ["hue"]}

    with pytest.raises(SettingsError, match="other features"):
        read_reference(json.dumps(other), "old.json")


def test_the_packaged_reference_says_where_it_comes_from(reference):
    assert all(source.licence and source.slides for source in reference.card.sources)
    assert len(reference.card.left_out) == sum(source.slides for source in reference.card.sources)


def test_images_of_one_slide_make_one_slide(tmp_path, he_rgb):
    for slide, part in (("a", 0), ("a", 1), ("b", 2)):
        (tmp_path / slide).mkdir(exist_ok=True)
        view = np.ascontiguousarray(he_rgb[500:1500, 300 + 400 * part : 1300 + 400 * part, ::-1])
        cv2.imwrite(str(tmp_path / slide / f"{part}.png"), view)
    source = DomainSource(name="s", files="*/*.png", slide="([^/]+)/", mpp=1.0, use="train", licence="none")

    slides = list(read_slides(source, tmp_path))

    assert [slide.name for slide in slides] == ["a", "b"]
    assert all(slide.patches for slide in slides)


def test_a_source_without_files_is_an_error(tmp_path):
    source = DomainSource(name="s", files="*.png", use="train", licence="none")

    with pytest.raises(SettingsError, match="no files"):
        list(read_slides(source, tmp_path))
