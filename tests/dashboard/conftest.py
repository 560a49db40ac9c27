"""What tests of viewer and review share: a run of two drawn slides with known marks and one that was not read."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.rasters import write_artefact_map
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass, Verdict
from qc.maps import ArtefactMap, TissueMask
from qc.pipeline.folder import RunFolder
from qc.record import Assessed, ClassCoverage, Failed, Stamp
from qc.slide.files import SlideFile, fingerprint
from qc.store.database import Store, sqlite_url
from qc.store.people import Actor, Role

sys.path.insert(0, str(Path(__file__).parent))
from serving import CHROMIUM

WIDTH_PX, HEIGHT_PX = 2400, 1800
MARK = (600, 400, 400, 320)
"""x, y, width, height of the black rectangle, level-0 pixels; the map calls exactly this a fold."""
FIBRE_ROW_PX = 1400
"""Top of a line two pixels high that the map calls foreign."""


@dataclass(frozen=True)
class MarkedRun:
    """A run folder with its store."""

    folder: RunFolder
    run_id: str
    records: dict[str, Assessed | Failed]

    @property
    def store_url(self) -> str:
        return sqlite_url(self.folder.store)


@pytest.fixture(scope="session")
def marked_run(tmp_path_factory: pytest.TempPathFactory, write_pyramid) -> MarkedRun:
    """Slides `marked` (black rectangle, called a fold), `plain` (nothing) and `torn` (not read)."""
    return make_marked_run(tmp_path_factory.mktemp("marked"), write_pyramid)


@pytest.fixture
def own_marked_run(tmp_path: Path, write_pyramid) -> MarkedRun:
    """The same, for a test that decides."""
    return make_marked_run(tmp_path, write_pyramid)


@pytest.fixture(scope="session")
def technician() -> Actor:
    return Actor(subject="oidc|tess", name="Tess", role=Role.TECHNICIAN)


@pytest.fixture(scope="session")
def viewer_only() -> Actor:
    return Actor(subject="oidc|vic", name="Vic", role=Role.VIEWER)


def make_marked_run(root: Path, write_pyramid) -> MarkedRun:
    run = RunFolder(root / "run")
    run.root.mkdir(parents=True)
    note = run.begin(AssessSettings(), load_profile("default"), "0")
    store = Store(sqlite_url(run.store))
    store.begin_run(note.run_id, note.settings_fingerprint, "0", "default 1", "{}")
    records: dict[str, Assessed | Failed] = {}
    for name, is_marked in (("marked", True), ("plain", False)):
        rgb, classes = _drawn(is_marked)
        path = write_pyramid(root / f"{name}.tiff", rgb)
        records[name] = _write_slide(run, path, classes, is_marked)
    records["torn"] = _failed(root / "torn.svs")
    run.slide(records["torn"].stamp.slide_id).write_record(records["torn"])
    for record in records.values():
        store.save(note.run_id, record)
    store.close()
    return MarkedRun(run, note.run_id, records)


def _drawn(is_marked: bool) -> tuple[np.ndarray, np.ndarray]:
    rgb = np.full((HEIGHT_PX, WIDTH_PX, 3), (236, 200, 220), np.uint8)
    classes = np.full((HEIGHT_PX // 2, WIDTH_PX // 2), ArtefactClass.CLEAN, np.uint8)
    if is_marked:
        x, y, width, height = MARK
        rgb[y : y + height, x : x + width] = 0
        classes[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = ArtefactClass.FOLD
        classes[FIBRE_ROW_PX // 2, 200:1000] = ArtefactClass.FOREIGN
    return rgb, classes


def _write_slide(run: RunFolder, path: Path, classes: np.ndarray, is_marked: bool) -> Assessed:
    slide_id = SlideFile(path).slide_id
    folder = run.slide(slide_id)
    folder.root.mkdir(parents=True)
    artefacts = ArtefactMap(classes, Grid(Size(WIDTH_PX, HEIGHT_PX), Mpp(1.0), Mpp(2.0)))
    write_artefact_map(artefacts, folder.artefacts)
    tissue = TissueMask(classes != ArtefactClass.GLASS, artefacts.grid)
    write_geojson(feature_collection(artefacts, tissue), folder.geojson)
    mm2 = {cls.name.lower(): float((classes == cls).sum()) * 4e-6 for cls in ArtefactClass if cls.name != "GLASS"}
    total = sum(mm2.values())
    record = Assessed(
        stamp=_stamp(slide_id, path, fingerprint(path)),
        verdict=Verdict.REJECT if is_marked else Verdict.USABLE,
        reason="fold 3 % of tissue, limit 1 %" if is_marked else "within all limits",
        remedy="re-cut" if is_marked else "",
        findings=(),
        profile="default 1",
        artefact_stage="drawn",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        mpp=1.0,
        mpp_source="header",
        slide_format="generic-tiff",
        read_mpp=1.0,
        map_mpp=2.0,
        tissue_mm2=total,
        usable_mm2=mm2["clean"],
        focus_score=7.0,
        stain_score=8.0,
        coverage={name: ClassCoverage(share=area / total, area_mm2=area) for name, area in mm2.items()},
        tiles=1,
        tiles_unread=0,
        seconds=1.0,
    )
    folder.write_record(record)
    return record


def _failed(path: Path) -> Failed:
    return Failed(
        stamp=_stamp(SlideFile(path).slide_id, path, ""),
        reason_code="truncated",
        reason="its pixels cannot be decoded",
        remedy="copy or scan it again",
        seconds=0.1,
    )


def _stamp(slide_id: str, path: Path, content: str) -> Stamp:
    return Stamp(
        slide_id=slide_id,
        path=str(path),
        slide_fingerprint=content,
        settings_fingerprint="0",
        software_version="0",
    )


@pytest.fixture(scope="module")
def browser():
    """A real Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def make_run():
    """Makes a marked run in a folder."""
    return make_marked_run
