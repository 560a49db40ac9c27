"""Overviews of slides, from slide files or from pictures that a run kept. Out: looks and fingerprints."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from qc.cohort.duplicates import Look, Pair, look_at, near_duplicates
from qc.cohort_table import Cohort
from qc.config.reading import ReadingSettings
from qc.errors import RunError
from qc.geometry import Mpp
from qc.record import Assessed, Failed
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.slide.sanity import scanned_area
from qc.slide.window import Pixels, native_grid, read_overview


@dataclass(frozen=True)
class SeenSlide:
    """A slide that was looked at.

    Attributes:
        slide_id: Its id.
        path: Its file.
        fingerprint: Of the file's content.
        look: What its tissue looks like; None when it has no overview, as a slide that failed.
    """

    slide_id: str
    path: str
    fingerprint: str
    look: Look | None


def see_file(file: SlideFile) -> SeenSlide:
    """Look at a slide file.

    Raises:
        SlideError: If it cannot be read or shows no tissue.
    """
    with closing(open_slide(file)) as slide:
        grid = native_grid(slide, ReadingSettings().tissue_mpp)
        overview = read_overview(slide, grid)
        look = look_at(overview.rgb, scanned_area(overview), grid.cell_mpp, slide.name)
    return SeenSlide(file.slide_id, str(file.path), fingerprint(file.path), look)


def see_record(record: Assessed | Failed, picture: Path) -> SeenSlide:
    """Look at the picture of a slide that a run assessed; of a failed one only the fingerprint is known.

    Raises:
        RunError: If the picture cannot be read.
        NoTissueError: If it shows no tissue.
    """
    stamp = record.stamp
    look = _look_at_picture(record, picture) if isinstance(record, Assessed) else None
    return SeenSlide(stamp.slide_id, stamp.path, stamp.slide_fingerprint, look)


def compared(seen: Sequence[SeenSlide], cohort: Cohort, bits_max: int) -> tuple[tuple[Pair, ...], dict[str, str]]:
    """Near-duplicates among a cohort's slides, and the fingerprint of each, by their names in the table."""
    lines = cohort.match({one.slide_id: one.path for one in seen})
    by_name = {lines[one.slide_id].slide: one for one in seen if one.slide_id in lines}
    looks = {name: one.look for name, one in by_name.items() if one.look is not None}
    return near_duplicates(looks, bits_max), {name: one.fingerprint for name, one in by_name.items()}


def _look_at_picture(record: Assessed, picture: Path) -> Look:
    try:
        with Image.open(picture) as image:
            rgb = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise RunError(f"{picture} cannot be read ({error})", "assess the slide again") from error
    mpp = Mpp(record.mpp * record.width_px / rgb.shape[1])
    is_scanned = scanned_area(Pixels(rgb, np.ones(rgb.shape[:2], np.bool_)))
    return look_at(rgb, is_scanned, mpp, record.stamp.slide_id)
