"""Timing: the very pixels of an assessment are read again, and the ratio is what it says."""

from pathlib import Path

import pytest

from qc.bench.report import benchmark_markdown
from qc.bench.slides import Timing, time_slide, with_stage
from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.geometry import Size
from qc.phantom.large import write_large
from qc.slide.files import SlideFile
from qc.slide.reader import OpenSlideSlide


def test_an_assessment_is_timed_against_its_own_reads(pyramid_tiff: Path) -> None:
    timing = time_slide(
        SlideFile(pyramid_tiff), with_stage(AssessSettings(), "rules"), load_profile("default"), repeats=2, threads=2
    )

    assert timing.megapixels > timing.tissue_mm2  # at 1 um a pixel a square millimetre is a megapixel
    assert min(*timing.decode_1, *timing.decode_n, *timing.assess) > 0
    assert timing.ratio_1 > 1
    report = benchmark_markdown([timing], "there is no network artefact-1", "qc bench x")
    assert f"| {timing.slide_id} | rules |" in report
    assert "Not timed: there is no network artefact-1." in report


def test_the_ratio_is_the_median_of_pairs() -> None:
    timing = Timing("s", "rules", Size(1, 1), 1.0, 1.0, (1.0, 2.0, 4.0), (1.0, 1.0, 1.0), (3.0, 4.0, 20.0), 2, 100.0)

    assert timing.ratio_1 == pytest.approx(3.0)
    assert timing.ratio_n == pytest.approx(4.0)


def test_a_large_slide_opens_with_its_size_and_mpp(tmp_path: Path) -> None:
    write_large(tmp_path / "large.tiff", 8000)

    slide = OpenSlideSlide(tmp_path / "large.tiff")

    assert slide.size == Size(8192, 8192)
    assert slide.mpp == pytest.approx(0.5)
    assert [level.downsample for level in slide.levels] == [1, 2, 4, 8, 16]
    assert (slide.read(0, 0, 0, Size(512, 512)) == slide.read(0, 4096, 4096, Size(512, 512))).all()
