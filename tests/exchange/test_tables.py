import math

import pandas as pd
import pytest

from qc.errors import SettingsError
from qc.exchange.mpp_table import read_mpp_table
from qc.exchange.tables import columns, rows, write_csv, write_parquet
from qc.labels import Verdict
from qc.record import Assessed, ClassCoverage, Failed, Stamp


def stamp(slide_id="a", path="/slides/a.svs"):
    return Stamp(
        slide_id=slide_id, path=path, slide_fingerprint="f", settings_fingerprint="s", software_version="0.1.0"
    )


def failed(reason="no pixels", **where):
    return Failed(
        kind="failed",
        stamp=stamp(**where),
        verdict=Verdict.UNASSESSED,
        reason_code="truncated",
        reason=reason,
        remedy="copy it again",
        seconds=1.0,
    )


def assessed(**changes):
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    coverage = {name: ClassCoverage(share=i / 21, area_mm2=i / 7) for i, name in enumerate(names)}
    values = {
        **{"kind": "assessed", "stamp": stamp("b"), "verdict": Verdict.REVIEW, "reason": "r", "remedy": "m"},
        **{"findings": (), "profile": "default 1", "artefact_stage": "x", "width_px": 100, "height_px": 50},
        **{"mpp": 0.25, "mpp_source": "header", "slide_format": "aperio", "read_mpp": 1.0, "map_mpp": 2.0},
        **{"tissue_mm2": 3.0, "usable_mm2": 1.0, "focus_score": math.nan, "stain_score": 8.0},
        **{"coverage": coverage, "tiles": 4, "tiles_unread": 0, "seconds": 2.0},
    }
    return Assessed(**(values | changes))


def test_every_record_is_a_row_with_the_documented_columns_failed_ones_without_numbers():
    table = rows([assessed(), failed()])

    assert tuple(table.columns) == columns()
    assert table["fold_share"].tolist()[0] == pytest.approx(2 / 21)
    assert table["artefact_share"].tolist()[0] == pytest.approx(20 / 21)
    assert table.loc[1, ["tissue_mm2", "focus_score", "fold_share", "mpp"]].isna().all()
    assert table["reason_code"].tolist() == ["", "truncated"]


@pytest.mark.parametrize("records", [[], [failed()], [assessed()], [assessed(), failed()]])
def test_csv_and_parquet_hold_the_same_table(tmp_path, records):
    table = rows(records)

    write_csv(table, tmp_path / "t.csv")
    write_parquet(table, tmp_path / "t.parquet")

    csv, parquet = pd.read_csv(tmp_path / "t.csv"), pd.read_parquet(tmp_path / "t.parquet")
    assert len(csv) == len(parquet) == len(records)
    assert list(csv.columns) == list(parquet.columns) == list(columns())
    assert parquet["verdict"].tolist() == [str(record.verdict) for record in records]


def test_columns_have_the_same_types_whether_or_not_slides_failed(tmp_path):
    types = []
    for i, records in enumerate(([assessed()], [failed()], [assessed(), failed()])):
        write_parquet(rows(records), tmp_path / f"{i}.parquet")
        types.append(pd.read_parquet(tmp_path / f"{i}.parquet").dtypes.astype(str).to_dict())

    assert types[0] == types[1] == types[2]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_disarmed_in_every_text_column(tmp_path, start):
    evil = f"{start}HYPERLINK(0)"
    table = rows([failed(reason=evil, slide_id=evil, path=evil), assessed(profile=evil)])

    write_csv(table, tmp_path / "t.csv")

    text = (tmp_path / "t.csv").read_bytes().decode()
    assert text.count("HYPERLINK(0)") == text.count(f"'{start}HYPERLINK(0)") == 4


def test_negative_numbers_are_not_text(tmp_path):
    write_csv(rows([assessed(mpp=-1.0)]), tmp_path / "t.csv")

    assert pd.read_csv(tmp_path / "t.csv")["mpp"].tolist() == [-1.0]


@pytest.fixture
def mpp_csv(tmp_path):
    def write(text):
        path = tmp_path / "mpp.csv"
        path.write_text(text)
        return path

    return write


def test_an_mpp_table_is_read_with_spaces_and_further_columns(mpp_csv):
    assert read_mpp_table(mpp_csv("slide,mpp,note\n a.svs , 0.25 ,x\n007,0.5,\n")) == {"a.svs": 0.25, "007": 0.5}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slide;mpp\na;0.25", "columns slide and mpp"),
        ("", "columns slide and mpp"),
        ("slide,mpp\na,0.25\na,0.5", "lists a twice"),
        ("slide,mpp\na,", "mpp of a"),
        ("slide,mpp\na,0", "mpp of a"),
        ("slide,mpp\na,nan", "mpp of a"),
        ('slide,mpp\na,"0,25"', "mpp of a"),
        ("slide,mpp\n,0.25", "without a slide"),
    ],
)
def test_a_wrong_mpp_table_gives_one_sentence(mpp_csv, text, says):
    with pytest.raises(SettingsError, match=says) as caught:
        read_mpp_table(mpp_csv(text))

    assert "\n" not in str(caught.value)
