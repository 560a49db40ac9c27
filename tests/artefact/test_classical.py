"""The rules on pictures drawn by Beer and Lambert, and on real ones."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from qc.artefact.classical import REACH_UM, classify, focus_score, measure, reference, stain_score
from qc.config.artefact import ClassicalSettings
from qc.labels import ArtefactClass

Rgb = NDArray[np.uint8]
Densities = NDArray[np.float32]

_SIDE_PX = 1024
_GLASS = np.array([243.0, 242.0, 244.0], np.float32)
_HAEMATOXYLIN = np.array([0.65, 0.70, 0.40], np.float32)
_EOSIN = np.array([0.15, 0.90, 0.50], np.float32)
_GREEN_INK = np.array([0.60, 0.15, 0.22], np.float32)
_BLUE_INK = np.array([0.90, 0.50, 0.15], np.float32)
_GREY = np.ones(3, np.float32)


def draw_tissue(side_px: int = _SIDE_PX, seed: int = 3) -> Densities:
    """(H, W, 3) densities of sharp tissue without gaps: nuclei of 8 um on a pink, fibrous ground."""
    rng = np.random.default_rng(seed)
    nuclei = np.zeros((side_px, side_px), np.uint8)
    for x, y in rng.integers(0, side_px, (side_px * side_px // 300, 2)).tolist():
        cv2.circle(nuclei, (x, y), 4, 255, -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(rng.standard_normal((side_px, side_px), np.float32), (0, 0), 0.7)
    eosin = np.clip(0.22 + 0.25 * grain, 0.02, 0.6)
    return (nuclei[..., None] / 255 * 0.3 * _HAEMATOXYLIN + eosin[..., None] * _EOSIN).astype(np.float32)


def photograph(densities: Densities, seed: int = 5) -> Rgb:
    """Transmitted light on a camera with a little noise."""
    noise = np.random.default_rng(seed).standard_normal(densities.shape[:2], np.float32)
    return np.clip(np.rint(_GLASS * 10**-densities + 0.5 * noise[..., None]), 0, 255).astype(np.uint8)


def defocused(densities: Densities, radius_px: int) -> Densities:
    """Densities seen through a disc of confusion; light adds up, not density."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1)).astype(np.float32)
    light = np.asarray(cv2.filter2D(10**-densities, -1, disc / disc.sum()), np.float32)
    return -np.log10(light)


def assess(densities: Densities, is_tissue: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Artefact map (H / 2, W / 2) of a slide that is this one tile."""
    rgb = photograph(densities)
    evidence = measure(rgb, np.ones(rgb.shape[:2], bool), 1.0, 2)
    tissue = np.ones(evidence.shape, bool) if is_tissue is None else is_tissue[::2, ::2]
    return classify(evidence, tissue, reference(lambda: [(evidence, tissue)]), ClassicalSettings())


def share(classes: NDArray[np.uint8], wanted: ArtefactClass) -> float:
    return float((classes == wanted).mean())


def score_focus(densities: Densities) -> float:
    evidence = measure(photograph(densities), np.ones(densities.shape[:2], bool), 1.0, 2)
    return focus_score(reference(lambda: [(evidence, np.ones(evidence.shape, bool))]))


def read_rgb(path: Path) -> Rgb:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_sharp_tissue_is_clean() -> None:
    classes = assess(draw_tissue())

    assert share(classes, ArtefactClass.CLEAN) == 1.0


def test_the_blurred_half_is_out_of_focus_and_the_sharp_half_clean() -> None:
    densities = draw_tissue()
    densities[:, 512:] = defocused(densities, 7)[:, 512:]

    classes = assess(densities)

    assert share(classes[:, 288:], ArtefactClass.OUT_OF_FOCUS) > 0.99
    assert share(classes[:, :224], ArtefactClass.CLEAN) > 0.99


def test_a_wholly_blurred_slide_is_found_without_a_sharp_part_to_compare() -> None:
    classes = assess(defocused(draw_tissue(), 7))

    assert share(classes, ArtefactClass.OUT_OF_FOCUS) > 0.95


def test_smooth_tissue_is_not_called_blurred() -> None:
    smooth = np.full((_SIDE_PX, _SIDE_PX, 3), 0.25, np.float32) * _EOSIN

    classes = assess(smooth)

    assert share(classes, ArtefactClass.CLEAN) == 1.0


@pytest.mark.parametrize("ink", [_GREEN_INK, _BLUE_INK], ids=["green", "blue"])
@pytest.mark.parametrize("strength", [0.8, 1.6])
def test_a_stroke_of_ink_over_tissue_is_pen(ink: Densities, strength: float) -> None:
    densities = draw_tissue()
    densities[:, 400:600] += strength * ink

    classes = assess(densities)

    assert share(classes[:, 210:290], ArtefactClass.PEN) > 0.95
    assert share(classes[:, :180], ArtefactClass.CLEAN) > 0.99


def test_tissue_lying_double_and_out_of_plane_is_a_fold() -> None:
    densities = draw_tissue()
    doubled = defocused((densities + densities[::-1] + 0.1 * _EOSIN).astype(np.float32), 3)
    densities[:, 400:600] = doubled[:, 400:600]

    classes = assess(densities)

    assert share(classes[:, 210:290], ArtefactClass.FOLD) > 0.9
    assert share(classes[:, :180], ArtefactClass.CLEAN) > 0.99


def test_sharp_dense_nuclei_are_not_a_fold() -> None:
    densities = draw_tissue()
    crowded = draw_tissue(seed=8) + draw_tissue(seed=9)
    densities[300:700, 300:700] = crowded[300:700, 300:700]

    classes = assess(densities)

    assert share(classes, ArtefactClass.FOLD) == 0.0


def test_a_black_blob_on_tissue_is_foreign() -> None:
    densities = draw_tissue()
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX]
    is_blob = np.hypot(x - 500, y - 500) < 70
    densities[is_blob] += 0.8 * _GREY

    classes = assess(densities)

    assert share(classes[225:275, 225:275], ArtefactClass.FOREIGN) > 0.95
    assert share(classes[:200], ArtefactClass.CLEAN) > 0.99


def test_scattered_pigment_is_clean() -> None:
    densities = draw_tissue()
    for x, y in np.random.default_rng(2).integers(0, _SIDE_PX, (60, 2)).tolist():
        densities[y : y + 10, x : x + 10] += 0.8 * _GREY

    classes = assess(densities)

    assert share(classes, ArtefactClass.CLEAN) == 1.0


def test_a_long_thin_dark_line_is_the_rim_of_a_bubble() -> None:
    densities = draw_tissue()
    x = np.arange(_SIDE_PX, dtype=np.float32)
    densities += (0.9 * np.exp(-(((x - 512) / 5) ** 2)))[None, :, None] * _GREY

    classes = assess(densities)

    assert share(classes[:, 254:258], ArtefactClass.BUBBLE) > 0.95


def test_what_is_not_tissue_stays_glass() -> None:
    densities = draw_tissue()
    is_tissue = np.ones(densities.shape[:2], bool)
    is_tissue[:, 512:] = False
    densities[:, 512:] = 0
    densities[400:600, 700:800] = 1.2 * _GREEN_INK

    classes = assess(densities, is_tissue)

    assert share(classes[:, 256:], ArtefactClass.GLASS) == 1.0
    assert share(classes[:, :256], ArtefactClass.CLEAN) == 1.0


def test_padding_is_unassessed_and_does_not_blur_its_neighbours() -> None:
    rgb = photograph(draw_tissue())
    is_scanned = np.ones(rgb.shape[:2], bool)
    is_scanned[:301] = False
    rgb[:301] = 255
    evidence = measure(rgb, is_scanned, 1.0, 2)
    tissue = np.ones(evidence.shape, bool)

    classes = classify(evidence, tissue, reference(lambda: [(evidence, tissue)]), ClassicalSettings())

    assert share(classes[:151], ArtefactClass.UNASSESSED) == 1.0
    assert share(classes[151:], ArtefactClass.CLEAN) == 1.0


def test_evidence_depends_on_no_pixel_beyond_its_reach() -> None:
    rgb, other = photograph(draw_tissue(576)), photograph(draw_tissue(576, seed=4), seed=6)
    margin_px = 64
    reach_px = int(REACH_UM)
    inner = (slice(margin_px - reach_px, reach_px - margin_px),) * 2
    other[inner] = rgb[inner]
    is_scanned = np.ones(rgb.shape[:2], bool)

    first, second = measure(rgb, is_scanned, 1.0, 2), measure(other, is_scanned, 1.0, 2)

    cells, blocks = (slice(margin_px // step, -margin_px // step) for step in (2, 8))
    np.testing.assert_array_equal(first.rgb[cells, cells], second.rgb[cells, cells])
    np.testing.assert_array_equal(first.fine[blocks, blocks], second.fine[blocks, blocks])
    np.testing.assert_array_equal(first.coarse[blocks, blocks], second.coarse[blocks, blocks])


def test_the_focus_score_falls_with_every_step_of_defocus() -> None:
    densities = draw_tissue(512)

    scores = [score_focus(defocused(densities, radius) if radius else densities) for radius in (0, 1, 2, 3, 4)]

    assert all(sharper > softer for sharper, softer in itertools.pairwise(scores))
    assert scores[0] > 6
    assert scores[-1] < 4


@pytest.mark.parametrize("strength", [0.6, 1.6])
def test_the_focus_score_does_not_follow_the_strength_of_the_stain(strength: float) -> None:
    densities = defocused(draw_tissue(512), 1)

    assert score_focus(strength * densities) == pytest.approx(score_focus(densities), abs=0.4)


def test_scores_without_tissue_are_not_a_number() -> None:
    evidence = measure(np.full((128, 128, 3), 243, np.uint8), np.ones((128, 128), bool), 1.0, 2)

    statistics = reference(lambda: [(evidence, np.zeros(evidence.shape, bool))])

    assert np.isnan(focus_score(statistics))
    assert np.isnan(stain_score(statistics))


@pytest.mark.parametrize(("strength", "is_good"), [(0.1, False), (1.0, True), (8.0, False)])
def test_the_stain_score_marks_pale_and_dark_slides(strength: float, is_good: bool) -> None:
    evidence = measure(photograph(strength * draw_tissue(512)), np.ones((512, 512), bool), 1.0, 2)
    tissue = np.ones(evidence.shape, bool)
    tissue[:64] = False
    glass = measure(np.full((128, 512, 3), 243, np.uint8), np.ones((128, 512), bool), 1.0, 2)

    statistics = reference(lambda: [(evidence, tissue), (glass, np.zeros(glass.shape, bool))])

    assert (stain_score(statistics) >= 4) == is_good


def test_a_tile_that_does_not_fit_the_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit cells of 2 px"):
        measure(np.zeros((65, 64, 3), np.uint8), np.ones((65, 64), bool), 1.0, 2)


@pytest.mark.data
def test_real_defocus_lowers_the_focus_score_step_by_step(qc_data: Path) -> None:
    folder = qc_data / "artefacts" / "focus-stack" / "smear"

    scores = []
    for step in range(0, 5):
        rgb = read_rgb(folder / f"{step}.png")
        rgb = np.ascontiguousarray(rgb[: rgb.shape[0] // 8 * 8, : rgb.shape[1] // 8 * 8])
        evidence = measure(rgb, np.ones(rgb.shape[:2], bool), 1.0, 2)
        pair = (evidence, np.ones(evidence.shape, bool))
        scores.append(focus_score(reference(lambda pair=pair: [pair])))

    assert all(sharper > softer for sharper, softer in itertools.pairwise(scores))


@pytest.mark.data
@pytest.mark.parametrize("name", ["pen-black", "pen-green"])
def test_marker_on_a_real_slide_is_pen(qc_data: Path, name: str) -> None:
    folder = qc_data / "artefacts" / "masked"
    rgb = read_rgb(folder / f"{name}.png")
    is_ink = read_rgb(folder / f"{name}-mask.png")[..., 0] > 127
    height, width = (side // 2 * 2 for side in is_ink.shape)
    rgb = np.ascontiguousarray(rgb[:height, :width])
    evidence = measure(rgb, np.ones(rgb.shape[:2], bool), 4.0, 2)
    tissue = evidence.rgb.mean(axis=2) < 225

    classes = classify(evidence, tissue, reference(lambda: [(evidence, tissue)]), ClassicalSettings())

    ink = is_ink[:height:2, :width:2] & tissue
    assert (classes[ink] == ArtefactClass.PEN).mean() > 0.8
    if name == "pen-green":  # the black stroke has no tissue beside it, only its own soft edge
        assert (classes[tissue & ~ink] == ArtefactClass.PEN).mean() < 0.1
