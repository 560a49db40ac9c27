"""Artefacts by rule, without a network: `measure` each tile, `reference` the slide, `classify` each window.

The baseline that networks must beat and the declared fallback where there is none.
"""

from qc.artefact.classical.evidence import REACH_UM, Evidence, measure
from qc.artefact.classical.normal import SlideReference, focus_score, reference, stain_score
from qc.artefact.classical.rules import classify

__all__ = [
    "REACH_UM",
    "Evidence",
    "SlideReference",
    "classify",
    "focus_score",
    "measure",
    "reference",
    "stain_score",
]
