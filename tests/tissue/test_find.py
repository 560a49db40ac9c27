"""Tissue masks of small drawn overviews (Beer-Lambert colours on glass) and of real ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from qc.config.tissue import TissueSettings
from qc.geometry import Mpp
from qc.slide.files import SlideFile, open_slide
from qc.slide.window import native_grid, read_overview
from qc.tissue import find_tissue

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIDE_PX, MPP = 400, 8.0
HAEMATOXYLIN, EOSIN, DAB = (0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78)
BLUE_COUNTERSTAIN = (0.60, 0.57, 0.35)
GREEN_INK, BLUE_INK, RED_INK, BLACK_INK = (1.0, 0.28, 0.35), (1.1, 0.75, 0.22), (0.09, 1.1, 1.0), (1.2, 1.2, 1.2)
GREY = (1.0, 1.0, 1.05)
GLASS = (243.0, 243.0, 242.0)


class Drawing:
    """An overview as optical density per channel, painted in layers that add up as light is absorbed."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)
        self.density = np.zeros((SIDE_PX, SIDE_PX, 3), np.float32)

    def stain(self, where: Mask, colour: tuple[float, ...], strength: float, grain: float = 0.4) -> "Drawing":
        noise = cv2.GaussianBlur(self.rng.normal(1, 3 * grain, where.shape).astype(np.float32), (0, 0), 1.2)
        self.density += (where * np.maximum(noise, 0) * strength)[..., None] * np.array(colour, np.float32)
        return self

    def ink(self, where: Mask, colour: tuple[float, ...], strength: float = 1.0) -> "Drawing":
        soft = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 1.5)
        self.density += (soft * strength)[..., None] * np.array(colour, np.float32)
        return self

    def rgb(self, glass: tuple[float, ...] = GLASS) -> Rgb:
        levels = np.array(glass, np.float32) * 10**-self.density + self.rng.normal(0, 0.8, self.density.shape)
        return np.clip(np.round(levels), 0, 255).astype(np.uint8)


def disc(x: int, y: int, radius: int) -> Mask:
    rows, columns = np.ogrid[:SIDE_PX, :SIDE_PX]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def ring(x: int, y: int, radius: int, width: int) -> Mask:
    return disc(x, y, radius) & ~disc(x, y, radius - width)


def box(x: int, y: int, width: int, height: int) -> Mask:
    where = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    where[y : y + height, x : x + width] = True
    return where


def membranes(where: Mask, spacing: int = 12) -> Mask:
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    return where & ((rows % spacing < 1) | ((columns + rows // spacing * (spacing // 2)) % spacing < 1))


def found(rgb: Rgb, mpp: float = MPP, settings: TissueSettings | None = None) -> Mask:
    return find_tissue(rgb, np.ones(rgb.shape[:2], np.bool_), mpp, settings or TissueSettings())


def dice(a: Mask, b: Mask) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


PIECE = disc(200, 200, 90)


@pytest.mark.parametrize(("colour", "strength"), [(HAEMATOXYLIN, 0.4), (EOSIN, 0.3), (EOSIN, 0.06), (DAB, 0.4)])
def test_stained_tissue_is_outlined_closely(drawing: Drawing, colour: tuple[float, ...], strength: float) -> None:
    tissue = found(drawing.stain(PIECE, colour, strength).rgb())

    assert dice(tissue, PIECE) > 0.96


def test_faint_counterstain_around_brown_stain_is_tissue(drawing: Drawing) -> None:
    tissue = found(drawing.stain(PIECE, BLUE_COUNTERSTAIN, 0.25).stain(disc(200, 200, 40), DAB, 0.6).rgb())

    assert dice(tissue, PIECE) > 0.95


def test_pale_fat_beside_stroma_stays_in(drawing: Drawing) -> None:
    fat = disc(240, 200, 90) & ~box(0, 0, 180, SIDE_PX)
    stroma = disc(160, 200, 60) & ~fat
    tissue = found(drawing.stain(stroma, EOSIN, 0.25).stain(membranes(fat), EOSIN, 0.06, grain=0.2).rgb())

    assert tissue[fat].mean() > 0.9
    assert tissue[~(fat | stroma)].mean() < 0.02


def immunostained_with_fat(drawing: Drawing) -> tuple[Mask, Mask]:
    """Lymphoid tissue, a little brown in it, and beside it fat whose membranes are grey."""
    fat = disc(240, 200, 90) & ~box(0, 0, 180, SIDE_PX)
    node = disc(160, 200, 60) & ~fat
    drawing.stain(node, BLUE_COUNTERSTAIN, 0.25).stain(disc(140, 200, 15), DAB, 0.6)
    drawing.stain(membranes(fat), GREY, 0.04, grain=0.2)
    return fat, node


@pytest.mark.parametrize("glass", [GLASS, (232.0, 238.0, 245.0)])
def test_grey_fat_beside_immunostained_tissue_stays_in(drawing: Drawing, glass: tuple[float, ...]) -> None:
    fat, node = immunostained_with_fat(drawing)
    tissue = found(drawing.rgb(glass))

    assert tissue[fat].mean() > 0.9
    assert tissue[~(fat | node)].mean() < 0.02


def test_grey_dirt_away_from_immunostained_tissue_goes(drawing: Drawing) -> None:
    fat, _ = immunostained_with_fat(drawing)
    dirt = disc(60, 60, 25) | disc(345, 345, 10) | box(40, 340, 90, 3)
    tissue = found(drawing.stain(dirt, GREY, 0.08).rgb())

    assert not tissue[dirt].any()
    assert tissue[fat].mean() > 0.9


def test_steps_between_scanned_strips_of_an_immunostained_slide_are_glass(drawing: Drawing) -> None:
    fat, node = immunostained_with_fat(drawing)
    for left in (0, 80, 160, 240, 320):
        drawing.density[:, left : left + 40] += 0.006
    tissue = found(drawing.rgb())

    assert tissue[~(fat | node)].mean() < 0.03


def test_pen_ring_around_immunostained_tissue_is_glass(drawing: Drawing) -> None:
    immunostained_with_fat(drawing)
    tissue = found(drawing.ink(ring(200, 200, 190, 20), BLACK_INK).rgb())

    assert not tissue[~disc(200, 200, 140)].any()


def test_grey_texture_beside_tissue_with_eosin_is_dirt(drawing: Drawing) -> None:
    fat = disc(240, 200, 90) & ~box(0, 0, 180, SIDE_PX)
    drawing.stain(disc(160, 200, 60) & ~fat, EOSIN, 0.25).stain(membranes(fat), GREY, 0.04, grain=0.2)

    assert found(drawing.rgb())[fat].mean() < 0.2


def test_wide_lumen_stays_glass(drawing: Drawing) -> None:
    lumen = disc(200, 200, 40)
    tissue = found(drawing.stain(PIECE & ~lumen, EOSIN, 0.3).rgb())

    assert not tissue[disc(200, 200, 30)].any()


@pytest.mark.parametrize("ink", [GREEN_INK, BLUE_INK, RED_INK, BLACK_INK])
def test_pen_ring_on_glass_is_not_tissue(drawing: Drawing, ink: tuple[float, ...]) -> None:
    tissue = found(drawing.stain(disc(200, 200, 60), HAEMATOXYLIN, 0.4).ink(ring(200, 200, 150, 20), ink).rgb())

    assert not tissue[~disc(200, 200, 66)].any()
    assert tissue[disc(200, 200, 58)].mean() > 0.98


@pytest.mark.parametrize("ink", [GREEN_INK, BLUE_INK, RED_INK, BLACK_INK])
def test_tissue_on_both_sides_of_a_stroke_continues_under_it(drawing: Drawing, ink: tuple[float, ...]) -> None:
    stroke = box(190, 20, 20, 360)
    tissue = found(drawing.stain(PIECE, HAEMATOXYLIN, 0.4).ink(stroke, ink).rgb())

    assert tissue[stroke & disc(200, 200, 70)].mean() > 0.95
    assert not tissue[stroke & ~disc(200, 200, 115)].any()


def test_frame_cross_and_dust_are_not_tissue(drawing: Drawing) -> None:
    drawing.ink(box(0, 0, SIDE_PX, 12), BLACK_INK).ink(box(40, 60, 40, 8) | box(56, 44, 8, 40), BLACK_INK)
    drawing.ink(disc(320, 320, 12), (0.5, 0.5, 0.52)).ink(disc(100, 300, 6), (0.3, 0.32, 0.35))
    drawing.ink(box(250, 60, 90, 2), (0.3, 0.3, 0.3))

    assert not found(drawing.rgb()).any()


@pytest.mark.parametrize("glass", [GLASS, (250.0, 240.0, 215.0), (225.0, 232.0, 240.0), (255.0, 255.0, 255.0)])
def test_blank_slide_has_no_tissue(drawing: Drawing, glass: tuple[float, ...]) -> None:
    assert not found(drawing.rgb(glass)).any()


def test_grey_cover_glass_with_a_straight_edge_is_not_tissue(drawing: Drawing) -> None:
    cover = box(0, 0, 60, SIDE_PX)
    tissue = found(drawing.stain(PIECE, EOSIN, 0.3).ink(cover, (0.03, 0.035, 0.05)).rgb())

    assert not tissue[cover].any()


def test_tissue_that_fills_the_overview_is_not_taken_for_glass(drawing: Drawing) -> None:
    everywhere = box(0, 0, SIDE_PX, SIDE_PX)
    tissue = found(drawing.stain(everywhere, EOSIN, 0.3).stain(everywhere, HAEMATOXYLIN, 0.1).rgb())

    assert tissue.mean() > 0.98


def test_unscanned_pixels_are_never_tissue(drawing: Drawing) -> None:
    is_scanned = ~box(0, 0, 200, SIDE_PX)
    tissue = find_tissue(drawing.stain(PIECE, EOSIN, 0.3).rgb(), is_scanned, MPP, TissueSettings())

    assert not tissue[~is_scanned].any()
    assert tissue[PIECE & is_scanned].mean() > 0.97


@pytest.mark.parametrize("glass", [(250.0, 240.0, 215.0), (215.0, 232.0, 243.0), (180.0, 180.0, 180.0)])
def test_tint_of_the_illumination_does_not_matter(glass: tuple[float, ...]) -> None:
    neutral = found(Drawing().stain(PIECE, EOSIN, 0.1).rgb())
    tinted = found(Drawing().stain(PIECE, EOSIN, 0.1).rgb(glass))

    assert dice(neutral, tinted) > 0.98


@pytest.mark.parametrize("factor", [2, 4])
def test_coarse_overviews_show_the_same_pieces(drawing: Drawing, factor: int) -> None:
    rgb = drawing.stain(PIECE, EOSIN, 0.2).rgb()
    side = SIDE_PX // factor
    coarse = found(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8), MPP * factor)

    assert dice(np.kron(coarse, np.ones((factor, factor))).astype(np.bool_), PIECE) > 0.94


def test_odd_sizes_keep_their_shape() -> None:
    rgb = np.full((101, 67, 3), 243, np.uint8)

    assert found(rgb, mpp=4.3).shape == (101, 67)
    assert found(rgb[:1, :1], mpp=70.0).shape == (1, 1)


def test_masks_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        find_tissue(np.zeros((4, 4, 3), np.uint8), np.ones((4, 5), np.bool_), MPP, TissueSettings())


def picture(path: Path) -> Rgb:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.data
def test_mask_of_imi_29_agrees_with_the_published_one(qc_data: Path) -> None:
    """The published mask leaves about a quarter of a millimetre around the tissue; a tight one cannot exceed 0.91."""
    published = np.asarray(Image.open(qc_data / "overviews" / "imi-29-tissue-mask.png").convert("L"))
    rgb = picture(qc_data / "overviews" / "imi-29.jpg")
    published = cv2.resize(published, rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 127

    assert dice(found(rgb), published) >= 0.89
    assert dice(found(rgb, settings=TissueSettings(margin_um=200.0)), published) >= 0.96


@pytest.mark.data
def test_green_ring_and_blank_border_of_a0sb_are_left_out(qc_data: Path) -> None:
    rgb = cv2.resize(picture(qc_data / "overviews" / "tcga-a1-a0sb-level2.jpg"), None, fx=0.25, fy=0.25)
    levels = rgb.astype(np.int16)
    green = (levels[..., 1] - levels[..., 0] > 60).astype(np.uint8)
    tissue = found(rgb.astype(np.uint8), mpp=16.0)

    assert tissue[green > 0].mean() < 0.1
    assert not tissue[:30].any()
    assert tissue[660:760, 1050:1150].mean() > 0.9


@pytest.mark.data
def test_black_pen_alone_is_no_tissue(qc_data: Path) -> None:
    assert not found(picture(qc_data / "artefacts" / "masked" / "pen-black.png")).any()


@pytest.mark.data
def test_faded_core_biopsies_are_found_along_their_whole_length(qc_data: Path) -> None:
    rgb = picture(qc_data / "slide-views" / "hacettepe-com-case-10" / "overview.jpg")

    assert 0.14 < found(rgb, mpp=10.494).mean() < 0.18


@pytest.mark.data
def test_fat_of_the_cytokeratin_slide_is_found_and_its_bare_corner_is_not(qc_data: Path) -> None:
    slide = open_slide(SlideFile(qc_data / "slides" / "pyramids" / "lymph-node-metastasis-cytokeratin.tif", Mpp(1.2)))
    grid = native_grid(slide, 8.0)
    tissue = found(read_overview(slide, grid).rgb, mpp=float(grid.cell_mpp))
    slide.close()

    assert tissue[:400].mean() > 0.9
    assert tissue[490:, 560:].mean() < 0.1


@pytest.mark.data
def test_labelled_tissue_cells_are_found_and_glass_cells_are_not(qc_data: Path) -> None:
    tissue_share, glass_share = labelled_shares(
        qc_data / "slide-views", ["fat-necrosis", "insidious-lymph-node-metastasis"]
    )

    assert tissue_share > 0.85
    assert glass_share < 0.03


def labelled_shares(folder: Path, slides: list[str]) -> tuple[float, float]:
    """Mean share of tissue in the cells labelled clean tissue and in those labelled glass."""
    shares: dict[str, list[float]] = {"C": [], "G": []}
    masks: dict[tuple[str, str], Mask] = {}
    for line in (folder / "labels.csv").read_text().splitlines()[1:]:
        slide, view, row, column, code = line.split(",")
        if slide not in slides or code[0] not in shares:
            continue
        if (slide, view) not in masks:
            rgb = cv2.resize(picture(folder / slide / f"{view}.jpg"), (160, 160), interpolation=cv2.INTER_AREA)
            masks[slide, view] = found(rgb.astype(np.uint8))
        top, left = 32 * int(row), 32 * int(column)
        shares[code[0]].append(float(masks[slide, view][top : top + 32, left : left + 32].mean()))
    return float(np.mean(shares["C"])), float(np.mean(shares["G"]))
