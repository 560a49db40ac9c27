"""A run folder of four slides made by hand: usable, review, reject and failed; one decision against the verdict."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from PIL import Image

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.config.stage import StageSettings
from qc.exchange.rasters import write_artefact_map
from qc.figures.overlay import draw_overlay
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass, Verdict
from qc.maps import ArtefactMap, TissueMask, coverage
from qc.pipeline.folder import RunFolder
from qc.record import Assessed, ClassCoverage, Failed, FindingRow, Stamp
from qc.store.database import Store, sqlite_url
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role

GRID = Grid(Size(4000, 3000), Mpp(0.5), Mpp(2.0))
FIRST = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
NAME = "Mueller_Anna"


def a_map(*squares):
    """Tissue in the middle; each square is a class, its left and top cell and its side."""
    classes = np.full(GRID.shape, ArtefactClass.GLASS, np.uint8)
    classes[100:650, 100:900] = ArtefactClass.CLEAN
    for cls, x, y, side in squares:
        classes[y : y + side, x : x + side] = cls
    return ArtefactMap(classes, GRID)


def a_record(slide_id, artefacts, verdict=Verdict.USABLE, reason="within all limits", remedy="", **changes):
    tissue = TissueMask(artefacts.classes != ArtefactClass.GLASS, GRID)
    covered = coverage(artefacts, tissue)
    findings = () if verdict is Verdict.USABLE else (FindingRow(verdict=verdict, reason=reason, remedy=remedy),)
    values = {
        **{"stamp": a_stamp(slide_id), "verdict": verdict, "reason": reason, "remedy": remedy, "findings": findings},
        **{"profile": "default 2", "artefact_stage": "classical 1", "width_px": 4000, "height_px": 3000, "mpp": 0.5},
        **{"mpp_source": "header", "slide_format": "aperio", "read_mpp": 1.0, "map_mpp": 2.0, "tiles": 9},
        **{"tiles_unread": 0, "tissue_mm2": covered.tissue_mm2, "usable_mm2": covered.area_mm2(ArtefactClass.CLEAN)},
        **{"focus_score": 7.0, "stain_score": 8.0, "domain_distance": 0.4, "seconds": 2.0},
        "coverage": {
            c.name.lower(): ClassCoverage(share=covered.share(c), area_mm2=covered.area_mm2(c)) for c in covered.cells
        },
    }
    return Assessed(**(values | changes))


def a_stamp(slide_id, fingerprint="f" * 64):
    return Stamp(
        slide_id=slide_id,
        path=f"/archive/{NAME}/{NAME}-{slide_id}.svs",
        slide_fingerprint=fingerprint,
        settings_fingerprint="s" * 64,
        software_version="0.1.0",
    )


def write_slide(run, record, artefacts):
    folder = run.slide(record.stamp.slide_id)
    write_artefact_map(artefacts, folder.artefacts)
    small = cv2.resize(artefacts.classes, (800, 600), interpolation=cv2.INTER_NEAREST)
    rgb = np.where((small == ArtefactClass.GLASS)[..., None], (243, 242, 244), (222, 140, 180)).astype(np.uint8)
    Image.fromarray(rgb).save(folder.overview)
    tissue = TissueMask(artefacts.classes != ArtefactClass.GLASS, GRID)
    draw_overlay(rgb, artefacts, tissue, "title").save(folder.overlay)
    folder.write_record(record)


@pytest.fixture(scope="module")
def make_map():
    return a_map


@pytest.fixture(scope="module")
def make_record():
    return a_record


@pytest.fixture(scope="module")
def ann():
    return Actor(subject="ann", name="Ann", role=Role.TECHNICIAN)


@pytest.fixture(scope="module")
def run(tmp_path_factory, ann):
    """The run folder; results are a day apart, the decision comes last."""
    run = RunFolder(tmp_path_factory.mktemp("reported") / "run")
    with run.locked():
        note = run.begin(AssessSettings(artefact=StageSettings(stage="rules")), load_profile("default"), "0.1.0")
    maps = {
        "fine": a_map((ArtefactClass.PEN, 200, 200, 20)),
        "airy": a_map((ArtefactClass.BUBBLE, 300, 200, 240), (ArtefactClass.FOLD, 700, 300, 60)),
        "folded": a_map((ArtefactClass.FOLD, 150, 150, 400)),
    }
    records = [
        a_record("fine", maps["fine"]),
        a_record("airy", maps["airy"], Verdict.REVIEW, "bubble 13 % of tissue, limit 5 %", "re-coverslip and re-scan"),
        a_record("folded", maps["folded"], Verdict.REJECT, "fold 36 % of tissue, limit 25 %", "re-cut"),
    ]
    for record in records:
        write_slide(run, record, maps[record.stamp.slide_id])
    broken = Failed(
        stamp=a_stamp("broken", ""),
        reason_code="truncated",
        reason=f"{NAME}-broken.svs cannot be decoded",
        remedy="copy it again",
        seconds=0.1,
    )
    run.slide("broken").write_record(broken)
    clock = iter(FIRST + timedelta(days=i) for i in range(-1, 100))  # the run itself takes the first
    store = Store(sqlite_url(run.store), now=lambda: next(clock))
    store.begin_run(note.run_id, note.settings_fingerprint, "0.1.0", "default", "{}")
    for record in (*records, broken):
        store.save(note.run_id, record)
    key = SlideKey(run_id=note.run_id, slide_id="airy", slide_fingerprint="f" * 64)
    choice = Choice(action=Action.ACCEPT, reason=Reason.FALSE_ALARM, note="no <air> & all good", could_be_used=True)
    store.decide(ann, key, choice)
    store.close()
    return run
