import pandas as pd
import pytest

from qc.config.downstream import CompareSettings
from qc.downstream.cases import Part, labelled, parts
from qc.errors import ManifestError, SettingsError


def test_no_patient_is_on_both_sides_of_any_part(tiles: pd.DataFrame) -> None:
    two_slides_each = tiles.assign(person=tiles["slide_id"].str[:2] + (tiles.index // 24).astype(str))

    found = parts(two_slides_each, CompareSettings(folds=2))

    assert len(found) == 2
    for part in found:
        assert not set(part.train["person"]) & set(part.test["person"])
        assert set(part.test["target"]) == {0, 1}
    assert sum(len(part.test) for part in found) == len(tiles)


def test_a_part_that_leaks_a_patient_is_refused(tiles: pd.DataFrame) -> None:
    same = tiles.assign(person=tiles["person"].replace({"fl-1": "one", "fl-3": "one"}))

    with pytest.raises(SettingsError, match="patient one is in training and test of part a"):
        Part("a", same.query("slide_id != 'fl-1'"), same.query("slide_id == 'fl-1'"))


def test_a_manifest_whose_split_parts_a_patient_is_refused(tiles: pd.DataFrame) -> None:
    split = ["train" if i % 2 else "test" for i in range(len(tiles))]

    with pytest.raises(SettingsError, match="in training and test"):
        parts(tiles.assign(split=split), CompareSettings())


def test_named_patients_are_tested_on(tiles: pd.DataFrame) -> None:
    [part] = parts(tiles, CompareSettings(test_patients=("fl-1", "fh-2")))

    assert set(part.test["slide_id"]) == {"fl-1", "fh-2"}
    assert set(part.train["slide_id"]) == set(tiles["slide_id"]) - {"fl-1", "fh-2"}


def test_a_label_without_tiles_is_named(tiles: pd.DataFrame) -> None:
    with pytest.raises(ManifestError, match="no tile is labelled DLBCL; labels are FH, FL"):
        labelled(tiles, ("FH", "DLBCL"))
