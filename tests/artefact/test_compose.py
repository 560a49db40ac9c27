import cv2
import numpy as np
import pytest

from qc.artefact.compose import compose
from qc.artefact.cutout import CutOut, Picture
from qc.artefact.recipe import KINDS, LOOK_ALIKES, Recipe, Wanted, draw_recipe
from qc.config.training import ComposeSettings
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass
from qc.optics.artefact import lay
from qc.optics.curl import draw_curl
from qc.optics.debris import draw_shadow, draw_shards, draw_squames, draw_threads
from qc.optics.defocus import OUT_OF_FOCUS_LIMIT_UM, FocusTilt
from qc.optics.dry import draw_dry_edge
from qc.optics.field import Bounds, Coords, Waves
from qc.optics.off_plane import draw_marker

SIDE = 256
GLASS = (244.0, 243.0, 245.0)


def tissue(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Nuclei in stroma, and bare glass to the right."""
    rng = np.random.default_rng(seed)
    density = np.full((SIDE, SIDE), 0.12, np.float32)
    for x, y in rng.integers(0, SIDE, (500, 2)).tolist():
        cv2.circle(density, (x, y), 3, 0.6, -1, cv2.LINE_AA)
    is_tissue = np.ones((SIDE, SIDE), bool)
    is_tissue[:, 200:] = False
    od = (density * is_tissue)[..., None] * np.array([0.8, 1.0, 0.5])
    noise = rng.normal(0, 1.5, (SIDE, SIDE, 3))
    return np.clip(np.rint(np.array(GLASS) * 10**-od + noise), 0, 255).astype(np.uint8), is_tissue


def composed(kind: str, share: float, seed: int, strength: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rgb, is_tissue = tissue()
    recipe = Recipe((Wanted(kind, share, strength),))
    return compose(rgb, is_tissue, 1.0, recipe, np.random.default_rng(seed), GLASS)


@pytest.mark.parametrize("kind", LOOK_ALIKES)
def test_what_only_looks_ruined_changes_pixels_and_stays_clean(kind: str) -> None:
    rgb, is_tissue = tissue()

    pairs = [composed(kind, 0.3, seed) for seed in range(4)]

    assert max(np.abs(changed.astype(int) - rgb).max() for changed, _classes in pairs) > 40
    for _changed, classes in pairs:
        np.testing.assert_array_equal(classes, np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS))


def test_without_artefacts_nothing_changes() -> None:
    rgb, is_tissue = tissue()

    same, classes = compose(rgb, is_tissue, 1.0, Recipe(), np.random.default_rng(0), GLASS)

    np.testing.assert_array_equal(same, rgb)
    np.testing.assert_array_equal(classes, np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_ruins_tissue_of_its_class_and_leaves_far_pixels_alone(kind: str) -> None:
    rgb, _ = tissue()

    laid, classes = composed(kind, 0.2, seed=3)

    label = KINDS[kind].label if KINDS[kind].is_told else IGNORE
    ruined = classes == label
    assert ruined.any()
    assert set(np.unique(classes)) <= {ArtefactClass.CLEAN, ArtefactClass.GLASS, label, IGNORE}
    change = np.abs(laid.astype(int) - rgb).max(axis=2)
    assert change[ruined].mean() > 3
    if kind not in ("focus_tilt", "slip_edge"):  # these reach everywhere
        assert (change[classes == ArtefactClass.CLEAN] == 0).mean() > 0.2


@pytest.mark.parametrize(("kind", "share"), [("bubble", 0.15), ("bubble", 0.6), ("pen", 0.3), ("focus_patch", 0.5)])
def test_the_wanted_share_is_about_reached(kind: str, share: float) -> None:
    _, is_tissue = tissue()
    label = KINDS[kind].label

    shares = [np.mean(composed(kind, share, seed)[1][is_tissue] == label) for seed in range(8)]

    assert np.median(shares) == pytest.approx(share, rel=0.4)


def test_equal_seeds_give_equal_tiles_and_others_do_not() -> None:
    first, again, other = (composed("fold", 0.3, seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != other[1]).any()


@pytest.mark.parametrize("label", ARTEFACTS)
def test_every_class_can_be_drawn(label: ArtefactClass) -> None:
    rng = np.random.default_rng(0)

    recipes = [draw_recipe(label, ComposeSettings(another=0.0, look_alike=0.0), rng) for _ in range(40)]

    assert {KINDS[one.wanted[0].kind].label for one in recipes} == {label}
    assert {one.wanted[0].kind for one in recipes} == {name for name, kind in KINDS.items() if kind.label is label}


def test_a_clean_recipe_has_no_artefact_but_may_be_soft() -> None:
    rng = np.random.default_rng(0)

    recipes = [draw_recipe(ArtefactClass.CLEAN, ComposeSettings(soft=0.5), rng) for _ in range(40)]

    assert not any(one.wanted for one in recipes)
    assert 5 < sum(one.soft_um > 0 for one in recipes) < 35
    assert max(one.soft_um for one in recipes) < OUT_OF_FOCUS_LIMIT_UM


def test_blurred_tissue_keeps_the_noise_of_the_sensor() -> None:
    rgb, is_tissue = tissue()
    recipe = Recipe((Wanted("focus_patch", 1.0, 2.0),))

    laid, classes = compose(rgb, is_tissue, 1.0, recipe, np.random.default_rng(1), GLASS)

    blurred = classes == ArtefactClass.OUT_OF_FOCUS
    high = laid.astype(np.float32) - cv2.GaussianBlur(laid.astype(np.float32), (0, 0), 1.0)
    assert high[blurred].std() > 0.6  # a source noise of 1.5 leaves about 1.3 here, a noiseless blur 0.3


def test_a_fold_across_a_hole_is_not_labelled() -> None:
    blank = np.full((SIDE, SIDE, 3), 244, np.uint8)

    _, classes = compose(
        blank, np.ones((SIDE, SIDE), bool), 1.0, Recipe((Wanted("fold", 0.5),)), np.random.default_rng(0), GLASS
    )

    assert (classes == ArtefactClass.CLEAN).all()


def test_what_is_hardly_seen_is_left_open() -> None:
    _, is_tissue = tissue()

    def left_open(strength: float) -> float:
        seen = np.stack([composed("shadow", 0.3, seed, strength)[1][is_tissue] for seed in range(8)])
        return float(np.mean(seen == IGNORE) / np.mean(seen == ArtefactClass.FOREIGN))

    assert left_open(0.1) > 2 * left_open(1.0) > 0


def test_a_margin_curls_where_there_is_one_and_tissue_without_folds_instead() -> None:
    rgb, is_tissue = tissue()
    inner, everywhere = rgb[:, :192], np.ones((SIDE, 192), bool)

    for seed in range(8):
        recipe, rng = Recipe((Wanted("curl", 0.1),)), np.random.default_rng(seed)
        _seen, classes = compose(rgb, is_tissue, 1.0, recipe, rng, GLASS)
        curled = classes == ArtefactClass.FOLD
        assert curled[:, 150:200].sum() > 0.6 * curled.sum() > 0
        _seen, classes = compose(inner, everywhere, 1.0, recipe, rng, GLASS)
        assert (classes == ArtefactClass.FOLD).any()


@pytest.mark.parametrize("draw", [draw_shards, draw_threads, draw_squames])
def test_debris_lies_within_its_bounds(draw) -> None:
    at = Coords.of((600, 600), 1.0)
    for seed in range(12):
        debris = draw(Bounds.around((300.0, 300.0), 1.0), np.random.default_rng(seed), 60.0, 1.0)
        box = debris.bounds
        outside = (at.x < box.x0) | (at.x > box.x1) | (at.y < box.y0) | (at.y > box.y1)
        assert not (debris.touches(at) & outside).any()


def test_ink_that_nobody_sees_on_dense_tissue_is_no_ink() -> None:
    rgb, is_tissue = tissue()
    even = np.full_like(rgb, (230, 190, 215))

    def labelled(pixels: np.ndarray) -> float:
        shares = []
        for seed in range(12):
            recipe = Recipe((Wanted("pen", 1.0, 0.15),))
            _seen, classes = compose(pixels, is_tissue, 1.0, recipe, np.random.default_rng(seed), GLASS)
            shares.append(float((classes[is_tissue] == ArtefactClass.PEN).mean()))
        return float(np.mean(shares))

    assert labelled(even) > labelled(rgb) + 0.1


def test_a_tilted_slide_is_sharp_on_one_line_only() -> None:
    tilt = FocusTilt((128.0, 128.0), 0.0, 0.0, 0.05, 8.0, OUT_OF_FOCUS_LIMIT_UM, Waves(()))

    radius = tilt.radius_at(Coords.of((4, SIDE), 1.0))[0]

    assert radius[127] < 0.1
    assert radius[0] == pytest.approx(6.4, abs=0.05)
    assert radius[-1] == pytest.approx(6.4, abs=0.05)


def test_windows_of_a_curled_margin_meet_without_a_seam() -> None:
    image = np.random.default_rng(0).uniform(0.4, 0.9, (200, 900, 3)).astype(np.float32)
    image[:60] = 1.0  # glass above tissue
    at = Coords.of(image.shape, 1.0)
    for seed in range(4):
        curl = draw_curl(Bounds.around((450.0, 60.0), 1.0), np.random.default_rng(seed), 400.0)
        halo = int(np.ceil(curl.halo_um)) + 2
        whole, _ = lay(curl, image, 1.0)
        cut = 450 - halo
        right = curl.lay(image[:, cut:], at.window(slice(0, 200), slice(cut, 900)))[:, halo:]
        assert cut > 0
        assert np.abs(whole - image).max() > 0.1
        np.testing.assert_allclose(np.clip(right, 0, 1), whole[:, 450:], atol=1e-3)


@pytest.mark.parametrize("draw", [draw_marker, draw_dry_edge, draw_shadow])
def test_windows_of_one_artefact_meet_without_a_seam(draw) -> None:
    image = np.random.default_rng(0).uniform(0.4, 0.9, (120, 160, 3)).astype(np.float32)
    artefact = draw(Bounds.around((80.0, 60.0), 1.0), np.random.default_rng(4), 150.0, 1.0)
    halo = int(np.ceil(artefact.halo_um)) + 2
    at = Coords.of(image.shape, 1.0)

    whole, _ = lay(artefact, image, 1.0)
    cut = 80 - halo
    right = artefact.lay(image[:, cut:], at.window(slice(0, 120), slice(cut, 160)))[:, halo:]

    np.testing.assert_allclose(np.clip(right, 0, 1), whole[:, 80:], atol=0.03)


def test_a_cut_out_adds_its_density_to_the_tissue() -> None:
    rgba = np.zeros((41, 41, 4), np.uint8)
    cv2.circle(rgba, (20, 20), 15, (128, 128, 128, 255), -1)
    cut = CutOut(Picture.of(rgba, 1.0), (60.0, 50.0), 0.3, 1.0, 1.0, 0.0)

    laid, mask = lay(cut, np.full((100, 120, 3), 0.6, np.float32), 1.0)

    assert laid[50, 60] == pytest.approx(0.6 * 128 / 255, abs=0.01)
    assert laid[50, 100] == pytest.approx(0.6)
    assert mask.sum() == pytest.approx(np.pi * 15**2, rel=0.1)


def test_ink_on_the_cover_slip_has_a_soft_edge() -> None:
    rng = np.random.default_rng(0)
    image = np.ones((400, 400, 3), np.float32)

    for _ in range(6):
        laid, _ = lay(draw_marker(Bounds.around((200.0, 200.0), 1.0), rng, 300.0, 1.0), image, 1.0)
        steps = np.abs(np.diff(np.log(laid), axis=1)).max()
        assert steps < 0.25 * max(np.ptp(np.log(laid)), 0.1)


def test_dust_may_lie_beside_tissue() -> None:
    rgb, is_tissue = tissue()
    recipe = Recipe((Wanted("debris", 0.2),), beside=1.0)

    seen = [compose(rgb, is_tissue, 1.0, recipe, np.random.default_rng(seed), GLASS)[1] for seed in range(6)]

    on_glass = [np.mean(classes[~is_tissue] == ArtefactClass.FOREIGN) for classes in seen]
    assert np.median(on_glass) > 0.05
    assert np.median(on_glass) > 3 * np.median([np.mean(one[is_tissue] == ArtefactClass.FOREIGN) for one in seen])


def test_faint_shadows_are_seen_on_even_tissue_but_not_on_textured() -> None:
    texture = tissue()[0]
    even = np.full_like(texture, (200, 170, 210))
    everywhere = np.ones(texture.shape[:2], bool)

    def labelled(rgb: np.ndarray) -> float:
        recipe = Recipe((Wanted("shadow", 0.4, 0.35),))
        seen = [compose(rgb, everywhere, 1.0, recipe, np.random.default_rng(seed), GLASS)[1] for seed in range(8)]
        return float(np.mean(np.stack(seen) == ArtefactClass.FOREIGN))

    assert labelled(even) > 1.5 * labelled(texture)
