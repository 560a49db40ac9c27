import numpy as np
import pytest

from qc.config.training import AugmentSettings
from qc.nets.augment import Augmentation, jitter_stain
from qc.optics.stain import HE_RUIFROK, render

STILL = {
    "recolour": 0,
    "stain_gain": 0,
    "stain_shift": 0,
    "hue": 0,
    "saturation": 0,
    "gamma": 0,
    "white_balance": 0,
    "noise": 0,
}


def tile() -> tuple[np.ndarray, np.ndarray]:
    classes = np.ones((96, 96), np.uint8)
    classes[20:60, 30:80] = 4
    classes[:10] = 255
    rgb = np.full((96, 96, 3), 230, np.uint8)
    rgb[classes == 4] = (30, 60, 200)
    rgb[classes == 255] = (120, 250, 120)
    return rgb, classes


def test_classes_move_with_the_pixels_and_are_never_mixed() -> None:
    augment = Augmentation(AugmentSettings(**STILL, jpeg_min=95))
    rgb, classes = tile()

    for seed in range(12):
        moved, labels = augment(rgb, classes, seed)
        assert set(np.unique(labels)) <= {1, 4, 255}
        blue = (moved[..., 2].astype(int) - moved[..., 0]) > 90
        assert np.mean(blue == (labels == 4)) > 0.95


def test_equal_seeds_give_equal_looks() -> None:
    rgb, classes = tile()

    first, second = (Augmentation(AugmentSettings())(rgb, classes, 7) for _ in range(2))
    other = Augmentation(AugmentSettings())(rgb, classes, 8)

    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != other[0]).any()


def test_stain_jitter_scales_each_stain_on_its_own() -> None:
    concentrations = np.random.default_rng(0).uniform(0.1, 0.8, (40, 40, 2))
    rgb = np.rint(render(concentrations, HE_RUIFROK) * 256 - 0.5).astype(np.uint8)

    jittered = jitter_stain(rgb, AugmentSettings(recolour=0, stain_gain=0.5, stain_shift=0.0), np.random.default_rng(1))

    od = -np.log10((jittered.astype(float) + 0.5) / 256)
    found = od.reshape(-1, 3) @ np.linalg.pinv(HE_RUIFROK.vectors.astype(float))
    gains = [np.polyfit(concentrations[..., i].ravel(), found[:, i], 1)[0] for i in range(2)]
    assert 0.5 <= min(gains) < max(gains) <= 1.5
    assert abs(gains[0] - gains[1]) > 0.05
    assert np.corrcoef(concentrations[..., 0].ravel(), found[:, 0])[0, 1] > 0.99


def test_recoloured_eosin_is_brown_and_haematoxylin_stays_blue() -> None:
    concentrations = np.zeros((20, 40, 2), np.float32)
    concentrations[:, :20, 0], concentrations[:, 20:, 1] = 0.5, 0.5
    rgb = np.rint(render(concentrations, HE_RUIFROK) * 256 - 0.5).astype(np.uint8)

    brown = jitter_stain(rgb, AugmentSettings(recolour=1, stain_gain=0, stain_shift=0), np.random.default_rng(1))

    blue, eosin = brown[0, 0].astype(int), brown[0, 30].astype(int)
    np.testing.assert_allclose(blue, rgb[0, 0], atol=2)
    assert eosin[0] > eosin[1] > eosin[2]


def test_looks_spread_widely() -> None:
    augment = Augmentation(AugmentSettings())
    rgb = np.full((64, 64, 3), (190, 130, 180), np.uint8)
    classes = np.ones((64, 64), np.uint8)

    means = np.array([augment(rgb, classes, seed)[0].mean(axis=(0, 1)) for seed in range(40)])

    assert means.std(axis=0).min() > 6
    assert means.mean(axis=0) == pytest.approx([190, 130, 180], abs=20)
