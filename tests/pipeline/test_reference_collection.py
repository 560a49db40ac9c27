"""Real files end to end: each gives the right row, and a real metastasis is not thrown away."""

from pathlib import Path

import numpy as np
import pytest

from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.config.stage import StageSettings
from qc.exchange.rasters import read_artefact_map
from qc.geometry import Mpp, Window
from qc.labels import ARTEFACTS, Verdict
from qc.pipeline.folder import RunFolder
from qc.pipeline.run import assess_many
from qc.record import Assessed, Failed
from qc.slide.files import SlideFile, find_slides

pytestmark = pytest.mark.data

REASONS = {
    "cmu-1-small-region.svs": "",
    "mucosa-biopsy.tif": "",
    "spleen-bubbles.tif": "",
    "tcga-cr-7395.svs": "mpp_missing",
    "kidney-48-5.tif": "mpp_missing",
    "lymph-node-metastasis-he.tif": "mpp_implausible",
    "lymph-node-metastasis-cytokeratin.tif": "mpp_implausible",
    "jpeg.dcm": "mpp_implausible",
    "jpeg2000.dcm": "mpp_implausible",
    "raw.dcm": "mpp_implausible",
    "boxes.tiff": "mpp_implausible",
    "fluorescence-test3-dapi-2-387.ndpi": "not_brightfield",
    "broken.svs": "unopenable",
    "unopenable.tiff": "unopenable",
    "unreadable.svs": "too_small",
    "small.svs": "too_small",
    "boxes_0.dcm": "too_small",
}
METASTASIS_UM = (1120.0, 2500.0, 1340.0, 2700.0)  # left, top, right, bottom at 1.2 um per pixel


def test_every_real_file_gives_the_right_row(qc_data: Path, tmp_path: Path) -> None:
    files = find_slides([qc_data / "slides"])

    records = assess_many(files, RunFolder(tmp_path / "run"), AssessSettings(), load_profile("default"))

    found = {Path(r.stamp.path).name: r.reason_code if isinstance(r, Failed) else "" for r in records}
    assert found == REASONS
    assert all(r.remedy for r in records if isinstance(r, Failed))


def test_rules_leave_a_micrometastasis_in_an_immunostain_alone(qc_data: Path, tmp_path: Path) -> None:
    file = SlideFile(qc_data / "slides" / "pyramids" / "lymph-node-metastasis-cytokeratin.tif", Mpp(1.2))
    run = RunFolder(tmp_path / "run")

    assess_many([file], run, AssessSettings(artefact=StageSettings(stage="rules")), load_profile("metastasis"))

    found = read_artefact_map(run.slide(file.slide_id).artefacts)
    left, top, right, bottom = (round(um / found.grid.cell_mpp) for um in METASTASIS_UM)
    around = found.classes[Window(left, top, right - left, bottom - top).slices]
    assert np.isin(around, ARTEFACTS).mean() < 0.01


def test_an_immunostain_goes_to_review_because_no_network_was_trained_on_any(qc_data: Path, tmp_path: Path) -> None:
    file = SlideFile(qc_data / "slides" / "pyramids" / "lymph-node-metastasis-cytokeratin.tif", Mpp(1.2))

    (record,) = assess_many([file], RunFolder(tmp_path / "run"), AssessSettings(), load_profile("metastasis"))

    assert isinstance(record, Assessed)
    assert record.domain_distance > 1
    assert record.verdict is Verdict.REVIEW
    assert "colours" in record.reason
