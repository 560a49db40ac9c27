import math
from pathlib import Path

import pytest

from qc.cohort_table import read_cohort
from qc.errors import SettingsError


def write(folder: Path, text: str) -> Path:
    path = folder / "cohort.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_and_texts_are_told_apart_and_missing_values_stay_missing(tmp_path: Path):
    path = write(tmp_path, "\ufeffslide, patient,label,age,sex\na,007,FL,71,m\nb,7,,NA,\n")

    cohort = read_cohort(path)

    assert (cohort.numeric, cohort.categorical) == (("age",), ("sex",))
    assert [line.patient for line in cohort.slides] == ["007", "7"]
    assert cohort.slides[0].clinical == {"age": 71.0, "sex": "m"}
    assert cohort.slides[1].label == ""
    assert math.isnan(float(cohort.slides[1].clinical["age"]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("slide,label\na,FL\n", "has no column patient"),
        ("slide,patient\n", "lists no slides"),
        ("slide,patient\na,\n", "slide a has no patient"),
        ("slide,patient\na,1\na,2\n", "lists slide a twice, with patients 1 and 2"),
        ("slide,patient\na,1,2\n", "has 2 columns, but 3"),
        ("slide,patient,age,age\na,1,2,3\n", "two columns age"),
        ("slide,patient,age\na,1,inf\n", "column age holds an infinite number"),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str):
    path = write(tmp_path, text)

    with pytest.raises(SettingsError, match=sentence) as caught:
        read_cohort(path)

    assert caught.value.hint


def test_a_slide_is_found_by_id_path_name_or_stem(tmp_path: Path):
    cohort = read_cohort(write(tmp_path, "slide,patient\na-1234,1\n/lab/b.svs,2\nc.svs,3\nd,4\n"))

    found = cohort.match({"a-1234": "/x/a.svs", "b-1": "/lab/b.svs", "c-1": "/x/c.svs", "d-1": "/x/d.svs", "e": "/e"})

    assert {slide: line.patient for slide, line in found.items()} == {"a-1234": "1", "b-1": "2", "c-1": "3", "d-1": "4"}


def test_a_file_name_that_occurs_in_two_folders_is_not_guessed(tmp_path: Path):
    cohort = read_cohort(write(tmp_path, "slide,patient\na.svs,1\n"))

    with pytest.raises(SettingsError, match=r"a\.svs fits both /x/a\.svs and /y/a\.svs"):
        cohort.match({"a-1": "/x/a.svs", "a-2": "/y/a.svs"})
