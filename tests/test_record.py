import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qc.labels import ArtefactClass, Verdict
from qc.record import Assessed, ClassCoverage, Failed, FindingRow, Stamp, from_json, to_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
sizes = st.floats(0, 1e6)
maybe_nan = st.floats(0, 10) | st.just(math.nan)
stamps = st.builds(
    Stamp, slide_id=texts, path=texts, slide_fingerprint=texts, settings_fingerprint=texts, software_version=texts
)
findings = st.builds(FindingRow, verdict=st.sampled_from(Verdict), reason=texts, remedy=texts)
coverages = st.dictionaries(
    st.sampled_from([c.name.lower() for c in ArtefactClass]),
    st.builds(ClassCoverage, share=maybe_nan, area_mm2=sizes),
)
assessed = st.builds(
    Assessed,
    kind=st.just("assessed"),
    stamp=stamps,
    verdict=st.sampled_from(Verdict),
    findings=st.lists(findings, max_size=3).map(tuple),
    focus_score=maybe_nan,
    stain_score=maybe_nan,
    domain_distance=maybe_nan,
    coverage=coverages,
    **dict.fromkeys(("reason", "remedy", "profile", "artefact_stage", "mpp_source", "slide_format"), texts),
    **dict.fromkeys(("mpp", "read_mpp", "map_mpp", "tissue_mm2", "usable_mm2", "seconds"), sizes),
    **dict.fromkeys(("width_px", "height_px", "tiles", "tiles_unread"), st.integers(0, 10**6)),
)
failed = st.builds(
    Failed,
    kind=st.just("failed"),
    stamp=stamps,
    verdict=st.just(Verdict.UNASSESSED),
    reason_code=texts,
    reason=texts,
    remedy=texts,
    seconds=sizes,
)


@given(assessed | failed)
def test_a_record_comes_back_from_json_as_it_was(record):
    back = from_json(to_json(record))

    assert type(back) is type(record)
    assert repr(back) == repr(record)  # repr, because NaN equals nothing


@given(assessed | failed)
def test_no_form_of_a_record_as_json_holds_a_nan_that_json_does_not_know(record):
    for text in (to_json(record), json.dumps(record.model_dump(mode="json"))):
        json.loads(text, parse_constant=pytest.fail)


def test_a_failed_slide_cannot_be_given_another_verdict_than_unassessed():
    stamp = Stamp(slide_id="a", path="/a", slide_fingerprint="", settings_fingerprint="", software_version="0")
    good = to_json(Failed(stamp=stamp, reason_code="unopenable", reason="why", remedy="so", seconds=0))  # type: ignore[call-arg]

    with pytest.raises(ValidationError):
        from_json(good.replace('"unassessed"', '"usable"'))


@pytest.mark.parametrize("text", ["", "{}", "null", '{"kind": "assessed"}', '{"kind": "else"}'])
def test_half_a_record_is_no_record(text):
    with pytest.raises(ValidationError):
        from_json(text)
