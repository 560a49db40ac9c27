from collections.abc import Callable

import numpy as np
import pytest

from qc.optics.artefact import Artefact, lay
from qc.optics.bubble import draw_bubbles, draw_slip_edge
from qc.optics.defocus import FocusLoss, blur, disc_kernel, draw_focus_loss
from qc.optics.field import Bounds, Coords, Curve, Waves
from qc.optics.fold import Fold, draw_fold, draw_wrinkles
from qc.optics.foreign import draw_foreign
from qc.optics.ink import Stroke, draw_ink
from qc.optics.stain import H_DAB, HE_MACENKO, denser, render, to_od, to_transmittance
from qc.optics.tear import draw_chatter, draw_tear

Draw = Callable[[Bounds, np.random.Generator, float], Artefact]

SHARP: list[Draw] = [
    *(draw_fold, draw_wrinkles, draw_tear, draw_chatter, draw_foreign, draw_ink, draw_bubbles, draw_slip_edge)
]


def texture(shape: tuple[int, int] = (220, 260)) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 0.9, (*shape, 3)).astype(np.float32)


def laid(draw: Draw, seed: int, size_um: float = 120.0) -> tuple[np.ndarray, np.ndarray]:
    image = texture()
    middle = Bounds.around((image.shape[1] / 2, image.shape[0] / 2), 1.0)
    return lay(draw(middle, np.random.default_rng(seed), size_um), image, 1.0)


def straight(length_um: float) -> Curve:
    return Curve((110.0, 110.0), 0.0, length_um / 2, Waves(()))


def test_optical_density_survives_the_way_through_transmittance() -> None:
    od = np.linspace(0, 2.5, 50)

    back = to_od(to_transmittance(od))

    np.testing.assert_allclose(back, od, atol=1e-5)


@pytest.mark.parametrize("stains", [HE_MACENKO, H_DAB])
def test_twice_the_stain_is_twice_the_density(stains) -> None:
    once, twice = (render(np.array([[0.3, 0.2]]) * k, stains) for k in (1, 2))

    np.testing.assert_allclose(to_od(twice), 2 * to_od(once), rtol=1e-4)
    np.testing.assert_allclose(denser(once, 2.0), twice, rtol=1e-4)


@pytest.mark.parametrize("radius_px", [0.0, 0.4, 1.0, 3.7, 12.0])
def test_the_disc_sums_to_one_and_is_symmetric(radius_px: float) -> None:
    kernel = disc_kernel(radius_px)

    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(kernel, kernel.T)


@pytest.mark.parametrize("radius_um", [1.0, 4.0, 9.0, 23.0])
def test_defocus_keeps_the_light(radius_um: float) -> None:
    image = texture()

    blurred = blur(image, radius_um, 1.0)

    assert blurred.mean() == pytest.approx(float(image.mean()), rel=5e-3)
    assert blurred.std() < image.std()


def test_a_point_out_of_focus_becomes_a_disc_of_its_radius() -> None:
    image = np.zeros((61, 61, 3), np.float32)
    image[30, 30] = 1

    lit = blur(image, 4.0, 1.0)[..., 0] > 1e-4

    assert lit.sum() == pytest.approx(np.pi * 4.5**2, rel=0.15)


def test_a_fold_doubles_the_density_of_even_tissue() -> None:
    image = np.full((220, 220, 3), 0.6, np.float32)
    fold = Fold(straight(4000.0), width_um=60.0, layers=1.0, soft_um=5.0, defocus_um=0.0, raggedness=Waves(()))

    folded, mask = lay(fold, image, 1.0)

    assert to_od(folded)[140, 110, 0] == pytest.approx(2 * to_od(image)[140, 110, 0], rel=1e-3)
    assert mask[140, 110]
    assert not mask[60, 110]


def test_ink_multiplies_what_is_below_it() -> None:
    ink = Stroke(straight(4000.0), 80.0, (1.0, 0.5, 0.1), 8.0, 0.3, Waves(()), Waves(()))
    image = texture()

    over_tissue, _ = lay(ink, image, 1.0)
    over_glass, _ = lay(ink, np.ones_like(image), 1.0)

    np.testing.assert_allclose(over_tissue, image * over_glass, atol=1e-5)


@pytest.mark.parametrize("draw", SHARP)
def test_pixels_far_from_the_mask_stay_as_they_were(draw: Draw) -> None:
    for seed in range(6):
        image, mask = laid(draw, seed)

        changed = np.abs(image - texture()).max(axis=2) > 0.09
        assert image.shape == texture().shape
        assert (changed & ~mask).sum() <= 0.03 * mask.sum() + 20


@pytest.mark.parametrize("draw", [*SHARP, draw_focus_loss])
def test_the_mask_holds_pixels_that_changed(draw: Draw) -> None:
    seen = 0
    for seed in range(6):
        image, mask = laid(draw, seed)
        if mask.any():
            seen += 1
            assert np.abs(image - texture()).max(axis=2)[mask].mean() > 0.03
    assert seen


def test_only_blur_beyond_the_limit_counts_as_out_of_focus() -> None:
    loss = draw_focus_loss(Bounds.around((130.0, 110.0), 1.0), np.random.default_rng(3), 150.0)
    at = Coords.of((220, 260), 1.0)

    mask = loss.covers(at)

    assert isinstance(loss, FocusLoss)
    np.testing.assert_array_equal(mask, loss.radius_at(at) > loss.limit_um)
    laid, _ = lay(loss, texture(), 1.0)
    untouched = ~loss.touches(at)
    np.testing.assert_allclose(laid[untouched], texture()[untouched], atol=1e-6)


@pytest.mark.parametrize("draw", [*SHARP, draw_focus_loss])
def test_equal_seeds_lay_equal_artefacts(draw: Draw) -> None:
    (first, first_mask), (second, second_mask) = (laid(draw, seed=5, size_um=300.0) for _ in range(2))

    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first_mask, second_mask)
