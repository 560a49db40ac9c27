from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from qc.cli.main import cli
from qc.cohort.duplicates import Look, Pair, bits_between, groups_of, look_at, near_duplicates
from qc.cohort.overviews import see_file, see_record
from qc.config.split import SplitSettings
from qc.errors import NoTissueError, QCError
from qc.record import Assessed, Failed, Stamp
from qc.slide.files import SlideFile, fingerprint

Rgb = NDArray[np.uint8]
LIMIT = SplitSettings(folds=2).duplicate_bits
GLASS = (243, 242, 244)


def pieces(rgb: Rgb, seed: int) -> Rgb:
    """The drawn slide with parts of its tissue missing, others for each seed."""
    left, rng = rgb.copy(), np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    for _ in range(6):
        centre = int(rng.integers(width // 6, 5 * width // 6)), int(rng.integers(height // 6, 5 * height // 6))
        axes = int(rng.integers(30, width // 6)), int(rng.integers(30, height // 6))
        cv2.ellipse(left, centre, axes, float(rng.uniform(0, 180)), 0, 360, GLASS, -1)
    return left


@pytest.fixture(scope="module")
def slide_rgb(draw: Callable[..., Rgb]) -> Rgb:
    return draw(1000, 900)


def look(rgb: Rgb, mpp: float = 8.0) -> Look:
    return look_at(rgb, np.ones(rgb.shape[:2], np.bool_), mpp, "drawn")


def test_a_turned_darker_coarser_copy_is_a_near_duplicate_and_another_slide_is_not(slide_rgb: Rgb):
    slide = pieces(slide_rgb, 1)
    turned = np.ascontiguousarray(np.rot90(slide[::-1]) * 0.9).astype(np.uint8)
    copy = np.asarray(cv2.resize(turned, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), np.uint8)
    looks = {"slide": look(slide), "copy": look(copy, 8 / 0.7), "other": look(pieces(slide_rgb, 2))}

    pairs = near_duplicates(looks, LIMIT)

    assert [(pair.first, pair.second) for pair in pairs] == [("copy", "slide")]
    assert pairs[0].bits < LIMIT / 2


def test_bits_do_not_depend_on_which_slide_comes_first():
    rng = np.random.default_rng(0)
    looks = [Look(rng.random((8, 256)) < 0.5) for _ in range(5)]

    bits = bits_between(looks)

    assert (bits == bits.T).all()
    assert (np.diag(bits) == 0).all()
    assert bits[0, 1] == min(
        *(np.count_nonzero(looks[0].hashes[0] != way) for way in looks[1].hashes),
        *(np.count_nonzero(looks[1].hashes[0] != way) for way in looks[0].hashes),
    )


def test_slides_joined_by_a_third_are_one_group():
    pairs = [Pair(1, "a", "c"), Pair(2, "b", "c"), Pair(3, "d", "e")]

    assert groups_of(pairs) == (("a", "b", "c"), ("d", "e"))


def test_bare_glass_has_no_look():
    with pytest.raises(NoTissueError, match="drawn shows no tissue"):
        look(np.full((300, 400, 3), GLASS, np.uint8))


def test_the_picture_that_a_run_kept_looks_like_the_slide_itself(
    slide_rgb: Rgb, write_pyramid: Callable[..., Path], tmp_path: Path
):
    rgb = pieces(slide_rgb, 1)
    file = SlideFile(write_pyramid(tmp_path / "a.tiff", rgb, 8.0, 1))
    picture = tmp_path / "overview.jpg"
    cv2.imwrite(str(picture), cv2.cvtColor(cv2.resize(rgb, (800, 720)), cv2.COLOR_RGB2BGR))
    stamp = Stamp(
        slide_id=file.slide_id,
        path=str(file.path),
        slide_fingerprint=fingerprint(file.path),
        settings_fingerprint="s",
        software_version="0",
    )
    failed = Failed(stamp=stamp, reason_code="truncated", reason="r", remedy="m", seconds=1.0)

    seen, kept, unseen = see_file(file), see_record(assessed(stamp), picture), see_record(failed, picture)

    assert seen.look
    assert kept.look
    assert bits_between([seen.look, kept.look])[0, 1] < LIMIT / 2
    assert seen.fingerprint == kept.fingerprint == unseen.fingerprint
    assert unseen.look is None


def assessed(stamp: Stamp) -> Assessed:
    sizes = {"width_px": 1000, "height_px": 900, "mpp": 8.0, "read_mpp": 8.0, "map_mpp": 16.0}
    amounts = {"tissue_mm2": 3.0, "usable_mm2": 1.0, "focus_score": 5.0, "stain_score": 8.0, "coverage": {}}
    texts = dict.fromkeys(("reason", "remedy", "profile", "artefact_stage", "mpp_source", "slide_format"), "x")
    values = {"stamp": stamp, "verdict": "review", "findings": (), "tiles": 4, "tiles_unread": 0, "seconds": 2.0}
    return Assessed.model_validate(values | sizes | amounts | texts)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["split", *arguments])


def test_the_command_refuses_duplicates_of_two_patients_joins_them_when_told_and_finds_them_in_two_parts(
    slide_rgb: Rgb, write_pyramid: Callable[..., Path], tmp_path: Path
):
    first, folder = pieces(slide_rgb, 1), tmp_path / "slides"
    folder.mkdir()
    images = {"a": first, "b": np.ascontiguousarray(np.rot90(first)), "c": pieces(slide_rgb, 2)}
    for name, rgb in images.items():
        write_pyramid(folder / f"{name}.tiff", rgb, 8.0, 1)
    table, out, bad = tmp_path / "cohort.csv", tmp_path / "splits.csv", tmp_path / "bad.csv"
    table.write_text("slide,patient,label\na,1,FL\nb,2,FL\nc,3,FH\n")
    bad.write_text("slide,patient,split\na,1,train\nb,2,test\nc,3,test\n")
    deal = [str(table), "--hold-out", "test=0.5", "--slides", str(folder), "--out", str(out)]

    refused = run(*deal)
    joined = run(*deal, "--merge-duplicates")
    checked = run("--verify", str(out), "--slides", str(folder))
    leaking = run("--verify", str(bad), "--slides", str(folder))

    assert isinstance(refused.exception, QCError)
    assert "slide a of patient 1 and slide b of patient 2 are near-duplicates" in str(refused.exception)
    assert joined.exit_code == 0, joined.output
    assert "patients 1 + 2 stay together" in joined.output
    assert (checked.exit_code, leaking.exit_code) == (0, 1)
    assert "near-duplicates a, b is in test (slide b) and train (slide a)" in leaking.output


def test_settings_that_make_no_split_are_refused(tmp_path: Path):
    table = tmp_path / "cohort.csv"
    table.write_text("slide,patient\na,1\nb,2\n")

    for options in ([], ["--hold-out", "test=1.5"], ["--hold-out", "train=0.2"], ["--hold-out", "test"]):
        refused = run(str(table), *options)

        assert refused.exit_code == 2, refused.output
    assert "--hold-out is NAME=SHARE" in refused.output
