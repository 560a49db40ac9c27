import numpy as np
import pandas as pd
import pytest

from qc.config.filter import TileSettings
from qc.errors import RunError
from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.rasters import write_artefact_map, write_tissue_mask
from qc.filtering.candidates import find_candidates
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap, TissueMask, coverage
from qc.pipeline.folder import RunFolder
from qc.pipeline.stored import stored_maps

GRID = Grid(Size(4001, 3003), Mpp(0.5), Mpp(4.0))
MASK_GRID = GRID.at(8.0)


@pytest.fixture
def slide():
    """A map on finer cells than its mask: ragged tissue, a part of which nobody saw, and a strip never scanned."""
    rng = np.random.default_rng(0)
    is_tissue = np.zeros(MASK_GRID.shape, np.bool_)
    is_tissue[20:160, 20:200] = rng.random((140, 180)) < 0.8
    tissue = TissueMask(is_tissue, MASK_GRID)
    classes = np.where(tissue.on(GRID).is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
    classes[100:200, 100:300][classes[100:200, 100:300] == ArtefactClass.CLEAN] = ArtefactClass.UNASSESSED
    classes[210:220, 100:300] = ArtefactClass.GLASS
    classes[:, 450:] = ArtefactClass.UNASSESSED
    return ArtefactMap(classes, GRID), tissue


@pytest.fixture
def folder(tmp_path, slide):
    """The slide as a run keeps it."""
    artefacts, tissue = slide
    folder = RunFolder(tmp_path).slide("a")
    write_artefact_map(artefacts, folder.artefacts)
    write_tissue_mask(tissue, folder.tissue)
    write_geojson(feature_collection(artefacts, tissue, simplify_cells=1.0), folder.geojson)
    return folder


def test_tissue_that_nobody_saw_is_counted_as_when_the_slide_was_assessed(folder, slide):
    artefacts, tissue = stored_maps(folder)

    assert coverage(artefacts, tissue) == coverage(*slide)
    assert coverage(artefacts, tissue).cells[ArtefactClass.UNASSESSED] > 1000


def test_the_filter_finds_the_same_tiles_in_a_run_as_in_memory(folder, slide):
    tiles = TileSettings.model_validate({"tile_px": 64, "tissue_min": 0.3, "hole_um": 0})

    found = find_candidates(*stored_maps(folder), tiles)

    expected = find_candidates(slide[0], slide[1], tiles)
    pd.testing.assert_frame_equal(found, expected)
    assert found["unassessed"].to_numpy().max() == 1


def test_a_run_of_an_early_version_goes_by_the_outlines(folder, slide):
    folder.tissue.unlink()

    artefacts, tissue = stored_maps(folder)

    unseen = artefacts.classes == ArtefactClass.UNASSESSED
    truth = slide[1].on(GRID).is_tissue & (artefacts.classes != ArtefactClass.GLASS)
    assert np.array_equal(tissue.is_tissue[~unseen], truth[~unseen])
    assert (tissue.is_tissue == truth)[unseen].mean() > 0.8
    assert not tissue.is_tissue[:, 450:].any()


def test_a_mask_of_another_slide_is_refused(folder):
    other = Grid(Size(4000, 3003), Mpp(0.5), Mpp(8.0))
    write_tissue_mask(TissueMask(np.ones(other.shape, np.bool_), other), folder.tissue)

    with pytest.raises(RunError, match="two slides"):
        stored_maps(folder)
