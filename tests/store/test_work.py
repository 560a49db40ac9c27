import json
from datetime import UTC, datetime, timedelta

import pytest

from qc.config.profile import load_profile
from qc.errors import RefusedError, SettingsError
from qc.store import queries
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


def toml_of(profile):
    """Enough TOML for a profile."""
    groups = profile.model_dump(mode="json")
    lines = [f"{name} = {value!r}" for name, value in groups.items() if not isinstance(value, dict)]
    for name in ("review", "reject"):
        lines += [f"[{name}]", *(f"{key} = {value!r}" for key, value in groups[name].items())]
    return "\n".join(lines)


@pytest.fixture
def strict():
    """A profile that rejects every slide with a fold."""
    packaged = load_profile("default")
    limits = {name: getattr(packaged, name).model_copy(update={"fold": 0.0}) for name in ("review", "reject")}
    return toml_of(packaged.model_copy(update={"version": 9, **limits}))


def test_a_run_is_judged_by_another_profile_for_everybody_and_as_it_was_assessed_again(
    filled, admin, ann, key, assessed, strict
):
    before = [(record.verdict, record.reason) for record in filled.records("run")]

    changed = filled.judge_run(admin, "run", strict, "no folds at all")
    filled.save("run", assessed("e"))
    table = queries.worklist(filled.engine, "run").set_index("slide_id")
    filled.decide(ann, key("a"), Choice(action=Action.ACCEPT, reason=Reason.GOOD_ENOUGH))

    assert changed == 3  # the failed slide stays unassessed
    assert table["verdict"].to_dict() == {"a": "reject", "b": "reject", "c": "reject", "d": "unassessed", "e": "reject"}
    assert "fold 14 % of tissue, limit 0 %" in table.loc["e", "reason"]
    record = filled.record("run", "a")
    assert (record.verdict, record.profile, record.findings[0].reason[:4]) == ("reject", "default 9", "fold")
    told = json.loads(filled.audit(slide_id="a", last=1)[0].detail)["before"]
    assert (told["verdict"], told["profile"]) == ("reject", "default 9")

    filled.judge_run(admin, "run", "")

    assert [(record.verdict, record.reason) for record in filled.records("run")][:4] == before
    assert filled.profile_in_force("run") is None
    assert filled.verify().is_whole


def test_a_technician_judges_no_run_and_nonsense_is_no_profile(filled, ann, admin):
    with pytest.raises(RefusedError, match="may not judge runs"):
        filled.judge_run(ann, "run", "")
    with pytest.raises(SettingsError, match="no profile"):
        filled.judge_run(admin, "run", "fold = 1")
    assert filled.audit() == []
