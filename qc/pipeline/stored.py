"""What a run keeps of a slide, read back: artefact map, tissue mask, what people settled. No pixel is read again."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import rasterio.features
from numpy.typing import NDArray
from rasterio.transform import Affine

from qc.config.profile import Profile
from qc.errors import RunError
from qc.exchange.annotations import read_drawing
from qc.exchange.rasters import read_artefact_map, read_tissue_mask
from qc.geometry import Grid
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap, TissueMask
from qc.pipeline.folder import RunFolder
from qc.pipeline.slide_folder import SlideFolder
from qc.store.decision import Decision


def stored_maps(folder: SlideFolder) -> tuple[ArtefactMap, TissueMask]:
    """The artefact map and the tissue it is about, both on the map's grid.

    What the map calls GLASS is no tissue. Runs of early versions keep no mask: there, whatever has a class is tissue,
    and the stored outlines, which follow the tissue within a cell, tell tissue that was not seen from area not scanned.

    Raises:
        RunError: If the map is not there, or map or mask is damaged or of another slide.
        ExchangeError: If the outlines are needed and not there or damaged.
    """
    artefacts = read_artefact_map(folder.artefacts)
    if folder.tissue.exists():
        tissue = read_tissue_mask(folder.tissue)
        if tissue.grid.at(artefacts.grid.cell_mpp) != artefacts.grid:
            raise RunError(f"{folder.tissue} and {folder.artefacts} are of two slides", "assess the slide again")
        is_tissue = tissue.on(artefacts.grid).is_tissue & (artefacts.classes != ArtefactClass.GLASS)
        return artefacts, TissueMask(is_tissue, artefacts.grid)
    is_unseen = artefacts.classes == ArtefactClass.UNASSESSED
    is_tissue = ~is_unseen & (artefacts.classes != ArtefactClass.GLASS)
    if is_unseen.any():
        is_tissue |= is_unseen & _outlined(folder, artefacts.grid)
    return artefacts, TissueMask(is_tissue, artefacts.grid)


@dataclass(frozen=True)
class Settled:
    """What people settled about a run, as its store holds it.

    Attributes:
        decisions: Decisions in force, by slide id.
        profile: The profile by which the run is judged anew; None while the verdicts of its assessment hold.
    """

    decisions: Mapping[str, Decision]
    profile: Profile | None = None


def settled(run: RunFolder, run_id: str, store_url: str | None = None) -> Settled:
    """What people decided on the slides of a run, and by which profile they let it be judged.

    Raises:
        RunError: If the store cannot be read or does not know the run, for then nobody knows what was decided.
    """
    if store_url is None and not run.store.exists():
        raise RunError(f"{run.root} keeps its results in another store", "pass --store as when it was assessed")
    store = run.open_store(store_url)
    try:
        if run_id not in store.runs():
            raise RunError(f"the store does not know the run {run.root}", "pass --store as when it was assessed")
        return Settled(store.decisions(run_id), store.profile_in_force(run_id))
    finally:
        store.close()


def _outlined(folder: SlideFolder, grid: Grid) -> NDArray[np.bool_]:
    areas = [one.area for one in read_drawing(folder.geojson).annotations if one.value == ArtefactClass.CLEAN]
    if not areas:
        return np.zeros(grid.shape, np.bool_)
    return rasterio.features.geometry_mask(areas, grid.shape, Affine.scale(grid.pitch), invert=True)
