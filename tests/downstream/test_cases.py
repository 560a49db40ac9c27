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


def split_in(tiles: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The slides dealt in turn, a pair of different labels to each part."""
    slides = list(dict.fromkeys(tiles["slide_id"]))
    part_of = {slide: names[(i // 2) % len(names)] for i, slide in enumerate(slides)}
    return tiles.assign(split=[part_of[slide] for slide in tiles["slide_id"]])


def test_the_folds_of_a_manifest_are_tested_on_in_turn(tiles: pd.DataFrame) -> None:
    folded = split_in(tiles, "fold-10", "fold-2", "fold-1", "fold-9")

    found = parts(folded, CompareSettings())

    assert [part.name for part in found] == ["fold-1", "fold-2", "fold-9", "fold-10"]
    for part in found:
        assert set(part.test["split"]) == {part.name}
        assert set(part.train["split"]) == {"fold-1", "fold-2", "fold-9", "fold-10"} - {part.name}


@pytest.mark.parametrize(
    ("names", "asked", "tested", "trained"),
    [
        (("train", "test", "validation"), "", "test", {"train"}),
        (("train", "test", "validation"), "validation", "validation", {"train"}),
        (("fold-1", "fold-2", "test"), "", "test", {"fold-1", "fold-2"}),
        (("fold-1", "fold-2", "test"), "fold-1", "fold-1", {"fold-2"}),
    ],
)
def test_one_part_of_a_split_is_tested_on_and_others_that_were_held_out_are_left_alone(
    tiles: pd.DataFrame, names: tuple[str, ...], asked: str, tested: str, trained: set[str]
) -> None:
    [part] = parts(split_in(tiles, *names), CompareSettings(test_split=asked))

    assert set(part.test["split"]) == {tested}
    assert set(part.train["split"]) == trained


@pytest.mark.parametrize(
    ("names", "asked", "says"),
    [
        (("train", "rest"), "", "no part test; it has rest, train"),
        (("fold-1", "fold-2"), "fold-3", "no part fold-3; it has fold-1, fold-2"),
        (("fold-1", "rest"), "fold-1", "no part train; it has fold-1, rest"),
        (("",), "test", "no part test; it has none"),
    ],
)
def test_a_split_without_a_part_that_is_wanted_is_one_sentence(
    tiles: pd.DataFrame, names: tuple[str, ...], asked: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        parts(split_in(tiles, *names), CompareSettings(test_split=asked))


def test_named_patients_are_tested_on(tiles: pd.DataFrame) -> None:
    [part] = parts(tiles, CompareSettings(test_patients=("fl-1", "fh-2")))

    assert set(part.test["slide_id"]) == {"fl-1", "fh-2"}
    assert set(part.train["slide_id"]) == set(tiles["slide_id"]) - {"fl-1", "fh-2"}


def test_a_label_without_tiles_is_named(tiles: pd.DataFrame) -> None:
    with pytest.raises(ManifestError, match="no tile is labelled DLBCL; labels are FH, FL"):
        labelled(tiles, ("FH", "DLBCL"))
