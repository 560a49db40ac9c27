"""Review without a browser: who may decide, what is noted, which slide comes next."""

import math

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from qc.dashboard.triage import next_slide, usual_reason
from qc.labels import Verdict
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.requests import FilterStamp, Look

WAIT_S = 120


def _page(url: str, run_id: str, root: str, slide_id: str, role: str) -> None:
    from pathlib import Path

    import streamlit as st

    from qc.dashboard.context import Context
    from qc.dashboard.pages.review import page
    from qc.pipeline.folder import RunFolder
    from qc.store.database import Store
    from qc.store.people import Actor, Role

    if "slide" not in st.session_state and slide_id:
        st.session_state["slide"] = slide_id
    actor = Actor(subject="tester", name="Tester", role=Role(role))
    page(Context(Store(url), run_id, RunFolder(Path(root)), actor))


@pytest.fixture
def drawn(own_marked_run):
    """Draws Review: (name of a slide, role)."""

    def drawn(name="", role="technician"):
        run = own_marked_run
        slide_id = run.records[name].stamp.slide_id if name else ""
        args = (run.store_url, run.run_id, str(run.folder.root), slide_id, role)
        return AppTest.from_function(_page, default_timeout=WAIT_S, args=args).run()

    return drawn


@pytest.fixture
def store(own_marked_run):
    store = Store(own_marked_run.store_url)
    yield store
    store.close()


def press(at, key):
    at.button(key=key).click().run()
    assert not at.exception
    return at


def ids(run):
    return {name: record.stamp.slide_id for name, record in run.records.items()}


def at_ease(at):
    """As if the person had looked at the slide for a while."""
    at.session_state["review_desk"].laid_at = -math.inf
    return at


def test_the_worst_slide_comes_first(drawn, own_marked_run):
    at = drawn()

    assert not at.exception
    assert at.title[0].value == ids(own_marked_run)["torn"]


def test_one_click_notes_the_usual_reason_and_goes_on_to_the_next_worst(drawn, own_marked_run, store):
    at = at_ease(drawn("marked"))

    press(at, "could-No")
    press(at, "act-re_cut")

    noted = store.decisions(own_marked_run.run_id)[ids(own_marked_run)["marked"]]
    assert (noted.choice.action, noted.choice.reason) == (Action.RE_CUT, Reason.FOLD)
    assert (noted.choice.could_be_used, noted.by.name) == (False, "Tester")
    assert at.title[0].value == ids(own_marked_run)["torn"]


def test_a_key_that_is_held_down_decides_about_one_slide_only(drawn, own_marked_run, store):
    at = at_ease(drawn("marked"))

    press(at, "act-accept")
    at.session_state["review_desk"].laid_at = math.inf  # the next slide is only just there
    press(at, "act-exclude")

    assert set(store.decisions(own_marked_run.run_id)) == {ids(own_marked_run)["marked"]}
    assert any("nothing was decided" in error.value for error in at.error)


def test_the_last_decision_is_taken_back(drawn, own_marked_run, store):
    at = press(at_ease(drawn("marked")), "act-accept")

    press(at, "undo")

    assert store.decisions(own_marked_run.run_id) == {}
    assert at.title[0].value == ids(own_marked_run)["marked"]


def test_back_returns_to_the_slide_before(drawn, own_marked_run):
    at = drawn("marked")

    press(at, "skip")
    between = at.title[0].value
    press(at, "back")

    assert between != at.title[0].value == ids(own_marked_run)["marked"]


def test_what_a_filter_asks_stands_on_the_slide_until_somebody_decides(drawn, own_marked_run, store, technician):
    record = own_marked_run.records["plain"].stamp
    key = SlideKey(run_id=own_marked_run.run_id, slide_id=record.slide_id, slide_fingerprint=record.slide_fingerprint)
    stamp = FilterStamp(profile="lymphoma", filter_fingerprint="abcdef0123")
    store.ask_reviews(technician, stamp, key.run_id, [Look(key, "0 of 12 tiles would be left, at least 1 wanted")])

    at = drawn()
    shown, captions = ([one.value for one in told] for told in (at.warning, at.caption))
    press(at_ease(at), "act-accept")
    press(at, "undo")

    assert at.title[0].value == key.slide_id  # before the slides that are worse
    assert shown == ["**A filter asks**: 0 of 12 tiles would be left, at least 1 wanted"]
    assert any("lymphoma, settings abcdef01 · Tess" in caption for caption in captions)
    assert [action.action for action in store.audit()] == ["ask_review", "decide", "undo"]


def test_a_viewer_looks_and_cannot_decide(drawn):
    at = drawn("marked", "viewer")

    assert not [button for button in at.button if str(button.key).startswith("act-")]
    assert any("may look, not decide" in info.value for info in at.info)


def test_a_slide_that_somebody_else_has_is_theirs_until_taken_over(drawn, own_marked_run, store, technician):
    slide_id = ids(own_marked_run)["marked"]
    store.lock(technician, own_marked_run.run_id, slide_id)

    at = drawn("marked")
    was_disabled = at.button(key="act-accept").disabled
    at.button(key="take-over").click().run()

    assert was_disabled
    assert store.locks(own_marked_run.run_id)[slide_id].subject == "tester"
    assert not at.button(key="act-accept").disabled


def test_what_the_software_says_is_hidden_until_the_person_decides(drawn, own_marked_run):
    at = drawn("marked")
    shown = "".join(part.value for part in at.markdown)

    at.toggle(key="review_blind").set_value(True).run()
    hidden = "".join(part.value for part in at.markdown)

    assert "reject" in shown
    assert "reject" not in hidden
    assert "mm²" not in hidden


def test_a_second_person_does_not_see_what_the_first_decided(drawn, own_marked_run, store, technician):
    record = own_marked_run.records["marked"]
    key = SlideKey(
        run_id=own_marked_run.run_id,
        slide_id=record.stamp.slide_id,
        slide_fingerprint=record.stamp.slide_fingerprint,
    )
    store.decide(technician, key, Choice(action=Action.EXCLUDE, reason=Reason.PEN))

    at = drawn("marked")
    seen = [info.value for info in at.info]
    at.toggle(key="review_blind").set_value(True).run()

    assert any("exclude" in text for text in seen)
    assert not any("exclude" in info.value for info in at.info)


def test_a_slide_that_was_not_read_cannot_be_accepted(drawn):
    at = drawn("torn")

    assert at.button(key="act-accept").disabled
    assert not at.button(key="act-re_scan").disabled
    assert "was not assessed" in at.error[0].value


def test_a_note_is_shown_as_it_was_written(drawn, own_marked_run, store, technician):
    record = own_marked_run.records["plain"]
    key = SlideKey(
        run_id=own_marked_run.run_id,
        slide_id=record.stamp.slide_id,
        slide_fingerprint=record.stamp.slide_fingerprint,
    )
    note = "<img src=x> [link](javascript:alert(1)) :red[x]"
    store.decide(technician, key, Choice(action=Action.EXCLUDE, reason=Reason.OTHER, note=note))

    at = drawn("plain")

    text = next(info.value for info in at.info if "exclude" in info.value)
    assert r"\<img" in text
    assert r"\[link\]\(javascript\:alert\(1\)\)" in text


def test_the_next_slide_is_the_worst_that_nobody_else_looks_at():
    table = pd.DataFrame({"slide_id": ["a", "b", "c"], "locked_by": ["bob", None, "me"]})

    assert next_slide(table, "me") == "b"
    assert next_slide(table, "me", after="b") == "c"
    assert next_slide(table, "me", after="c") == "b"
    assert next_slide(table.head(1), "me") == ""


@pytest.mark.parametrize(
    ("name", "action", "reason"),
    [
        ("marked", Action.RE_CUT, Reason.FOLD),
        ("marked", Action.CLEAN, Reason.FOREIGN),
        ("marked", Action.ACCEPT, Reason.GOOD_ENOUGH),
        ("plain", Action.ACCEPT, Reason.NOTHING_WRONG),
        ("plain", Action.EXCLUDE, None),
        ("torn", Action.RE_SCAN, Reason.UNREADABLE),
    ],
)
def test_the_usual_reason_follows_from_what_was_found(marked_run, name, action, reason):
    record = marked_run.records[name]

    assert usual_reason(record, action) is reason
    assert record.verdict in Verdict
