from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qc.config.filter import FilterSettings, changed_settings, filter_settings_for
from qc.errors import SettingsError
from qc.filtering.build import Origin, assembled, filter_slide, refilter
from qc.filtering.candidates import find_candidates, no_candidates
from qc.filtering.rules import causes, reasons
from qc.filtering.standing import SlideFacts
from qc.manifest import ARTEFACT_COLUMNS, CAUSES, CLASS_COLUMNS, Manifest
from qc.maps import ArtefactMap, TissueMask

Maps = tuple[ArtefactMap, TissueMask]
MakeFacts = Callable[..., SlideFacts]
LOOSE = {"tiles": {"tile_px": 256, "tissue_min": 0.3, "hole_um": 0}, "limits": {"unassessed": 0.2}}


def loose(**over: Any) -> FilterSettings:
    return changed_settings(FilterSettings(), None, LOOSE | over)


def built(facts: SlideFacts, maps: Maps | None, chosen: FilterSettings) -> Manifest:
    candidates = find_candidates(*maps, chosen.tiles) if maps else no_candidates()
    part = filter_slide(facts, candidates, chosen, "f", {"patient": "p1", "label": "FL", "age": 61.0})
    return assembled([part], chosen, Origin("f", ("r",), "default 1"))


def tile(**shares: float) -> pd.DataFrame:
    clean = 1 - sum(shares.values())
    return pd.DataFrame([dict.fromkeys(CLASS_COLUMNS, 0.0) | {"clean": clean} | shares]).astype("float32")


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ({"fold": 0.1}, ""),
        ({"fold": 0.31}, "fold 0.31 > 0.1"),
        ({"pen": 0.06, "bubble": 0.4}, "bubble 0.4 > 0.1"),
        ({"fold": 0.09, "foreign": 0.09, "bubble": 0.09}, "artefacts 0.27 > 0.2"),
        ({"unassessed": 0.01}, "unassessed 0.01 > 0"),
    ],
)
def test_the_class_that_covers_most_beyond_its_limit_is_named(shares: dict[str, float], reason: str):
    assert reasons(tile(**shares), FilterSettings()).tolist() == [reason]


def test_an_ignored_class_neither_removes_a_tile_nor_counts_with_the_others():
    ignoring = FilterSettings(ignore=("fold",))

    assert reasons(tile(fold=0.9, bubble=0.09), ignoring).tolist() == [""]
    assert reasons(tile(fold=0.5, bubble=0.2), ignoring).tolist() == ["bubble 0.2 > 0.1"]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), width=st.integers(1500, 6000), height=st.integers(1500, 6000))
def test_accounts_add_up_to_the_tiles(
    seed: int, width: int, height: int, make_maps: Callable[..., Maps], make_facts: MakeFacts
):
    manifest = built(make_facts(), make_maps(seed, width, height), loose(guard={"kept_share_min": 0}))
    row, tiles = manifest.slides.iloc[0], manifest.tiles

    cause = pd.Series(causes(tiles["reason"].tolist()), dtype="str")
    assert row["candidates"] == row["kept"] + sum(row[f"removed_{name}"] for name in CAUSES) == len(tiles)
    assert all(row[f"removed_{name}"] == (cause == name).sum() for name in CAUSES)
    assert row["candidates_mm2"] == pytest.approx(
        row["kept_mm2"] + sum(row[f"removed_{name}_mm2"] for name in CAUSES), abs=1e-9
    )
    assert row["candidates_mm2"] == pytest.approx(tiles["tissue"].to_numpy().sum() * (256 * 0.5 / 1000) ** 2, rel=1e-4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), ignored=st.sets(st.sampled_from(ARTEFACT_COLUMNS), max_size=3))
def test_classes_are_switched_off_later_as_if_they_had_been_from_the_start(
    seed: int, ignored: set[str], make_maps: Callable[..., Maps], make_facts: MakeFacts
):
    maps, switched = make_maps(seed, 4000, 3000), loose(ignore=sorted(ignored))

    later = refilter(built(make_facts(), maps, loose()), switched)
    at_once = built(make_facts(), maps, switched)

    pd.testing.assert_frame_equal(later.tiles, at_once.tiles)
    pd.testing.assert_frame_equal(later.slides, at_once.slides)
    assert later.note == at_once.note


def test_other_tiles_cannot_be_made_from_a_manifest(make_maps: Callable[..., Maps], make_facts: MakeFacts):
    manifest = built(make_facts(), make_maps(), loose())

    with pytest.raises(SettingsError, match="the manifest holds tiles of tile_px 256, not 512; filter the run again"):
        refilter(manifest, changed_settings(loose(), None, {"tiles": {"tile_px": 512}}))


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"verdict": "usable"}, "kept", None),
        ({"verdict": "review", "verdict_reason": "fold 9 %"}, "kept", None),
        ({"verdict": "reject", "verdict_reason": "fold 40 %"}, "excluded", "slide rejected"),
        ({"verdict": "reject", "decision": "accept", "decided_by": "Dr X"}, "kept", None),
        ({"decision": "exclude", "decided_by": "Dr X"}, "excluded", "excluded by Dr X"),
        ({"decision": "re_scan", "decided_by": "Dr X"}, "excluded", "slide to re-scan says Dr X"),
        ({"slide_mpp": 0.7}, "excluded", "slide too coarse"),
    ],
)
def test_a_person_is_heard_before_the_verdict(
    changes: dict[str, Any],
    status: str,
    reason: str | None,
    make_maps: Callable[..., Maps],
    make_facts: MakeFacts,
):
    generous = loose(limits=dict.fromkeys(("fold", "foreign", "pen", "bubble", "out_of_focus", "unassessed"), 1.0))

    manifest = built(make_facts(**changes), make_maps(), generous)

    assert manifest.slides["status"].tolist() == [status]
    assert bool(manifest.kept.empty) is (status != "kept")
    assert set(manifest.tiles["reason"]) == ({reason} if reason else {"", *manifest.tiles["reason"]})


def test_a_slide_that_was_not_assessed_is_accounted_for_without_tiles(make_facts: MakeFacts):
    failed = make_facts(verdict="unassessed", verdict_reason="unopenable", width_level0=0, slide_mpp=0.0)

    slides = built(failed, None, FilterSettings()).slides

    assert slides[["status", "why", "candidates"]].values.tolist() == [["unassessed", "unopenable", 0]]
    assert slides[["patient", "age"]].values.tolist() == [["p1", 61.0]]


def test_a_slide_that_would_give_almost_nothing_goes_to_a_person(make_maps: Callable[..., Maps], make_facts: MakeFacts):
    maps, strict = make_maps(), loose(guard={"kept_share_min": 0.9})

    guarded = built(make_facts(), maps, strict)
    accepted = built(make_facts(decision="accept", decided_by="Dr X"), maps, strict)

    assert guarded.slides["status"].tolist() == ["review"]
    assert "tiles would be left, at least" in guarded.slides["why"].iloc[0]
    assert guarded.kept.empty
    assert guarded.slides["removed_slide"].iloc[0] == len(accepted.kept) > 0


def test_a_slide_without_a_middle_goes_to_a_person_even_if_accepted(
    make_maps: Callable[..., Maps], make_facts: MakeFacts
):
    nothing = built(make_facts(decision="accept", decided_by="Dr X"), make_maps(glass=0.9), FilterSettings())

    assert nothing.slides[["status", "why"]].values.tolist() == [["review", "no tile lies in the middle of tissue"]]


def test_review_may_mean_out(make_maps: Callable[..., Maps], make_facts: MakeFacts):
    waiting = built(make_facts(verdict="review"), make_maps(), loose(keeps_review=False))

    assert waiting.slides["status"].tolist() == ["review"]
    assert waiting.kept.empty


def test_settings_know_their_use_and_refuse_what_they_do_not_know():
    assert filter_settings_for("metastasis").tiles.tile_px == 256
    assert filter_settings_for("a-lab-of-its-own") == FilterSettings()
    with pytest.raises(SettingsError, match=r"unknown key limits\.folds"):
        changed_settings(FilterSettings(), None, {"limits": {"folds": 1}})


def test_the_fingerprint_follows_every_setting():
    changed = (FilterSettings(), FilterSettings(keeps_review=False), FilterSettings(ignore=("fold",)), loose())

    assert len({one.fingerprint for one in changed}) == 4
    assert FilterSettings().fingerprint == FilterSettings().fingerprint
