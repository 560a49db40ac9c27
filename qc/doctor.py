"""What this machine offers: versions, formats, devices, extras. Looks; changes nothing."""

import os
import platform
import tempfile
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from qc.slide.files import SLIDE_SUFFIXES
from qc.slide.reader import library_version
from qc.version import __version__

_LIBRARIES = ("openslide-python", "torch", "numpy", "opencv-python-headless", "pandas", "sqlalchemy", "streamlit")
_EXTRAS = {"postgres": "psycopg", "pdf": "weasyprint", "cluster": "distributed", "login": "authlib"}


def examine() -> dict[str, dict[str, str]]:
    """Findings by topic; every value is text for people and scripts alike."""
    return {
        "software": {
            "slidegate": __version__,
            "python": platform.python_version(),
            "openslide library": library_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        "slide formats": {"suffixes": " ".join(sorted(SLIDE_SUFFIXES)), **_jpeg_check()},
        "devices": {"cpu cores": str(os.cpu_count()), "gpu": _gpu()},
        "extras": {name: _extra(name, module) for name, module in _EXTRAS.items()},
    }


def _jpeg_check() -> dict[str, str]:
    """Write a small tiled TIFF and read it back through OpenSlide, as proof rather than promise."""
    import tifffile

    from qc.slide.files import SlideFile, open_slide

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.tiff"
        pixels = np.full((256, 256, 3), 200, np.uint8)
        resolution = (20000, 20000)
        tifffile.imwrite(path, pixels, tile=(128, 128), compression="jpeg", resolution=resolution, resolutionunit=3)
        slide = open_slide(SlideFile(path))
        slide.close()
        return {"tiled TIFF through OpenSlide": f"reads, {slide.mpp:g} mpp"}


def _gpu() -> str:
    torch = import_module("torch")
    if not torch.cuda.is_available():
        return "none, networks run on the CPU"
    return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))


def _extra(name: str, module: str) -> str:
    return "installed" if find_spec(module) else f"not installed (uv sync --extra {name})"
