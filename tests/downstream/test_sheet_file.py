from pathlib import Path

import numpy as np
from PIL import Image

from qc.downstream.sheet_file import write_sheet


def test_a_sheet_becomes_light_and_keeps_the_colour_that_few_pixels_have(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rgb = np.clip(rng.normal((180, 110, 160), 25, (900, 1500, 3)), 0, 255).astype(np.uint8)
    rgb[:60, :60] = (40, 40, 230)
    Image.fromarray(rgb).save(tmp_path / "before.png")

    write_sheet(Image.fromarray(rgb), tmp_path / "sheet.png")

    with Image.open(tmp_path / "sheet.png") as image:
        shown = np.asarray(image.convert("RGB"))
    assert shown.shape == (600, 1000, 3)
    assert np.abs(shown[10:30, 10:30].astype(int) - (40, 40, 230)).max() < 12
    assert 5 * (tmp_path / "sheet.png").stat().st_size < (tmp_path / "before.png").stat().st_size


def test_a_small_sheet_is_not_enlarged(tmp_path: Path) -> None:
    write_sheet(Image.new("RGB", (300, 200), "white"), tmp_path / "sheet.png")

    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (300, 200)
