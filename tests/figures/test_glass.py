"""The scanned area is found on the photographed glass by its tissue, or it is said that it cannot be told."""

import cv2
import numpy as np
import pytest
import tifffile

from qc.figures.glass import glass_photo
from qc.figures.scanned_area import locate_scan
from qc.slide.reader import OpenSlideSlide

MPP = 7.0
GLASS_UM_PER_PX = 26000 / 430
APERIO = "Aperio Image Library v12.0\r\n"


def photographed(scan, left, top, turned=0, seed=0):
    """A photograph of 430 x 1270 pixels: the scan's tissue on grey glass, darker edges, noise, a covered label end."""
    factor = MPP / GLASS_UM_PER_PX
    size = (round(scan.shape[1] * factor), round(scan.shape[0] * factor))
    small = np.rot90(cv2.resize(scan, size, interpolation=cv2.INTER_AREA), turned).astype(np.float32) / 255
    photo = np.full((430, 1270, 3), (226, 228, 224), np.float32)
    photo[top : top + small.shape[0], left : left + small.shape[1]] *= small
    photo = cv2.GaussianBlur(photo, (0, 0), 1.2)
    photo[:7] *= 0.6
    photo += np.random.default_rng(seed).normal(0, 4, photo.shape)
    photo[:, :423] = 226
    return np.clip(photo, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turned", range(4))
def test_the_scanned_area_is_found_however_the_scan_is_turned(tissue_rgb, turned):
    photo = photographed(tissue_rgb, 610, 90, turned)

    found = locate_scan(photo, tissue_rgb, MPP)

    assert found is not None
    sides = np.array([tissue_rgb.shape[1], tissue_rgb.shape[0]]) * MPP / GLASS_UM_PER_PX
    width, height = sides[::-1] if turned % 2 else sides
    assert found.turned == turned
    assert (found.x, found.y) == pytest.approx((610, 90), abs=12)
    assert (found.width, found.height) == pytest.approx((width, height), rel=0.06)


def test_the_tissue_of_another_slide_and_bare_glass_have_no_place(tissue_rgb):
    other = np.full_like(tissue_rgb, 243)
    cv2.ellipse(other, (700, 500), (500, 160), 30, 0, 360, (190, 120, 170), -1)
    cv2.ellipse(other, (1500, 1400), (300, 200), 0, 0, 360, (200, 120, 170), -1)
    photo = photographed(tissue_rgb, 610, 90)

    assert locate_scan(photo, other, MPP) is None
    assert locate_scan(photo, np.full_like(tissue_rgb, 243), MPP) is None


def test_a_file_gives_its_photograph_with_a_covered_label_and_a_frame(tissue_rgb, tmp_path):
    slide = OpenSlideSlide(write_with_macro(tmp_path / "a.svs", tissue_rgb, photographed(tissue_rgb, 610, 90)))

    photo = glass_photo(slide)
    slide.close()

    assert photo is not None
    assert photo.area is not None
    assert "scanned area framed" in photo.caption
    assert photo.rgb[200, :400].std() < 1
    row, column = round(photo.area.y + photo.area.height / 2), round(photo.area.x)
    assert photo.rgb[row, column].tolist() == [0, 71, 171]


def write_with_macro(path, rgb, macro):
    """A file as Aperio's scanners write it: pyramid, thumbnail, photograph."""
    height, width = rgb.shape[:2]
    told = f"{width}x{height} |MPP = {MPP}|ScanScope ID = SS1302|Date = 03/02/26|Time = 09:59:15"
    plain = {"photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path) as writer:
        writer.write(rgb, tile=(240, 240), compression="jpeg", description=f"{APERIO}{told}", **plain)
        writer.write(np.ascontiguousarray(rgb[::4, ::4]), description=f"{APERIO}thumbnail", **plain)
        writer.write(macro, subfiletype=9, description=f"{APERIO}macro 1270x430", **plain)
    return path


def test_the_file_tells_scanner_and_time(tissue_rgb, tmp_path):
    slide = OpenSlideSlide(write_with_macro(tmp_path / "a.svs", tissue_rgb, np.zeros((430, 1270, 3), np.uint8)))

    assert slide.properties["scanner"] == "aperio SS1302"
    assert slide.properties["scanned_at"] == "2026-03-02 09:59"
    slide.close()
