import numpy as np

from qc.optics.artefact import lay_window
from qc.optics.curl import draw_curl
from qc.optics.field import Bounds, Coords


def test_a_curl_doubles_tissue_along_its_edge_and_nowhere_else() -> None:
    at = Coords.of((400, 400), 1.0)
    light = np.ones((400, 400, 3), np.float32)
    light[:, 150:] = (0.6, 0.4, 0.6)

    for seed in range(8):
        curl = draw_curl(Bounds.around((150, 200), 1), np.random.default_rng(seed), 200)
        laid = lay_window(curl, light, at)
        density = np.log(laid[150:250]) / np.log(np.float32(0.6))
        rolled = density[:, 152:160, 0].mean()
        assert 1.4 < rolled < 4
        assert abs(laid[:, :140] - 1).max() < 0.02
        np.testing.assert_allclose(laid[:, 320:], light[:, 320:], atol=1e-5)
        np.testing.assert_allclose(laid[~curl.touches(at)], light[~curl.touches(at)], atol=1e-5)


def test_strands_and_tissue_without_an_edge_do_not_curl() -> None:
    at = Coords.of((200, 200), 1.0)
    strand = np.ones((200, 200, 3), np.float32)
    strand[95:105] = 0.5
    even = np.full((200, 200, 3), 0.5, np.float32)
    curl = draw_curl(Bounds.around((100, 100), 1), np.random.default_rng(0), 300)

    np.testing.assert_allclose(curl.lay(strand, at), strand, atol=1e-5)
    np.testing.assert_array_equal(curl.lay(even, at), even)
