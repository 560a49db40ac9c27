"""Training data of tissue networks: declared overviews in, tiles of CLEAN (tissue), GLASS and IGNORE out.

plan_tissue_sources(settings, root) -> PlannedTissue   every overview in memory, labelled as far as it is certain
TissueSource(planned, compose_settings).read(index, label, draw) -> TissueTile

References hold slide, patient and file, so that patients can be split; every tile can be given anything, so that the
sampler's classes choose what is laid on it. Nothing here needs torch.
"""

from qc.labels import IGNORE
from qc.tissue.training.labels import label_overview
from qc.tissue.training.plan import Overview, PlannedTissue, TissueTileRef, plan_tissue_sources
from qc.tissue.training.tiles import TissueSource, TissueTile

__all__ = [
    "IGNORE",
    "Overview",
    "PlannedTissue",
    "TissueSource",
    "TissueTile",
    "TissueTileRef",
    "label_overview",
    "plan_tissue_sources",
]
