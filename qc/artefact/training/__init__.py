"""Training data of artefact networks: declared sources in, tiles with the class of every pixel out.

plan_sources(settings, root) -> Planned       every tile that can be read, with slide and patient
split_patients(planned.tiles, parts, seed)    parts that share no patient; `verify_split` raises on leakage
TileSource(planned, ...).read(index, label)   one tile; clean tissue is given an artefact of class `label`

Nothing here needs torch: sampler and augmentation are in `qc.nets`.
"""

from qc.artefact.training.noise import spoil
from qc.artefact.training.plan import Planned, TileRef, plan_sources
from qc.artefact.training.raster import Raster
from qc.artefact.training.split import split_patients, verify_split
from qc.artefact.training.tiles import Tile, TileSource
from qc.labels import IGNORE

__all__ = [
    "IGNORE",
    "Planned",
    "Raster",
    "Tile",
    "TileRef",
    "TileSource",
    "plan_sources",
    "split_patients",
    "spoil",
    "verify_split",
]
