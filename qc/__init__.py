"""SlideGate: quality control and dataset curation for whole-slide images.

    run = qc.RunFolder(Path("my-run"))
    records = qc.assess_many(qc.find_slides([Path("slides")]), run, qc.AssessSettings(), qc.load_profile("default"))

Public names are looked up on first use, so that `import qc` and `qc --help` cost nothing.
"""

from typing import TYPE_CHECKING

import lazy_loader

from qc.version import __version__  # noqa: F401 - public

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "config.assess": ["AssessSettings"],
        "config.profile": ["Profile", "load_profile"],
        "errors": ["QCError", "SlideError"],
        "geometry": ["Grid", "Mpp", "Region", "Size", "Window"],
        "labels": ["ArtefactClass", "Verdict"],
        "maps": ["ArtefactMap", "Coverage", "TissueMask", "coverage"],
        "pipeline.folder": ["RunFolder", "open_run"],
        "pipeline.run": ["assess_many"],
        "record": ["Assessed", "Failed"],
        "slide.files": ["SlideFile", "find_slides", "open_slide"],
        "slide.memory": ["MemorySlide"],
        "slide.window": ["read_window"],
        "tissue": ["locate_tissue"],
    },
)

if TYPE_CHECKING:
    from qc.config.assess import AssessSettings as AssessSettings
    from qc.config.profile import Profile as Profile
    from qc.config.profile import load_profile as load_profile
    from qc.errors import QCError as QCError
    from qc.errors import SlideError as SlideError
    from qc.geometry import Grid as Grid
    from qc.geometry import Mpp as Mpp
    from qc.geometry import Region as Region
    from qc.geometry import Size as Size
    from qc.geometry import Window as Window
    from qc.labels import ArtefactClass as ArtefactClass
    from qc.labels import Verdict as Verdict
    from qc.maps import ArtefactMap as ArtefactMap
    from qc.maps import Coverage as Coverage
    from qc.maps import TissueMask as TissueMask
    from qc.maps import coverage as coverage
    from qc.pipeline.folder import RunFolder as RunFolder
    from qc.pipeline.folder import open_run as open_run
    from qc.pipeline.run import assess_many as assess_many
    from qc.record import Assessed as Assessed
    from qc.record import Failed as Failed
    from qc.slide.files import SlideFile as SlideFile
    from qc.slide.files import find_slides as find_slides
    from qc.slide.files import open_slide as open_slide
    from qc.slide.memory import MemorySlide as MemorySlide
    from qc.slide.window import read_window as read_window
    from qc.tissue import locate_tissue as locate_tissue
