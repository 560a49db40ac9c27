"""Phantoms: deterministic synthetic slides with exact truth, made from stain physics and optics.

make_phantom(spec) -> Phantom           pixels and truth in memory
write_phantom(spec, folder)             pyramidal TIFF that OpenSlide reads, and the truth beside it
write_cohort(load_cohort(path), folder) every slide of a specification in `datasets/`
"""

from qc.phantom.make import Phantom, PhantomTruth, make_phantom
from qc.phantom.spec import ArtefactSpec, CohortSpec, PhantomSpec, load_cohort
from qc.phantom.write import PhantomFile, is_written, read_truth, write_cohort, write_phantom

__all__ = [
    "ArtefactSpec",
    "CohortSpec",
    "Phantom",
    "PhantomFile",
    "PhantomSpec",
    "PhantomTruth",
    "is_written",
    "load_cohort",
    "make_phantom",
    "read_truth",
    "write_cohort",
    "write_phantom",
]
