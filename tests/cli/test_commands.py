import csv
import io
import json
import shutil

import pytest


@pytest.fixture
def slides(small_tiff, tmp_path):
    folder = tmp_path / "slides"
    folder.mkdir()
    shutil.copy(small_tiff, folder / "good.tiff")
    return folder


def test_good_slides_end_with_zero_and_a_table(qc, slides, tmp_path):
    code, out, _ = qc("assess", slides, "--out", tmp_path / "run")

    assert code == 0
    assert "good-" in out
    assert str(tmp_path / "run") in out


def test_one_failed_slide_ends_with_one_after_all_others_were_done(qc, slides, tmp_path):
    (slides / "a-broken.svs").write_text("no slide")

    code, out, _ = qc("assess", slides, "--out", tmp_path / "run", "--json")

    records = json.loads(out)
    assert code == 1
    assert {record["kind"] for record in records} == {"assessed", "failed"}


def test_json_is_json_even_when_scores_are_nan(qc, slides, tmp_path):
    code, out, _ = qc("assess", slides, "--out", tmp_path / "run", "--json", "--mpp", "4.9")

    (record,) = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert record["focus_score"] is None
    assert record["mpp"] == 4.9


def test_show_prints_the_same_records_as_the_run_did(qc, slides, tmp_path):
    (slides / "broken.svs").write_text("no slide")
    _, assessed, _ = qc("assess", slides, "--out", tmp_path / "run", "--json")

    code, shown, _ = qc("show", tmp_path / "run", "--json")

    assert code == 0
    by_id = {record["stamp"]["slide_id"]: record for record in json.loads(assessed)}
    assert {record["stamp"]["slide_id"]: record for record in json.loads(shown)} == by_id


def test_a_file_name_that_looks_like_markup_or_a_formula_does_no_harm(qc, slides, tmp_path):
    for name in ("=cmd|'calc'!A0.svs", "[bold]x.svs", "-rf.svs"):
        (slides / name).write_text("no slide")

    code, out, _ = qc("assess", slides, "--out", tmp_path / "run")

    assert code == 1
    assert "[bold]x.svs" in "".join(out.split())
    rows = list(csv.reader(io.StringIO((tmp_path / "run" / "slides.csv").read_text())))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "-"))]
    assert [cell for row in rows for cell in row if cell.startswith("'=cmd")]


def test_a_run_inside_the_searched_folder_does_not_assess_its_own_pictures(qc, slides):
    first = qc("assess", slides, "--out", slides / "run", "--json")
    second = qc("assess", slides, "--out", slides / "run", "--json")

    assert first[0] == second[0] == 0
    assert first[1] == second[1]


def test_the_mpp_table_reaches_the_slide(qc, slides, tmp_path):
    (tmp_path / "mpp.csv").write_text("slide,mpp\ngood.tiff,0.8\n")

    _, out, _ = qc("assess", slides, "--out", tmp_path / "run", "--json", "--mpp-table", tmp_path / "mpp.csv")

    assert json.loads(out)[0]["mpp"] == 0.8


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--profile", "lymfoma"], "there is no profile"),
        (["--mpp", "nan"], "no positive number"),
        (["--mpp", "0"], "no positive number"),
        (["--mpp", "inf"], "no positive number"),
        (["--jobs", "0"], "--jobs"),
        (["--settings", "missing.toml"], "missing.toml"),
        (["--store", "nonsense"], "store nonsense cannot be used"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_wrong_option_ends_with_two_and_one_sentence(qc, slides, tmp_path, options, says):
    code, out, err = qc("assess", slides, "--out", tmp_path / "run", *options)

    assert code == 2
    assert says in " ".join(err.split())
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [["assess", "missing.svs", "--out", "x"], ["show", "missing"], ["assess"]])
def test_a_path_that_does_not_exist_ends_with_two(qc, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)

    code, _, err = qc(*command)

    assert code == 2
    assert err
    assert list(tmp_path.iterdir()) == []


def test_an_out_that_is_a_file_ends_with_two(qc, slides, tmp_path):
    (tmp_path / "file").write_text("x")

    code, _, err = qc("assess", slides, "--out", tmp_path / "file")

    assert code == 2
    assert "choose another --out" in err


@pytest.mark.parametrize("command", [["--help"], ["assess", "--help"], ["show", "--help"], ["--version"]])
def test_help_and_version_end_with_zero(qc, command):
    code, out, err = qc(*command)

    assert code == 0
    assert out
    assert err == ""
