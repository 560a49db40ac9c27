"""A network as an artefact stage: no seams, nothing invented on padding, any resolution."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from qc.artefact.choose import artefact_stage
from qc.artefact.network.evidence import decide, thresholds_of
from qc.artefact.network.stage import NetworkStage
from qc.artefact.stage import MeasuredTile
from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.errors import WeightsError
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ArtefactClass
from qc.maps import TissueMask, tissue_in
from qc.nets.card import CARD, read_card
from qc.nets.session import session
from qc.pipeline.assess import assess_slide, look
from qc.pipeline.mapping import map_artefacts, plan_reading
from qc.record import Stamp
from qc.slide.memory import MemorySlide
from qc.slide.window import Pixels

Rgb = NDArray[np.uint8]
REACH_UM = 128.0
"""Halo beyond which the untrained test network does not look."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a stage made of a slide, and where its tissue is on the map."""

    classes: NDArray[np.uint8]
    suspicion: NDArray[np.float32]
    is_tissue: NDArray[np.bool_]


def seen(slide: MemorySlide, stage: NetworkStage, tile_px: int = 512) -> Seen:
    settings = AssessSettings.model_validate({"reading": {"tile_px": tile_px}})
    sight = look(slide, settings)
    plan = plan_reading(slide, sight.tissue, settings.reading, stage.reach_um, stage.cut_px)
    mapped = map_artefacts(slide, sight, plan, settings, stage, with_suspicion=True)
    assert mapped.suspicion is not None
    grid = mapped.artefacts.grid
    whole = Window(0, 0, grid.size.width, grid.size.height)
    return Seen(mapped.artefacts.classes, mapped.suspicion, tissue_in(sight.tissue, grid, whole))


@pytest.fixture(scope="module")
def stage(network_folder: Path) -> NetworkStage:
    return NetworkStage(session(network_folder), REACH_UM)


@pytest.fixture(scope="module")
def small(draw: Callable[..., Rgb]) -> Rgb:
    """1.0 x 0.9 mm of glass and tissue at 1.0 mpp."""
    return draw(1000, 900)


def test_tiles_of_any_size_make_the_same_map(small: Rgb, network_folder: Path, stage: NetworkStage) -> None:
    slide = MemorySlide(small, Mpp(1.0))
    blind = NetworkStage(session(network_folder), 0.0)

    large, tiled, seamed = seen(slide, stage), seen(slide, stage, 256), seen(slide, blind, 256)

    assert len(np.unique(large.classes[large.is_tissue])) > 2
    assert np.mean(large.classes != tiled.classes) < 1e-4
    both = np.isfinite(large.suspicion) & np.isfinite(tiled.suspicion)  # smaller tiles hold less of the glass
    assert both[large.is_tissue].all()
    np.testing.assert_allclose(large.suspicion[both], tiled.suspicion[both], atol=2 / 255)
    assert np.mean(large.classes != seamed.classes) > 1e-3  # without a halo there are seams, and this sees them


def test_a_finer_slide_is_judged_by_the_same_pixels(small: Rgb, stage: NetworkStage) -> None:
    fine = MemorySlide(np.repeat(np.repeat(small, 2, axis=0), 2, axis=1), Mpp(0.5))

    one, half = seen(MemorySlide(small, Mpp(1.0)), stage), seen(fine, stage)

    both = one.is_tissue & half.is_tissue
    assert both.sum() > 0.95 * one.is_tissue.sum()
    assert np.mean(one.classes[both] != half.classes[both]) < 1e-3


def test_a_coarser_slide_is_judged_all_over(small: Rgb, stage: NetworkStage) -> None:
    found = seen(MemorySlide(np.ascontiguousarray(small[::2, ::2]), Mpp(2.0)), stage)

    assert found.classes.shape == (225, 250)
    assert not (found.classes[found.is_tissue] == ArtefactClass.UNASSESSED).any()
    assert np.isfinite(found.suspicion[found.is_tissue]).all()
    assert np.isfinite(found.suspicion[~found.is_tissue]).any()  # glass that was read with it is judged as well


def tile(small: Rgb, stage: NetworkStage, is_scanned: NDArray[np.bool_] | None = None) -> MeasuredTile:
    """A measured tile of 256 px with a halo of 32 px."""
    rgb = np.ascontiguousarray(small[300:620, 300:620])
    pixels = Pixels(rgb, np.ones(rgb.shape[:2], bool) if is_scanned is None else is_scanned)
    return MeasuredTile(Window(0, 0, 128, 128), stage.measure(pixels, 1.0, 2, 32))


def test_padding_is_not_assessed_and_not_suspected(small: Rgb, stage: NetworkStage) -> None:
    is_scanned = np.ones((320, 320), bool)
    is_scanned[:, 172:] = False  # 140 px of the core, whole network cells
    grid = Grid(Size(256, 256), Mpp(1.0), Mpp(2.0))
    tissue = TissueMask(np.ones((128, 128), bool), grid)

    view = stage.view([tile(small, stage, is_scanned)], tissue, grid)

    window = Window(0, 0, 128, 128)
    classes, suspicion = view.classify(window), view.suspicion(window)
    assert (classes[:, 70:] == ArtefactClass.UNASSESSED).all()
    assert np.isnan(suspicion[:, 70:]).all()
    assert not (classes[:, :70] == ArtefactClass.UNASSESSED).any()
    assert np.isfinite(suspicion[:, :70]).all()


def test_what_no_tile_covers_is_not_assessed(small: Rgb, stage: NetworkStage) -> None:
    grid = Grid(Size(1000, 900), Mpp(1.0), Mpp(2.0))
    view = stage.view([tile(small, stage)], TissueMask(np.ones((450, 500), bool), grid), grid)

    part = view.classify(Window(64, 64, 128, 128))

    assert (part[64:] == ArtefactClass.UNASSESSED).all()
    np.testing.assert_array_equal(part[:64, :64], view.classify(Window(0, 0, 128, 128))[64:, 64:])


def test_evidence_of_many_tiles_lies_in_few_pieces_of_memory(small: Rgb, stage: NetworkStage) -> None:
    tiles = [tile(small[shift:], stage) for shift in (0, 8, 16)]

    packed = stage.packed(tiles)

    bases = {id(one.evidence.classes.base) for one in packed} | {id(one.evidence.suspicion.base) for one in packed}
    assert len(bases) == 2
    for before, after in zip(tiles, packed, strict=True):
        assert after.core == before.core
        assert after.evidence.classes.dtype == after.evidence.suspicion.dtype == np.uint8
        np.testing.assert_array_equal(after.evidence.classes, before.evidence.classes)
        np.testing.assert_array_equal(after.evidence.suspicion, before.evidence.suspicion)


def test_a_cell_is_its_most_probable_artefact_where_suspicion_reaches_that_ones_threshold(
    network_folder: Path,
) -> None:
    card = read_card(network_folder)
    card = card.model_copy(update={"thresholds": {**card.thresholds, "FOLD": 0.5, "PEN": 0.8}})
    cells = [  # clean, fold, foreign, pen, bubble, out of focus, glass
        [0.6, 0.3, 0.0, 0.1, 0.0, 0.0, 0.0],
        [0.5, 0.3, 0.0, 0.2, 0.0, 0.0, 0.0],
        [0.3, 0.3, 0.0, 0.4, 0.0, 0.0, 0.0],
        [0.1, 0.2, 0.0, 0.7, 0.0, 0.0, 0.0],
        [0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8],
    ]

    classes, suspicion = decide(np.array(cells, np.float32).T[..., None], card, thresholds_of(card))

    clean, fold, pen = ArtefactClass.CLEAN, ArtefactClass.FOLD, ArtefactClass.PEN
    assert classes[:, 0].tolist() == [clean, fold, clean, pen, clean]
    np.testing.assert_allclose(suspicion[:, 0], [102, 128, 178, 230, 0], atol=1)


def test_an_assessment_names_the_network_it_used(small: Rgb, network_folder: Path) -> None:
    settings = AssessSettings.model_validate({"artefact": {"stage": "network", "network": str(network_folder)}})
    stamp = Stamp(slide_id="a", path="/a", slide_fingerprint="", settings_fingerprint="", software_version="0")
    slide = MemorySlide(small, Mpp(1.0))

    found = assess_slide(slide, stamp, settings, load_profile("default"), artefact_stage(settings))

    assert found.record.artefact_stage == f"drawn {read_card(network_folder).weights_sha256[:8]}"
    assert sum(one.share for one in found.record.coverage.values()) == pytest.approx(1)
    assert np.isfinite(found.record.focus_score)
    assert np.isfinite(found.record.stain_score)


def test_a_network_that_is_not_there_or_for_something_else_is_refused(network_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(network_folder, tmp_path / "tissue"))
    content = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**content, "task": "tissue"}), encoding="utf-8")

    for named, says in ((str(folder), "is a network of the task tissue"), ("nothing", "there is no network nothing")):
        settings = AssessSettings.model_validate({"artefact": {"stage": "network", "network": named}})
        with pytest.raises(WeightsError, match=says):
            artefact_stage(settings)
