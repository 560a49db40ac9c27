"""Filters ask people to look at slides: asked once, withdrawn, answered by a decision, told by the audit."""

import json

import pytest

from qc.errors import RefusedError
from qc.store import queries
from qc.store.decision import Action, Choice, Reason
from qc.store.people import Actor, Role
from qc.store.requests import Asked, FilterStamp, Look

FILTER = FilterStamp(profile="lymphoma", filter_fingerprint="1" * 64)
OTHER = FilterStamp(profile="metastasis", filter_fingerprint="1" * 64)
WHY = "0 of 12 tiles would be left, at least 1 wanted"
NOTHING = ""


@pytest.fixture
def ask(filled, key, ann):
    """Lets a filter ask about slides of the run: (filter, slide=why, ...)."""
    return lambda stamp=FILTER, **reasons: filled.ask_reviews(
        ann, stamp, "run", [Look(key(slide_id), why) for slide_id, why in reasons.items()]
    )


def asked(store):
    """The worklist's order, and why it says that slides are asked about."""
    table = queries.worklist(store.engine, "run")
    return list(table["slide_id"]), dict(table[["slide_id", "asked_why"]].dropna().itertuples(index=False))


def told(store):
    return [(entry.action, entry.slide_id) for entry in store.audit()]


def test_slides_that_a_filter_asks_about_come_after_the_urgent_and_before_the_worst(filled, ask, ann):
    filled.prioritise(ann, "run", "a", 1)

    changed = ask(a=NOTHING, b=NOTHING, c=WHY)

    assert changed == Asked(asked=("c",))
    assert asked(filled) == (["a", "c", "d", "b"], {"c": WHY})
    assert queries.worklist(filled.engine).set_index("slide_id").loc["c", "asked_by"] == ann.name
    assert told(filled)[-1] == ("ask_review", "c")
    (request,) = filled.review_requests("run", "c")
    detail = json.loads(filled.audit(last=1)[0].detail)
    assert (request.stamp, request.why, request.id) == (FILTER, WHY, filled.audit(last=1)[0].seq)
    assert (detail["profile"], detail["filter_fingerprint"], detail["why"]) == ("lymphoma", "1" * 64, WHY)
    assert filled.verify().is_whole


def test_a_filter_that_is_run_again_writes_nothing(filled, ask):
    ask(a=WHY, b=NOTHING)

    again = ask(a=WHY, b=NOTHING)

    assert again == Asked()
    assert told(filled) == [("ask_review", "a")]


def test_a_filter_withdraws_its_own_requests_only_and_only_those_of_slides_it_looked_at(filled, ask):
    ask(a=WHY, b=WHY, c=WHY)
    ask(OTHER, a="another sentence")

    changed = ask(a=NOTHING, b=NOTHING)

    assert changed == Asked(withdrawn=("a", "b"))
    assert asked(filled)[1] == {"a": "another sentence", "c": WHY}
    assert told(filled)[-2:] == [("withdraw_review", "a"), ("withdraw_review", "b")]
    assert filled.verify().is_whole


def test_another_reason_takes_the_place_of_the_one_before(filled, ask):
    ask(a=WHY)

    ask(a="1 of 40 tiles would be left, at least 2 wanted")

    assert [one.why for one in filled.review_requests("run", "a")] == ["1 of 40 tiles would be left, at least 2 wanted"]
    assert [action for action, _ in told(filled)] == ["ask_review", "withdraw_review", "ask_review"]


def test_a_decision_answers_and_taking_it_back_asks_again(filled, ask, ann, key):
    ask(a=WHY)

    decision = filled.decide(ann, key("a"), Choice(action=Action.ACCEPT, reason=Reason.GOOD_ENOUGH))
    answered, still_asked = asked(filled)[1], filled.review_requests("run", "a")
    again = ask(a=WHY), ask(a=NOTHING)
    filled.undo(ann, decision.id)

    assert (answered, still_asked, again) == ({}, [], (Asked(), Asked()))
    assert json.loads(filled.audit(slide_id="a")[1].detail)["before"]["requests"] == [1]
    assert asked(filled)[1] == {"a": WHY}


def test_a_request_is_about_the_file_that_was_filtered(filled, ask, ann, key, assessed):
    ask(a=WHY)

    filled.save("run", assessed("a", "0" * 64))

    assert asked(filled)[1] == {}
    with pytest.raises(RefusedError, match="does not hold this result of slide a"):
        ask(a="another sentence")
    now = Look(key("a", "0" * 64))
    assert filled.ask_reviews(ann, FILTER, "run", [now]) == Asked(withdrawn=("a",))


def test_a_viewer_may_not_ask_and_nothing_is_noted(filled, key):
    viewer = Actor(subject="v", name="V", role=Role.VIEWER)

    with pytest.raises(RefusedError, match="may not ask for reviews in the role viewer; ask for the role technician"):
        filled.ask_reviews(viewer, FILTER, "run", [Look(key("a"), WHY)])

    assert told(filled) == []
    assert asked(filled)[1] == {}
