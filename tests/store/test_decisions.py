import pytest
from pydantic import ValidationError

from qc.errors import RefusedError
from qc.store import queries
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason
from qc.store.people import Actor, Role, User

ACCEPT = Choice(action=Action.ACCEPT, reason=Reason.NOTHING_WRONG, could_be_used=True)
RE_SCAN = Choice(action=Action.RE_SCAN, reason=Reason.OUT_OF_FOCUS, note="left half; müde 'x' -- 100 %")


def test_the_last_decision_on_a_slide_is_in_force_and_comes_back_as_it_was(filled, key, ann, bob):
    filled.decide(ann, key("a"), ACCEPT)
    again = filled.decide(bob, key("a"), RE_SCAN)
    other = filled.decide(ann, key("b"), ACCEPT)

    assert filled.decisions("run") == {"a": again, "b": other}
    assert (again.choice, again.by, again.key) == (RE_SCAN, bob, key("a"))
    assert filled.decisions("another run") == {}


def test_an_undo_is_a_new_row_after_which_the_decision_before_counts_again(filled, key, ann):
    first = filled.decide(ann, key("a"), ACCEPT)
    second = filled.decide(ann, key("a"), RE_SCAN)

    assert filled.undo(ann, second.id, "wrong slide") == first
    assert filled.decisions("run") == {"a": first}
    assert filled.undo(ann, first.id) is None
    assert filled.decisions("run") == {}
    assert filled.history("run", "a") == [first, second]
    assert [entry.action for entry in filled.audit()] == ["decide", "decide", "undo", "undo"]


def test_only_the_decision_in_force_can_be_withdrawn_and_only_once(filled, key, ann):
    first = filled.decide(ann, key("a"), ACCEPT)
    second = filled.decide(ann, key("a"), RE_SCAN)
    filled.undo(ann, second.id)

    for decision_id in (second.id, 999):
        with pytest.raises(RefusedError, match="not in force"):
            filled.undo(ann, decision_id)
    assert filled.decisions("run") == {"a": first}


def test_a_decision_counts_only_for_the_file_it_was_made_on(filled, key, ann, assessed):
    filled.decide(ann, key("a"), ACCEPT)

    filled.save("run", assessed("a", fingerprint="0" * 64))
    with pytest.raises(RefusedError, match="another file"):
        filled.decide(ann, key("a"), RE_SCAN)
    assert filled.decisions("run") == {}

    filled.save("run", assessed("a"))
    assert filled.decisions("run")["a"].choice == ACCEPT


def test_a_slide_that_could_not_be_read_can_be_sent_back_but_not_accepted(filled, key, ann):
    with pytest.raises(RefusedError, match="could not be read"):
        filled.decide(ann, key("d", ""), ACCEPT)

    filled.decide(ann, key("d", ""), RE_SCAN)

    assert filled.decisions("run")["d"].choice == RE_SCAN


def test_a_slide_that_the_run_does_not_have_is_refused(filled, key, ann):
    with pytest.raises(RefusedError, match="no slide"):
        filled.decide(ann, key("z"), ACCEPT)


def test_a_viewer_is_refused_in_one_sentence_and_nothing_is_written(filled, key):
    viewer = Actor(subject="v", name="Vera", role=Role.VIEWER)

    with pytest.raises(RefusedError, match="Vera may not decide about slides in the role viewer; ask for the role"):
        filled.decide(viewer, key("a"), ACCEPT)

    assert filled.decisions("run") == {}
    assert filled.audit() == []


def test_the_role_that_the_store_notes_goes_before_the_one_that_a_session_believes(filled, key, ann, bob, admin):
    filled.put_user(admin, User(subject=ann.subject, name=ann.name, role=Role.VIEWER))
    filled.put_user(admin, User(subject=bob.subject, name=bob.name, role=Role.ADMIN, is_active=False))

    for actor, sentence in ((ann, "role viewer"), (bob, "no longer active")):
        with pytest.raises(RefusedError, match=sentence):
            filled.decide(actor, key("a"), ACCEPT)


def test_the_same_click_sent_twice_is_one_decision(filled, key, ann, bob):
    first = filled.decide(ann, key("a"), ACCEPT, nonce="click-1")

    assert filled.decide(ann, key("a"), ACCEPT, nonce="click-1") == first
    assert filled.decide(bob, key("a"), ACCEPT, nonce="click-1") != first
    with pytest.raises(RefusedError, match="nonce"):
        filled.decide(ann, key("a"), RE_SCAN, nonce="click-1")
    assert len(filled.audit()) == 2


def test_each_person_keeps_an_opinion_that_others_do_not_take_away(filled, key, ann, bob):
    filled.decide(ann, key("a"), ACCEPT)
    filled.decide(bob, key("a"), RE_SCAN)
    filled.decide(bob, key("a"), ACCEPT)
    taken_back = filled.decide(bob, key("b"), RE_SCAN)
    filled.undo(bob, taken_back.id)

    said = queries.opinions(filled.engine, "run")

    assert said[["slide_id", "name", "action"]].to_numpy().tolist() == [
        ["a", ann.name, "accept"],
        ["a", "Bob", "accept"],
    ]


def test_the_audit_tells_what_held_before(filled, key, ann):
    first = filled.decide(ann, key("a"), ACCEPT)
    filled.decide(ann, key("a"), RE_SCAN)

    entry = filled.audit(slide_id="a", last=1)[0]

    assert f'"before":{{"decision":{first.id},"profile":"default"' in entry.detail
    assert '"verdict":"usable"' in entry.detail


def test_decisions_survive_opening_the_store_again(filled, key, ann):
    decision = filled.decide(ann, key("a"), RE_SCAN)

    again = Store(filled.engine.url.render_as_string(hide_password=False))

    assert again.decisions("run") == {"a": decision}
    again.close()


def test_the_reason_other_needs_a_note_and_no_text_may_break_a_database():
    for reason, note in (
        (Reason.OTHER, "  "),
        (Reason.PEN, "a\x00b"),
        (Reason.PEN, "\ud800"),
        (Reason.PEN, "x" * 2001),
    ):
        with pytest.raises(ValidationError):
            Choice(action=Action.EXCLUDE, reason=reason, note=note)


def test_stored_words_are_never_renamed():
    assert [action.value for action in Action] == ["accept", "re_scan", "re_cut", "clean", "exclude"]
    assert [role.value for role in Role] == ["viewer", "technician", "qc_manager", "admin"]
    assert all(reason.label for reason in Reason)
    assert [action for action in Action if action.keeps_slide] == [Action.ACCEPT]
