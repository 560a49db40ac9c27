import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qc.tissue.light import WHITE, SlideLight, slide_light


def overview(glass: float, density: float) -> tuple[np.ndarray, np.ndarray]:
    """Glass above, even tissue with holes below."""
    is_tissue = np.zeros((120, 120), bool)
    is_tissue[40:] = True
    level = np.where(is_tissue, (glass + 1) * 10**-density - 1, glass)
    level[60:64, ::8] = glass  # gaps in tissue
    return np.repeat(np.rint(level)[..., None], 3, axis=2).astype(np.uint8), is_tissue


@settings(deadline=None, max_examples=25)
@given(st.floats(215, 253), st.floats(0.13, 0.36))
def test_tissue_of_any_density_on_glass_of_any_level_comes_out_alike(glass: float, density: float) -> None:
    rgb, is_tissue = overview(glass, density)

    light = slide_light(rgb, np.ones_like(is_tissue), is_tissue, mpp=8.0)
    standard = light.standardised(rgb, 0.18)

    assert light.tissue_density == pytest.approx(density, abs=0.01)
    assert np.median(standard[:30]) == pytest.approx(WHITE, abs=1)
    assert np.median(standard[80:]) == pytest.approx((WHITE + 1) * 10**-0.18 - 1, abs=4)


def test_the_gain_is_bounded_and_unknown_density_changes_only_the_glass() -> None:
    grey = np.full((4, 4, 3), 100, np.uint8)
    od = np.log10(246 / 101)

    far = SlideLight((245.0, 245.0, 245.0), 0.01).standardised(grey, 0.18)
    unknown = SlideLight((245.0, 245.0, 245.0), float("nan")).standardised(grey, 0.18)

    assert far[0, 0, 0] == pytest.approx(246 * 10 ** (-1.4 * od) - 1, abs=1)
    np.testing.assert_array_equal(unknown, grey)


def test_without_tissue_the_density_is_unknown() -> None:
    rgb, is_tissue = overview(245, 0.2)

    light = slide_light(rgb, np.ones_like(is_tissue), np.zeros_like(is_tissue), mpp=8.0)

    assert np.isnan(light.tissue_density)
