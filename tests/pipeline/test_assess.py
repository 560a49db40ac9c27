from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from qc.artefact.choose import artefact_stage
from qc.artefact.classical.stage import ClassicalStage
from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.errors import TruncatedSlideError
from qc.geometry import Mpp
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.maps import coverage, tissue_in
from qc.pipeline.assess import assess_slide, look
from qc.pipeline.mapping import map_artefacts, plan_reading
from qc.record import Stamp
from qc.slide.memory import MemorySlide

_SETTINGS = AssessSettings()


def assess(slide, threads=2, progress=lambda done, total: None):
    stamp = Stamp(slide_id="a", path="/a", slide_fingerprint="", settings_fingerprint="", software_version="0")
    stage = artefact_stage(_SETTINGS)
    return assess_slide(slide, stamp, _SETTINGS, load_profile("default"), stage, threads, progress)


@dataclass(frozen=True)
class HalfReadableSlide(MemorySlide):
    """Level 0 cannot be decoded left of `bad_until`; coarser levels can."""

    bad_until: int = 0
    failures: list = field(default_factory=list)

    def read(self, level, x, y, size):
        if level == 0 and x < self.bad_until:
            self.failures.append((x, y))
            raise TruncatedSlideError("half.svs cannot be decoded", "copy it again")
        return super().read(level, x, y, size)


def half_readable(slide, bad_until):
    return HalfReadableSlide(slide.pixels, slide.mpp, "half.svs", bad_until=bad_until)


@pytest.fixture(scope="module")
def whole(memory_slide):
    return assess(memory_slide)


def test_clean_tissue_is_found_clean(whole):
    record = whole.record

    assert all("focus score" in finding.reason for finding in record.findings)  # drawn nuclei have soft edges
    assert record.coverage["clean"].share > 0.95
    assert 1.0 < record.tissue_mm2 < 2.2
    assert record.usable_mm2 == pytest.approx(record.coverage["clean"].area_mm2)


def test_shares_of_a_record_add_up_to_one_and_its_areas_to_the_tissue(whole):
    coverages = whole.record.coverage.values()

    assert sum(amount.share for amount in coverages) == pytest.approx(1)
    assert sum(amount.area_mm2 for amount in coverages) == pytest.approx(whole.record.tissue_mm2)


def test_every_tissue_cell_of_a_readable_slide_is_assessed(whole):
    is_tissue = tissue_in(whole.tissue, whole.artefacts.grid, whole.artefacts.grid.window)

    assert not (whole.artefacts.classes[is_tissue] == ArtefactClass.UNASSESSED).any()


def test_the_number_of_threads_changes_nothing(memory_slide, whole):
    alone = assess(memory_slide, threads=1)

    assert np.array_equal(alone.artefacts.classes, whole.artefacts.classes)
    assert alone.record.model_copy(update={"seconds": whole.record.seconds}) == whole.record


def test_progress_counts_every_tile_once_and_ends_at_all(memory_slide):
    calls = []

    record = assess(memory_slide, progress=lambda done, total: calls.append((done, total))).record

    assert calls == [(i, record.tiles) for i in range(1, record.tiles + 1)]


def test_tissue_that_cannot_be_read_is_unassessed_and_never_clean(memory_slide, whole):
    slide = half_readable(memory_slide, 900)

    partly = assess(slide)

    assert 0 < partly.record.tiles_unread <= len(slide.failures) <= partly.record.tiles
    assert partly.record.verdict is not Verdict.USABLE
    assert partly.record.coverage["unassessed"].share > 0.2
    assert partly.record.tissue_mm2 == pytest.approx(whole.record.tissue_mm2, rel=0.02)
    unread = slice(0, 512)  # map cells under the first two columns of tiles
    is_tissue = tissue_in(partly.tissue, partly.artefacts.grid, partly.artefacts.grid.window)[:, unread]
    assert (partly.artefacts.classes[:, unread][is_tissue] == ArtefactClass.UNASSESSED).all()


def test_a_slide_that_is_mostly_unreadable_is_refused_as_truncated(memory_slide):
    with pytest.raises(TruncatedSlideError, match="tissue tiles"):
        assess(half_readable(memory_slide, 2200))


def test_a_defocused_half_is_named_and_lowers_the_verdict(tissue_rgb):
    blurred = tissue_rgb.copy()
    blurred[:, 1100:] = cv2.GaussianBlur(tissue_rgb, (0, 0), 3.0)[:, 1100:]

    result = assess(MemorySlide(blurred, Mpp(1.0)))

    assert result.record.coverage["out_of_focus"].share == pytest.approx(0.5, abs=0.15)
    assert result.record.verdict is Verdict.REJECT
    assert "out of focus" in result.record.reason


def test_tissue_cut_by_the_right_and_bottom_edge_is_covered_to_the_last_cell(tissue_rgb):
    slide = MemorySlide(np.ascontiguousarray(tissue_rgb[:1003, :1213]), Mpp(1.0))

    result = assess(slide)

    is_tissue = tissue_in(result.tissue, result.artefacts.grid, result.artefacts.grid.window)
    assert is_tissue[-12:].any()
    assert is_tissue[:, -12:].any()
    unassessed = is_tissue & (result.artefacts.classes == ArtefactClass.UNASSESSED)
    assert not unassessed[:-1, :-1].any()  # the last cells reach half a cell beyond the slide
    assert coverage(result.artefacts, result.tissue).tissue_mm2 == pytest.approx(result.record.tissue_mm2)


def test_a_slide_too_coarse_for_focus_is_looked_at_by_a_person(tissue_rgb):
    coarse = cv2.resize(tissue_rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)

    record = assess(MemorySlide(np.asarray(coarse, np.uint8), Mpp(3.0))).record

    assert np.isnan(record.focus_score)
    assert record.verdict is not Verdict.USABLE
    assert "focus could not be judged" in record.reason


def test_glass_between_tissue_is_glass_on_the_map_not_unassessed(whole):
    classes = whole.artefacts.classes

    assert (classes == ArtefactClass.UNASSESSED).sum() == 0
    assert (classes == ArtefactClass.GLASS).sum() > 100_000


def test_suspicion_is_carried_on_request_and_says_one_where_the_map_has_an_artefact(tissue_rgb):
    blurred = tissue_rgb.copy()
    blurred[:, 1100:] = cv2.GaussianBlur(tissue_rgb, (0, 0), 3.0)[:, 1100:]
    slide, stage = MemorySlide(blurred, Mpp(1.0)), ClassicalStage(_SETTINGS.classical)
    sight = look(slide, _SETTINGS)
    plan = plan_reading(slide, sight.tissue, _SETTINGS.reading, stage.reach_um, stage.cut_px)

    without = map_artefacts(slide, sight, plan, _SETTINGS, stage)
    asked = map_artefacts(slide, sight, plan, _SETTINGS, stage, with_suspicion=True)

    assert without.suspicion is None
    assert asked.suspicion is not None
    is_tissue = tissue_in(sight.tissue, asked.artefacts.grid, asked.artefacts.grid.window)
    assert not np.nan_to_num(asked.suspicion[~is_tissue]).any()  # rules call nothing on glass
    called = np.isin(asked.artefacts.classes, ARTEFACTS)
    assert called.any()
    assert np.array_equal(asked.suspicion[is_tissue], called[is_tissue].astype(np.float32))
