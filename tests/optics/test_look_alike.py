import numpy as np

from qc.optics.artefact import lay_window
from qc.optics.field import Bounds, Coords
from qc.optics.look_alike import draw_blood, draw_margin_ink, draw_thick


def section() -> np.ndarray:
    """Glass on the left, even tissue from column 100."""
    light = np.ones((200, 200, 3), np.float32)
    light[:, 100:] = (0.6, 0.4, 0.6)
    return light


def test_margin_ink_lies_on_the_edge_of_tissue_and_not_on_glass() -> None:
    at = Coords.of((200, 200), 1.0)
    light = section()

    changes = []
    for seed in range(8):
        ink = draw_margin_ink(Bounds.around((100, 100), 1), np.random.default_rng(seed), 400, 1.0)
        changes.append((light - lay_window(ink, light, at)).max(axis=2))

    change = np.max(changes, axis=0)
    assert change[50:150, :85].max() < 1e-6
    assert change[50:150, 100:115].mean() > 0.05
    assert change[:, 100:112].mean() > 2 * change[:, 185:].mean()


def test_margin_ink_needs_an_edge() -> None:
    at = Coords.of((100, 100), 1.0)
    tissue = np.full((100, 100, 3), 0.5, np.float32)

    ink = draw_margin_ink(Bounds.around((50, 50), 1), np.random.default_rng(0), 400)

    np.testing.assert_array_equal(ink.lay(tissue, at), tissue)


def test_blood_is_red_and_replaces_what_was_there() -> None:
    at = Coords.of((200, 200), 1.0)

    for seed in range(4):
        blood = draw_blood(Bounds.around((100, 100), 1), np.random.default_rng(seed), 160)
        laid = lay_window(blood, section(), at)
        deep = blood.patch.depth_at(at) > 30
        red, green, blue = laid[deep].mean(axis=0)
        assert red > blue > green
        assert abs(laid[deep & (at.x < 95)].mean() - laid[deep & (at.x > 105)].mean()) < 0.15
        assert blood.bounds.x0 < 100 < blood.bounds.x1
        np.testing.assert_array_equal(laid[blood.patch.depth_at(at) <= 0], section()[blood.patch.depth_at(at) <= 0])


def test_thickness_changes_density_smoothly_and_leaves_glass_alone() -> None:
    at = Coords.of((200, 200), 1.0)

    for seed in range(4):
        thick = draw_thick(Bounds.around((150, 100), 1), np.random.default_rng(seed), 300)
        light = section() * np.float32(0.99)
        laid = lay_window(thick, light, at)
        factor = np.log(laid[:, 100:]) / np.log(light[:, 100:])
        np.testing.assert_allclose(laid[:, :99], light[:, :99], atol=0.01)
        assert abs(factor - 1).max() > 0.02
        assert abs(np.diff(factor, axis=1)).max() < 0.05
        np.testing.assert_allclose(factor.std(axis=2), 0, atol=1e-3)
