"""Tissue by the network that comes with the product, and where it and the rules overrule each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from qc.config.tissue import TissueSettings
from qc.errors import WeightsError
from qc.phantom import PhantomSpec, make_phantom
from qc.tissue import find_tissue, locate_tissue
from qc.tissue.regions import supported

Mask = NDArray[np.bool_]
MPP = 8.0
RULES = TissueSettings(network="")


def everywhere(rgb: NDArray[np.uint8]) -> Mask:
    return np.ones(rgb.shape[:2], np.bool_)


def dice(a: Mask, b: Mask) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture(scope="module")
def phantom() -> tuple[NDArray[np.uint8], Mask]:
    """An overview (H, W, 3) and its exact tissue (H, W)."""
    spec = PhantomSpec(name="one", seed=3, width_mm=6, height_mm=5, mpp=MPP, truth_mpp=MPP, tissues=("stroma",))
    made = make_phantom(spec)
    return made.rgb, made.truth.is_tissue


def test_a_phantom_s_tissue_is_found(phantom: tuple[NDArray[np.uint8], Mask]) -> None:
    rgb, is_tissue = phantom

    assert dice(locate_tissue(rgb, everywhere(rgb), MPP, TissueSettings()), is_tissue) > 0.95


def test_what_was_not_scanned_is_no_tissue(phantom: tuple[NDArray[np.uint8], Mask]) -> None:
    rgb, is_tissue = phantom
    is_scanned = everywhere(rgb)
    is_scanned[:, rgb.shape[1] // 2 :] = False

    found = locate_tissue(rgb, is_scanned, MPP, TissueSettings())

    assert found[is_scanned & is_tissue].mean() > 0.9
    assert not found[~is_scanned].any()


def test_the_surer_a_network_must_be_the_less_it_adds_to_what_the_rules_find(
    phantom: tuple[NDArray[np.uint8], Mask],
) -> None:
    rgb, _ = phantom
    raw: dict[str, Any] = {"hole_max_area_um2": 0.0, "piece_min_area_um2": 0.0, "support_min_share": 0.0}
    by_rules = find_tissue(rgb, everywhere(rgb), MPP, RULES.model_copy(update=raw))

    bold, careful, never = (
        locate_tissue(rgb, everywhere(rgb), MPP, TissueSettings(**raw, alone_min=alone)) for alone in (0.0, 0.9, 1.0)
    )

    assert not (careful & ~bold).any()
    assert not (never & ~careful).any()
    assert (careful & ~by_rules).sum() < (bold & ~by_rules).sum()
    assert not (never & ~by_rules).any()


def test_a_piece_without_support_is_none() -> None:
    mask, evidence = np.zeros((20, 40), np.bool_), np.zeros((20, 40), np.bool_)
    mask[2:12, 2:12] = mask[2:12, 20:30] = True  # two pieces of 100 cells
    evidence[2:4, 2:7] = True  # a tenth of the first
    evidence[2, 20:29] = True  # a little less of the second

    kept = supported(mask, evidence, 0.1)

    assert kept[2:12, 2:12].all()
    assert kept.sum() == 100


def test_a_network_for_something_else_is_refused(phantom: tuple[NDArray[np.uint8], Mask]) -> None:
    with pytest.raises(WeightsError, match="artefact-1 is a network of the task artefact"):
        locate_tissue(phantom[0], everywhere(phantom[0]), MPP, TissueSettings(network="artefact-1"))


@pytest.mark.data
def test_pale_fat_that_the_rules_miss_is_found_and_ink_is_not(qc_data: Path) -> None:
    def shares(image: str, mpp: float) -> tuple[float, float]:
        rgb = np.array(Image.open(qc_data / image).convert("RGB"))
        ways = (RULES, TissueSettings())
        return tuple(float(locate_tissue(rgb, everywhere(rgb), mpp, one).mean()) for one in ways)  # type: ignore[return-value]

    by_rules, together = shares("slide-views/fat-necrosis/overview.jpg", 17.26)
    assert together > by_rules + 0.04
    ink = np.array(Image.open(qc_data / "artefacts/masked/pen-green-mask.png").convert("L")) > 0
    rgb = np.array(Image.open(qc_data / "artefacts/masked/pen-green.png").convert("RGB"))
    assert locate_tissue(rgb, everywhere(rgb), MPP, TissueSettings())[ink].mean() < 0.1
