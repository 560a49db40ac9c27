import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc.config.profile import Limits, Profile, load_profile, profile_names
from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.maps import Coverage
from qc.metrics.percent import percent
from qc.score import judge

_BADNESS = [Verdict.USABLE, Verdict.REVIEW, Verdict.REJECT]
_CELL_MM2 = 4e-6


def covered(total=1_000_000, **shares):
    cells = {ArtefactClass[name.upper()]: round(total * share) for name, share in shares.items()}
    cells[ArtefactClass.CLEAN] = total - sum(cells.values())
    return Coverage(cells, _CELL_MM2)


@pytest.fixture(scope="module")
def profile():
    return load_profile("default")


def test_a_clean_sharp_well_stained_slide_is_usable(profile):
    judgement = judge(covered(), 9.0, 9.0, 0.5, profile)

    assert judgement.verdict is Verdict.USABLE
    assert judgement.reason == "within all limits"
    assert judgement.usable_mm2 == pytest.approx(4.0)


@pytest.mark.parametrize("name", [c.name.lower() for c in (*ARTEFACTS, ArtefactClass.UNASSESSED)])
def test_each_class_beyond_its_own_limit_is_named_with_share_limit_and_remedy(profile, name):
    limit = getattr(profile.reject, name)

    at, beyond = (judge(covered(**{name: limit + more}), 9.0, 9.0, 0.5, profile) for more in (0.0, 0.01))

    assert at.verdict is Verdict.REVIEW
    assert beyond.verdict is Verdict.REJECT
    label = ArtefactClass[name.upper()].label
    assert f"{label} {percent(limit + 0.01)} of tissue, limit {percent(limit)}" in beyond.reason
    assert ArtefactClass[name.upper()].remedy in beyond.remedy


def test_a_share_exactly_at_the_review_limit_still_passes(profile):
    assert judge(covered(fold=profile.review.fold), 9.0, 9.0, 0.5, profile).verdict is Verdict.USABLE


def test_many_small_artefacts_together_are_found(profile):
    share = profile.review.fold * 0.9
    judgement = judge(covered(fold=share, foreign=share, pen=share, bubble=share), 9.0, 9.0, 0.5, profile)

    assert [finding.reason.split(" ")[:3] for finding in judgement.findings] == [["all", "artefacts", "together"]]


@pytest.mark.parametrize(("focus", "stain"), [(math.nan, 9.0), (9.0, math.nan)])
def test_what_could_not_be_judged_is_looked_at_and_never_passed(profile, focus, stain):
    judgement = judge(covered(), focus, stain, 0.5, profile)

    assert judgement.verdict is Verdict.REVIEW
    assert "could not be judged" in judgement.reason


def test_colours_beyond_the_training_slides_are_looked_at_and_never_rejected(profile):
    limit = profile.domain_distance_max

    at, beyond, far = (judge(covered(), 9.0, 9.0, distance, profile) for distance in (limit, limit + 0.5, 1000.0))

    assert at.verdict is Verdict.USABLE
    assert beyond.verdict is far.verdict is Verdict.REVIEW
    assert f"distance {limit + 0.5:.2f}, limit {limit:g}" in beyond.reason
    assert beyond.remedy


def test_colours_that_could_not_be_compared_are_looked_at(profile):
    judgement = judge(covered(), 9.0, 9.0, math.nan, profile)

    assert judgement.verdict is Verdict.REVIEW
    assert "could not be compared" in judgement.reason


def test_no_tissue_at_all_is_never_usable_and_says_so_in_words(profile):
    judgement = judge(Coverage(dict.fromkeys(ArtefactClass, 0), _CELL_MM2), 9.0, 9.0, 0.5, profile)

    assert judgement.verdict is Verdict.REJECT
    assert "nan" not in judgement.reason


def test_the_worst_finding_comes_first_and_decides(profile):
    judgement = judge(covered(fold=0.1, pen=0.4), 4.0, 9.0, 0.5, profile)

    assert judgement.verdict is judgement.findings[0].verdict is Verdict.REJECT
    assert judgement.reason.startswith("pen 40 %")


shares = st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda parts: sum(parts) > 0)


@given(shares, st.floats(0, 10), st.floats(0, 10), st.integers(0, 5), st.sampled_from(profile_names()))
def test_more_of_an_artefact_never_makes_a_verdict_better(parts, focus, stain, which, profile_name):
    profile = load_profile(profile_name)
    classes = [*ARTEFACTS, ArtefactClass.UNASSESSED, ArtefactClass.CLEAN]
    cells = {c: round(1e6 * part / sum(parts)) for c, part in zip(classes, parts, strict=True)}
    moved = cells[ArtefactClass.CLEAN] // 2
    worse = cells | {classes[which]: cells[classes[which]] + moved, ArtefactClass.CLEAN: moved}

    before = judge(Coverage(cells, _CELL_MM2), focus, stain, 0.5, profile)
    after = judge(Coverage(worse, _CELL_MM2), focus, stain, 0.5, profile)

    assert _BADNESS.index(after.verdict) >= _BADNESS.index(before.verdict)


def test_a_profile_whose_rejection_is_milder_than_its_review_is_refused(profile):
    lax = Limits(**profile.reject.model_dump())
    strict = Limits(**profile.review.model_dump())

    with pytest.raises(ValueError, match="fold"):
        Profile(name="swapped", version=1, purpose="none", review=lax, reject=strict)
