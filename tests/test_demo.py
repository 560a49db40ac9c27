"""The demo and the doctor: what a newcomer runs first."""

import json
from pathlib import Path

import pandas as pd
from click.testing import CliRunner

from qc.cli.main import cli
from qc.demo import demo_cohort_path
from qc.phantom import load_cohort

_COHORT = """
name = "tiny"
[[slides]]
name = "one"
width_mm = 2.0
height_mm = 1.6
mpp = 1.0
seed = 5
"""


def test_the_demo_assesses_its_slides_and_a_second_call_makes_nothing_again(tmp_path: Path) -> None:
    cohort, folder = tmp_path / "tiny.toml", tmp_path / "demo"
    cohort.write_text(_COHORT)
    arguments = ["demo", "--out", str(folder), "--cohort", str(cohort)]

    first = CliRunner().invoke(cli, arguments)
    written = {path: path.stat().st_mtime_ns for path in folder.glob("slides/*")}
    record = next(folder.glob("run/slides/*/record.json")).read_text()
    second = CliRunner().invoke(cli, arguments)

    assert first.exit_code == second.exit_code == 0
    assert "Where to look next" in first.stdout
    assert len(pd.read_csv(folder / "run" / "slides.csv")) == 1
    assert (folder / "run" / "contact-sheet.jpg").stat().st_size > 5000
    assert {path: path.stat().st_mtime_ns for path in folder.glob("slides/*")} == written
    assert next(folder.glob("run/slides/*/record.json")).read_text() == record


def test_a_changed_specification_is_made_again(tmp_path: Path) -> None:
    cohort, folder = tmp_path / "tiny.toml", tmp_path / "demo"
    arguments = ["demo", "--out", str(folder), "--cohort", str(cohort)]
    cohort.write_text(_COHORT)
    CliRunner().invoke(cli, arguments)
    before = (folder / "slides" / "one.tiff").read_bytes()
    cohort.write_text(_COHORT.replace("seed = 5", "seed = 6"))

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 0
    assert (folder / "slides" / "one.tiff").read_bytes() != before


def test_the_packaged_cohort_is_there_and_valid() -> None:
    assert len(load_cohort(demo_cohort_path()).slides) >= 8


def test_the_doctor_proves_that_a_slide_can_be_read() -> None:
    result = CliRunner().invoke(cli, ["doctor", "--json"])

    findings = json.loads(result.stdout)
    assert result.exit_code == 0
    assert findings["slide formats"]["tiled TIFF through OpenSlide"] == "reads, 0.5 mpp"
    assert set(findings["extras"]) == {"postgres", "pdf", "cluster", "login"}
