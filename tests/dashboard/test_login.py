"""Claims become roles, the store's word goes before the claim, and a screen nobody touches is left."""

import pytest

from qc.dashboard.idle import Activity
from qc.dashboard.login import LoginSettings, actor_of, claimed_role
from qc.errors import RefusedError
from qc.store.database import Store, sqlite_url
from qc.store.people import Actor, Role, User

BOSS = Actor(subject="boss", name="Boss", role=Role.ADMIN)


@pytest.fixture
def store(tmp_path):
    store = Store(sqlite_url(tmp_path / "store.sqlite"))
    yield store
    store.close()


def test_the_highest_of_several_groups_counts():
    settings = LoginSettings(role_claim="groups", roles={Role.VIEWER: ("staff",), Role.QC_MANAGER: ("path-qc",)})

    assert claimed_role({"groups": ["staff", "path-qc"]}, settings) is Role.QC_MANAGER
    assert claimed_role({"groups": "staff"}, settings) is Role.VIEWER


def test_nobody_gets_in_without_a_role(store):
    with pytest.raises(RefusedError, match="no role"):
        actor_of({"sub": "x", "name": "X", "roles": ["golf club"]}, LoginSettings(), store)


def test_nobody_gets_in_without_an_id(store):
    with pytest.raises(RefusedError, match="who you are"):
        actor_of({"roles": ["admin"]}, LoginSettings(), store)


def test_the_role_in_the_store_goes_before_the_one_claimed(store):
    store.put_user(BOSS, User(subject="x", name="X", role=Role.VIEWER))

    assert actor_of({"sub": "x", "roles": ["admin"]}, LoginSettings(), store).role is Role.VIEWER


def test_somebody_who_left_does_not_get_in(store):
    store.put_user(BOSS, User(subject="x", name="X", role=Role.ADMIN, is_active=False))

    with pytest.raises(RefusedError, match="no longer active"):
        actor_of({"sub": "x", "roles": ["admin"]}, LoginSettings(), store)


def test_a_screen_is_idle_once_neither_touch_nor_login_is_young():
    clock = [1000.0]
    activity = Activity(lambda: clock[0])

    activity.touch("x")
    clock[0] += 14 * 60
    assert not activity.is_idle("x", logged_in_at=0, minutes=15)
    clock[0] += 2 * 60
    assert activity.is_idle("x", logged_in_at=0, minutes=15)
    assert not activity.is_idle("x", logged_in_at=clock[0], minutes=15)


def test_an_old_cookie_alone_is_idle():
    assert Activity(lambda: 10_000.0).is_idle("x", logged_in_at=1000.0, minutes=15)
