import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from qc.cohort.assign import part_sizes
from qc.cohort.balance import balance
from qc.cohort.duplicates import Pair
from qc.cohort.files import cohort_of, filled, read_placed, write_split
from qc.cohort.split import Placed, plan_split
from qc.cohort.strata import traits
from qc.cohort.units import make_units
from qc.cohort.verify import find_leaks, with_cohort
from qc.cohort_table import Cohort, CohortSlide
from qc.config.split import SplitSettings, StratifySpec
from qc.errors import SettingsError
from qc.manifest import Manifest, ManifestNote, read_manifest, slide_frame, tile_frame, write_manifest

NAN = float("nan")
BY_LABEL_AND_AGE = (StratifySpec(column="label"), StratifySpec(column="age", bins=3))
HOLD_OUT = {"test": 0.2, "validation": 0.2}


def cohort(*lines: tuple[str, str, str, float]) -> Cohort:
    slides = (CohortSlide(slide, patient, label, {"age": age}) for slide, patient, label, age in lines)
    return Cohort(tuple(slides), ("age",), ())


def many(patients: int = 60, seed: int = 3) -> Cohort:
    """Older patients have the disease more often, as in the clinic."""
    draw = random.Random(seed)
    lines = []
    for patient in range(patients):
        age = draw.gauss(65, 12)
        label = "tumour" if draw.random() < (age - 40) / 50 else "reactive"
        lines += [(f"s{patient}-{i}", f"p{patient}", label, age) for i in range(draw.randint(1, 3))]
    return cohort(*lines)


tables = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from(("FL", "FH", "")), st.one_of(st.just(NAN), st.integers(20, 90))),
    min_size=1,
    max_size=40,
).map(lambda rows: cohort(*((f"s{i}", f"p{p}", label, float(age)) for i, (p, label, age) in enumerate(rows))))
plans = st.sampled_from(
    [
        SplitSettings(folds=2, stratify=BY_LABEL_AND_AGE),
        SplitSettings(folds=3, hold_out={"test": 0.25}, seed=4),
        SplitSettings(hold_out=HOLD_OUT, stratify=BY_LABEL_AND_AGE, seed=2),
    ]
)


@given(tables, plans, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_whatever_the_table_and_its_order_each_patient_is_in_one_part_of_the_right_size(table, plan, shuffler):
    patients = len({line.patient for line in table.slides})
    lines = list(table.slides)
    shuffler.shuffle(lines)
    try:
        sizes = part_sizes(patients, plan.parts)
    except SettingsError:
        with pytest.raises(SettingsError, match="too few"):
            plan_split(table, plan)
        return

    split = plan_split(table, plan)

    assert plan_split(Cohort(tuple(lines), table.numeric, table.categorical), plan) == split
    assert sorted(split.part_of) == sorted(line.slide for line in table.slides)
    part_of_patient = {(one.patient, one.part) for one in split.slides}
    assert len(part_of_patient) == patients
    assert Counter(part for _, part in part_of_patient) == sizes
    assert find_leaks(split.slides) == ()


@given(st.integers(4, 40), st.data())
@settings(max_examples=40, deadline=None)
def test_any_leak_is_found(patients: int, data: st.DataObject):
    slides = list(plan_split(many(patients), SplitSettings(folds=2)).slides)
    at, other = data.draw(st.permutations(range(len(slides))).map(lambda order: order[:2]))
    kind = data.draw(st.sampled_from(["patient", "slide", "file", "fingerprint", "near-duplicates", "unknown patient"]))
    shared = {"file": "path", "near-duplicates": "duplicates"}.get(kind, kind)
    changes = {"unknown patient": {"patient": ""}}.get(kind, {shared: "leaking"})
    for i, part in ((at, "fold-1"), (other, "fold-2")):
        slides[i] = Placed(**{**vars(slides[i]), **changes, "part": part})

    leaks = find_leaks(slides)

    assert kind in {leak.kind for leak in leaks}


def test_stratified_parts_are_more_alike_than_random_ones():
    table = many(100)
    units = make_units(table.slides)
    names = [f"fold-{i}" for i in range(1, 6)]
    worst = {"stratified": [], "random": []}

    for seed in range(5):
        plan = SplitSettings(folds=5, stratify=BY_LABEL_AND_AGE, seed=seed)
        worst["stratified"].append(max(abs(row.smd) for row in plan_split(table, plan).balance if row.smd == row.smd))
        parts = [""] * len(units)
        for name, (_, test) in zip(names, KFold(5, shuffle=True, random_state=seed).split(units), strict=True):
            for i in test:
                parts[i] = name
        worst["random"].append(max(abs(r.smd) for r in balance(table, units, parts, names) if r.smd == r.smd))

    assert max(worst["stratified"]) < 0.35
    assert sum(worst["stratified"]) < 0.6 * sum(worst["random"])


@pytest.mark.parametrize("seed", range(6))
def test_of_a_handful_of_patients_both_labels_are_in_each_part_whatever_else_is_stratified(seed: int):
    ages = {"FH": (40, 45, 55, 60), "FL": (50, 65, 70, 75)}
    table = cohort(*((f"s{age}", f"p{age}", label, float(age)) for label, own in ages.items() for age in own))
    halves = (StratifySpec(column="label"), StratifySpec(column="age", bins=2))

    dealt = plan_split(table, SplitSettings(folds=2, stratify=halves, seed=seed))

    assert Counter((one.part, one.label) for one in dealt.slides) == {
        (part, label): 2 for part in ("fold-1", "fold-2") for label in ("FH", "FL")
    }


def test_a_split_says_how_much_more_alike_its_parts_are_than_random_ones(tmp_path: Path):
    table = many(100)

    dealt = plan_split(table, plan := SplitSettings(folds=5, stratify=BY_LABEL_AND_AGE, seed=1))
    unstratified = plan_split(table, SplitSettings(folds=5, seed=1)).likeness

    found = dealt.likeness
    worst = max(dealt.balance, key=lambda row: abs(row.smd) if row.smd == row.smd else -1.0)
    assert found.columns == ("label", "age")
    assert found.largest == abs(worst.smd)
    assert found.where == f"{worst.column} {worst.value}".strip() + f" in {worst.part}"
    assert found.largest < 0.6 * found.random_median
    assert 0.6 < unstratified.largest / unstratified.random_median < 1.7
    write_split(dealt, plan, tmp_path / "s.csv")
    assert json.loads((tmp_path / "s.json").read_text())["likeness"]["random_median"] == found.random_median


def test_parts_in_which_nothing_varies_cannot_be_compared():
    same = cohort(*((f"s{i}", f"p{i}", "FL", NAN) for i in range(6)))

    found = plan_split(same, SplitSettings(folds=2)).likeness

    assert (found.largest, found.where) == (0.0, "label FL in fold-1")


def test_the_share_of_a_label_is_right_to_one_patient_in_each_part():
    table = many(90)
    plan = SplitSettings(hold_out=HOLD_OUT, stratify=(StratifySpec(column="label"),))

    rows = [row for row in plan_split(table, plan).balance if (row.column, row.value) == ("label", "tumour")]

    tumours = sum(row.count for row in rows)
    assert all(abs(row.count - plan.parts[row.part] * tumours) <= 1 for row in rows)


def test_a_patient_with_two_labels_counts_for_both():
    table = cohort(("a", "1", "FL", 60.0), ("b", "1", "FH", NAN), ("c", "2", "FL", NAN), ("d", "2", "FL", 70.0))

    own = traits(table, make_units(table.slides), (StratifySpec(column="label"), StratifySpec(column="age", bins=2)))

    assert {("label", "FL"), ("label", "FH"), ("label", "FH", "age", "bin 1")} <= own[0]
    assert own[1] == {("label", "FL"), ("age", "bin 2"), ("label", "FL", "age", "bin 2")}


def test_near_duplicates_of_two_patients_are_refused_or_keep_them_together():
    table, pairs = many(20), [Pair(12, "s1-0", "s2-0"), Pair(30, "s2-0", "s3-0")]

    with pytest.raises(SettingsError, match="s1-0 of patient p1 and slide s2-0 of patient p2") as caught:
        plan_split(table, SplitSettings(folds=4), pairs)
    merged = plan_split(table, SplitSettings(folds=4, merge_duplicates=True), pairs)

    assert "--merge-duplicates" in caught.value.hint
    assert len({merged.part_of[slide] for slide in ("s1-0", "s2-0", "s3-0")}) == 1
    assert any("p1 + p2 + p3" in note for note in merged.notes)


def test_equal_content_is_a_duplicate_even_when_no_picture_was_compared():
    with pytest.raises(SettingsError, match=r"near-duplicates \(0 of 256 bits differ\)"):
        plan_split(many(20), SplitSettings(folds=4), (), {"s1-0": "abc", "s2-0": "abc", "s3-0": "d"})


@pytest.mark.parametrize(
    ("stratify", "sentence"),
    [
        (StratifySpec(column="weight"), "no column weight to stratify by; choose among label, age"),
        (StratifySpec(column="age"), r"column age has 20 values for 20 patients; give it quantile bins \(age:4\)"),
        (StratifySpec(column="label", bins=2), "column label holds text and has no quantiles"),
    ],
)
def test_a_column_that_cannot_be_stratified_by_is_refused(stratify: StratifySpec, sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        plan_split(many(20), SplitSettings(folds=2, stratify=(stratify,)))


def test_a_split_is_read_back_as_it_was_written(tmp_path: Path):
    plan = SplitSettings(folds=3, merge_duplicates=True)
    split = plan_split(many(12), plan, [Pair(3, "s1-0", "s2-0")], {"s1-0": "=f1"})

    others = write_split(split, plan, tmp_path / "splits.csv")

    assert read_placed(tmp_path / "splits.csv") == list(split.slides)
    assert [path.name for path in others] == ["splits.balance.csv", "splits.json"]


def manifest(splits: dict[str, str], patients: dict[str, str]) -> Manifest:
    """Two tiles of each slide; slides `x` and `y` are one file in two folders."""
    tiles, slides = [], []
    for slide, split in splits.items():
        whose = {"slide_id": slide, "path": f"/{slide}/s.svs", "patient": patients[slide], "label": "FL"}
        shares = {"tissue": 1.0, "clean": 1.0} | dict.fromkeys(
            ("fold", "foreign", "pen", "bubble", "out_of_focus", "unassessed"), 0.0
        )
        place = {"y_level0": 0, "width_level0": 512, "height_level0": 512, "tile_px": 256}
        more = {"tile_mpp": 0.5, "slide_mpp": 0.25, "is_kept": True, "reason": "", "settings_fingerprint": "f"}
        tiles += [{**whose, **shares, **place, **more, "split": split, "x_level0": x} for x in (0, 512)]
        size = {"width_level0": 900 if slide in "xy" else 10 * ord(slide), "height_level0": 700, "slide_mpp": 0.25}
        slides.append({**whose, **size, "verdict": "usable", "status": "kept", "candidates": 2, "kept": 2, "age": 50.0})
    note = ManifestNote(
        software_version="0",
        settings_fingerprint="f",
        runs=("r",),
        profile="default 1",
        filter_settings={},
        filter_fingerprint="g",
    )
    return Manifest(tile_frame(tiles), slide_frame(slides), note)


def test_a_manifest_is_split_filled_and_found_without_leaks(tmp_path: Path):
    bare = manifest(dict.fromkeys("abcd", ""), {"a": "1", "b": "1", "c": "2", "d": "3"})
    table = cohort_of(bare)
    split = plan_split(table, SplitSettings(folds=3))

    write_manifest(filled(bare, table, split.part_of), tmp_path / "m.parquet")

    placed = read_placed(tmp_path / "m.parquet")
    assert {one.slide: one.part for one in placed} == split.part_of
    assert set(read_manifest(tmp_path / "m.parquet").tiles["split"]) == {"fold-1", "fold-2", "fold-3"}
    assert find_leaks(placed) == ()


def test_one_file_under_two_paths_of_a_manifest_is_a_leak(tmp_path: Path):
    write_manifest(
        manifest({"x": "train", "y": "test", "z": "test"}, {"x": "1", "y": "2", "z": "3"}), tmp_path / "m.parquet"
    )

    leaks = find_leaks(read_placed(tmp_path / "m.parquet"))

    assert [leak.sentence for leak in leaks] == [
        "near-duplicates s.svs, 900 x 700 px is in test (slide y) and train (slide x)"
    ]


def test_the_cohort_table_says_whose_slides_a_manifest_holds(tmp_path: Path):
    write_manifest(manifest({"a": "train", "b": "test"}, {"a": "", "b": ""}), tmp_path / "m.parquet")
    placed = read_placed(tmp_path / "m.parquet")
    same = Cohort((CohortSlide("a", "1", "", {}), CohortSlide("b", "1", "", {})), (), ())

    assert [leak.kind for leak in find_leaks(placed)] == ["unknown patient", "unknown patient"]
    assert [leak.sentence for leak in find_leaks(with_cohort(placed, same))] == [
        "patient 1 is in test (slide b) and train (slide a)"
    ]


def test_a_manifest_that_was_never_split_is_not_called_free_of_leaks(tmp_path: Path):
    write_manifest(manifest({"a": ""}, {"a": "1"}), tmp_path / "m.parquet")

    with pytest.raises(SettingsError, match="puts no slide in any part"):
        read_placed(tmp_path / "m.parquet")
