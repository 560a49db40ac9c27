import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio.features
from pydantic import ValidationError
from scipy.spatial.distance import pdist

from qc.errors import SettingsError
from qc.exchange.lesions import find_lesion_files, read_lesions
from qc.phantom import PhantomSpec, make_phantom
from qc.phantom.spec import LesionSpec
from qc.phantom.write import save_phantom

NODE = {"name": "node", "width_mm": 2.0, "height_mm": 1.8, "mpp": 4.0, "truth_mpp": 8.0, "pieces": 1, "cover": 0.6}


def node(*diameters_um: float, **changed: object) -> PhantomSpec:
    lesions = [LesionSpec(diameter_um=one) for one in diameters_um]
    return PhantomSpec.model_validate({**NODE, "diagnosis": "hyperplasia", "lesions": lesions, "seed": 3, **changed})


def test_lesions_are_as_long_as_asked_and_stay_apart(tmp_path: Path) -> None:
    phantom = make_phantom(node(700, 260, 90))
    save_phantom(phantom, tmp_path)

    lesions = read_lesions(find_lesion_files(tmp_path)["node"])

    assert list(lesions) == ["lesion 1", "lesion 2", "lesion 3"]
    for polygon, wanted_um in zip(lesions.values(), (700, 260, 90), strict=True):
        corners = np.asarray(polygon.convex_hull.exterior.coords)  # type: ignore[attr-defined]
        assert pdist(corners).max() * 4.0 == pytest.approx(wanted_um, rel=0.05, abs=10)
    first, second, third = lesions.values()
    assert min(first.distance(second), first.distance(third), second.distance(third)) * 4.0 > 75


def test_tumour_is_pinker_than_the_node_around_it() -> None:
    phantom = make_phantom(node(700))

    [feature] = phantom.lesions["features"]  # type: ignore[misc]
    mask = np.asarray(rasterio.features.rasterize([feature["geometry"]], phantom.rgb.shape[:2], dtype="uint8"))
    is_lesion, is_near = mask > 0, cv2.dilate(mask, np.ones((41, 41), np.uint8)) > 0
    is_node = is_near & ~is_lesion & (phantom.rgb.max(axis=2) < 225)
    pinkness = phantom.rgb[..., 0].astype(float) - phantom.rgb[..., 2]
    assert is_lesion.sum() * 4.0**2 > 700**2 / 4
    assert pinkness[is_lesion].mean() > pinkness[is_node].mean() + 3


def test_a_node_without_lesions_has_no_annotation(tmp_path: Path) -> None:
    save_phantom(make_phantom(node()), tmp_path)

    assert not list(tmp_path.glob("*.geojson"))
    assert json.loads(json.dumps(make_phantom(node()).lesions)) == {"type": "FeatureCollection", "features": []}


def test_a_lesion_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingsError, match="no room for a lesion of 4000 um"):
        make_phantom(node(4000))


def test_lesions_need_a_lymph_node() -> None:
    with pytest.raises(ValidationError, match="lesions lie in lymph nodes"):
        node(300, diagnosis="none")
