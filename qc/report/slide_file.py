"""The file of a slide, while it is the one that was assessed. In: a record. Out: the open slide, or None."""

from pathlib import Path

from qc.errors import SlideError
from qc.geometry import Mpp
from qc.record import Assessed
from qc.slide.files import SlideFile, fingerprint, open_slide
from qc.slide.protocol import Slide


def opened(record: Assessed) -> Slide | None:
    """The slide, or None when the file is gone, another one, or damaged by now."""
    path = Path(record.stamp.path)
    try:
        if fingerprint(path) != record.stamp.slide_fingerprint:
            return None
        return open_slide(SlideFile(path, Mpp(record.mpp) if record.mpp_source == "caller" else None))
    except (OSError, SlideError):
        return None
