"""Sheets of pictures as PNG files light enough for a report. In: an image. Out: a file of few colours."""

from pathlib import Path

from PIL import Image

from qc.files import replacing

_WIDTH_PX_MAX = 1000
_COLOURS = 128
_REFINED = 2


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet no wider than a page shows it, in a palette of its own.

    Raises:
        RunError: If it cannot be written.
    """
    width = min(sheet.width, _WIDTH_PX_MAX)
    small = sheet.resize((width, round(sheet.height * width / sheet.width)), Image.Resampling.BOX)
    few = small.quantize(
        _COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=_REFINED, dither=Image.Dither.NONE
    )  # rare ones stay
    with replacing(path) as partial:
        few.save(partial, "PNG", optimize=True)
