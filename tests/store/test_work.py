from datetime import UTC, datetime, timedelta

import pytest

from qc.errors import RefusedError
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason
from qc.store.people import Actor, Role, User
from qc.store.work import Rescan

ACCEPT = Choice(action=Action.ACCEPT, reason=Reason.NOTHING_WRONG)
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def at(filled):
    """The store at so many minutes past noon."""
    opened = []

    def store_at(minutes):
        url = filled.engine.url.render_as_string(hide_password=False)
        opened.append(Store(url, now=lambda: NOON + timedelta(minutes=minutes)))
        return opened[-1]

    yield store_at
    for store in opened:
        store.close()


def actions(store):
    return [entry.action for entry in store.audit()]


def test_a_locked_slide_waits_for_its_person_until_the_lock_ends(at, key, ann, bob):
    lock = at(0).lock(ann, "run", "a", minutes=10)

    with pytest.raises(RefusedError, match=r"locked by Ann Müller until 12:10 UTC; wait or take it over"):
        at(9).decide(bob, key("a"), ACCEPT)
    with pytest.raises(RefusedError, match="locked by"):
        at(9).lock(bob, "run", "a")

    assert lock.until == NOON + timedelta(minutes=10)
    assert at(9).locks("run") == {"a": lock}
    assert at(11).locks("run") == {}
    assert at(11).decide(bob, key("a"), ACCEPT).at == NOON + timedelta(minutes=11)


def test_a_lock_is_taken_over_knowingly_and_the_audit_says_so(at, key, ann, bob):
    store = at(0)
    store.lock(ann, "run", "a")

    store.lock(bob, "run", "a", take_over=True)
    store.decide(bob, key("a"), ACCEPT)

    assert actions(store) == ["lock_taken_over", "decide"]
    assert ann.subject in store.audit()[0].detail
    assert store.locks("run") == {}


def test_only_the_holder_gives_a_lock_back(at, ann, bob):
    store = at(0)
    store.lock(ann, "run", "a")

    store.unlock(bob, "run", "a")
    assert set(store.locks("run")) == {"a"}
    store.unlock(ann, "run", "a")

    assert store.locks("run") == {}


def test_only_an_admin_changes_users_and_the_audit_holds_both_roles(filled, ann, admin):
    vera = User(subject="v", name="Vera", role=Role.VIEWER)
    with pytest.raises(RefusedError, match="may not change users in the role technician; ask for the role admin"):
        filled.put_user(ann, vera)

    filled.put_user(admin, vera)
    filled.put_user(admin, vera)
    filled.put_user(admin, vera.model_copy(update={"role": Role.QC_MANAGER}))

    assert [user.role for user in filled.users()] == [Role.QC_MANAGER]
    assert filled.user("v") == filled.users()[0]
    assert filled.user("nobody") is None
    assert actions(filled) == ["user", "user"]


def test_every_save_of_a_setting_is_a_new_version(filled, ann, admin):
    with pytest.raises(RefusedError, match="QC manager"):
        filled.save_setting(ann, "profile/lymphoma", "a = 1")

    manager = Actor(subject="m", name="Mo", role=Role.QC_MANAGER)
    first = filled.save_setting(manager, "profile/lymphoma", "a = 1")
    second = filled.save_setting(admin, "profile/lymphoma", "a = 2", "less fold")
    filled.save_setting(manager, "profile/smear", "a = 1")

    assert (first.version, second.version) == (1, 2)
    assert filled.setting_versions("profile/lymphoma") == [first, second]
    assert actions(filled) == ["setting"] * 3


def test_a_priority_is_noted_once_for_each_change(filled, ann):
    for priority in (2, 2, 0):
        filled.prioritise(ann, "run", "a", priority)

    assert actions(filled) == ["priority", "priority"]


def test_a_rescan_points_to_the_slide_that_came_last(filled, ann):
    for new in ("b", "c"):
        filled.link_rescan(ann, Rescan(old_run_id="run", old_slide_id="a", new_run_id="run", new_slide_id=new))

    assert {old: link.new_slide_id for old, link in filled.rescans("run").items()} == {"a": "c"}
    for new, sentence in (("a", "its own"), ("z", "no slide z")):
        with pytest.raises(RefusedError, match=sentence):
            filled.link_rescan(ann, Rescan(old_run_id="run", old_slide_id="a", new_run_id="run", new_slide_id=new))
