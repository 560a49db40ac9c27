"""Every page draws from the store, writes through it in the role of the person, and never shows a trace."""

import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from qc.config.control import ControlSettings
from qc.config.profile import Profile, load_profile, profile_names
from qc.dashboard import lis, performance, trends
from qc.dashboard.agreement import between
from qc.dashboard.attributes import completed, matched, read_table, setting_name
from qc.dashboard.labels import read_labels
from qc.dashboard.pages.queues import candidates
from qc.dashboard.pages.worklist import shown_columns
from qc.dashboard.saved import as_toml, control_settings, parsed
from qc.errors import RefusedError, SettingsError
from qc.labels import Verdict
from qc.metrics import Counts
from qc.store import queries
from qc.store.database import Store, sqlite_url
from qc.store.decision import SlideKey
from qc.store.people import Actor, Role
from qc.store.requests import FilterStamp, Look

sys.path.insert(0, str(Path(__file__).parent))
import month

PAGES = ("worklist", "queues", "performance", "cohort", "trends", "reports", "audit", "settings")
WAIT_S = 120
BOSS = Actor(subject="boss", name="Boss", role=Role.ADMIN)


@pytest.fixture(scope="module")
def made():
    return month.made_up(150, days=15)


@pytest.fixture(scope="module")
def url(made, tmp_path_factory):
    url = sqlite_url(tmp_path_factory.mktemp("month") / "store.sqlite")
    store = Store(url)
    month.fill(store, made)
    store.save_setting(BOSS, setting_name(month.RUN), month.cohort_csv(made))
    month.decide(store, made[:60])
    store.close()
    return url


@pytest.fixture
def store(url):
    store = Store(url)
    yield store
    store.close()


def _page(name: str, url: str, role: str) -> None:
    from importlib import import_module

    from qc.dashboard.context import Context
    from qc.store.database import Store
    from qc.store.people import Actor, Role

    actor = Actor(subject="tester", name="Tester", role=Role(role))
    context = Context(Store(url), "month", None, actor, store_url=url)
    import_module(f"qc.dashboard.pages.{name}").page(context)


def worklist(store: Store) -> Any:
    return queries.worklist(store.engine, month.RUN)


def drawn(name: str, url: str, role: str = "technician") -> AppTest:
    return AppTest.from_function(_page, default_timeout=WAIT_S, args=(name, url, role)).run()


@pytest.mark.parametrize("name", PAGES)
def test_page_draws_from_a_month_of_results(name, url):
    at = drawn(name, url)

    assert not at.exception
    assert [title.value for title in at.title] == [name.capitalize()]


@pytest.mark.parametrize("name", PAGES)
def test_page_draws_from_a_run_without_slides(name, tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    store.begin_run(month.RUN, "s" * 64, "0.1.0", "default 2", "{}")
    store.close()

    at = drawn(name, url, "admin")

    assert not at.exception


def test_worklist_shows_undecided_slides_first_and_counts_them(url, made):
    at = drawn("worklist", url)

    counted = {metric.label: metric.value for metric in at.metric}
    assert counted["Slides"] == "150"
    assert counted["Decided by people"] == "60"
    table = at.dataframe[0].value
    assert len(table) == 90
    assert table["Verdict"].iloc[0][0] in ("! unassessed", "✕ reject")


def test_worklist_begins_with_what_a_filter_asks_and_says_why(made, tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    month.fill(store, made[:20])
    slide = worklist(store).iloc[-1]
    key = SlideKey(run_id=month.RUN, slide_id=slide["slide_id"], slide_fingerprint=slide["slide_fingerprint"])
    before = drawn("worklist", url)
    store.ask_reviews(BOSS, FilterStamp(profile="p", filter_fingerprint="f"), month.RUN, [Look(key, "0 tiles left")])
    store.close()

    at = drawn("worklist", url)

    assert "Asked to review" not in before.dataframe[0].value
    first = at.dataframe[0].value.iloc[0]
    assert (first["Slide"], first["Asked to review"]) == (key.slide_id, "0 tiles left")
    needed = [{m.label: m.value for m in page.metric}["Need a decision"] for page in (before, at)]
    assert slide["verdict"] == Verdict.USABLE
    assert int(needed[1]) == int(needed[0]) + 1


def test_worklist_filter_by_barcode_leaves_one_slide(url):
    at = drawn("worklist", url)

    at.text_input[0].set_value("26-00140").run()

    assert list(at.dataframe[0].value["Slide"]) == ["slide-00140"]


def test_a_viewer_gets_no_controls_that_write(url):
    viewer, technician = drawn("worklist", url, "viewer"), drawn("worklist", url, "technician")

    assert not viewer.get("file_uploader")
    assert technician.get("file_uploader")


def test_the_store_refuses_a_viewer_whatever_the_page_shows(store):
    viewer = Actor(subject="v", name="V", role=Role.VIEWER)

    with pytest.raises(RefusedError, match="viewer"):
        store.prioritise(viewer, month.RUN, "slide-00000", 2)


def test_settings_of_a_technician_cannot_be_edited(url):
    technician, manager = drawn("settings", url, "technician"), drawn("settings", url, "qc_manager")

    assert all(area.disabled for area in technician.text_area)
    assert not any(area.disabled for area in manager.text_area)


def test_saving_control_settings_adds_a_version_that_trends_use(made, tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    month.fill(store, made[:20])
    at = drawn("settings", url, "qc_manager")

    changed = as_toml(ControlSettings(slides_min=7))
    next(area for area in at.text_area if area.label.startswith("Control")).set_value(changed).run()
    next(field for field in at.text_input if field.label == "Why").set_value("few slides").run()
    next(button for button in at.button if button.label == "Save as new version").click().run()

    assert store.setting_versions("control")[-1].content == changed
    assert "fewer than 7 slides" in " ".join(caption.value for caption in drawn("trends", url).caption)


def test_a_manager_fixes_the_usual_days_on_the_trends_page(made, tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    month.fill(store, made)
    at = drawn("trends", url, "qc_manager")
    before = " ".join(caption.value for caption in at.caption)

    at.number_input[0].set_value(5).run()
    next(button for button in at.button if button.label == "Use these days").click().run()

    assert "comes from all 15 days" in before
    assert control_settings(store).baseline_days == 5
    assert "comes from the first 5 days" in " ".join(caption.value for caption in at.caption)
    store.close()


def test_a_manager_judges_the_run_by_saved_limits_and_all_pages_follow(made, tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    month.fill(store, made[:40])
    strict = as_toml(load_profile("default")).replace("version = 2", "version = 3").replace("fold = 0.05", "fold = 0.0")
    store.save_setting(BOSS, "profile/default", strict)
    before = [cell[0] for cell in drawn("worklist", url).dataframe[0].value["Verdict"]]

    at = drawn("settings", url, "qc_manager")
    next(button for button in at.button if button.label == "Try on this run").click().run()
    next(button for button in at.button if button.label == "Judge this run by these limits").click().run()
    after = [cell[0] for cell in drawn("worklist", url).dataframe[0].value["Verdict"]]

    assert not at.exception
    assert after.count("✓ usable") < before.count("✓ usable")
    assert any("judged by default 3" in info.value for info in at.info)
    store.close()


def test_a_profile_without_a_higher_version_is_not_offered_for_saving(url):
    at = drawn("settings", url, "qc_manager")

    area = next(area for area in at.text_area if area.label.startswith("Limits"))
    area.set_value(str(area.value).replace("fold = 0.05", "fold = 0.04")).run()

    assert any("Raise the version" in warning.value for warning in at.warning)
    assert "Save as new version" not in [button.label for button in at.button]


def test_every_packaged_profile_survives_being_written_as_toml():
    for name in profile_names():
        profile = load_profile(name)

        assert parsed(Profile, as_toml(profile)) == profile


def test_performance_counts_are_those_of_the_decisions(url, store):
    table = worklist(store)
    bad = performance.is_bad(table, performance.DECISIONS)
    called = performance.is_called(table.set_index("slide_id")["verdict"], Verdict.REVIEW)
    counts = performance.count(bad, called)

    decided = table[table["decision_action"].notna() & (table["verdict"] != "unassessed")]
    assert counts.total == len(decided)
    assert counts.tp == ((decided["decision_action"] != "accept") & (decided["verdict"] != "usable")).sum()
    shown = {metric.label: metric.value for metric in drawn("performance", url).metric}
    assert shown["TPR"] == f"{counts.tpr * 100:.1f}\N{NO-BREAK SPACE}%"


def test_two_people_are_compared_on_the_slides_that_both_judged():
    one = pd.Series([True, True, False, False, None], index=list("abcde"), dtype="boolean")
    other = pd.Series([True, False, False, False, True], index=list("abcdz"), dtype="boolean")

    found = between({"A": one, "B": other, "C": pd.Series({"q": True}, dtype="boolean")})

    assert found[["one", "other", "slides", "agree"]].to_numpy().tolist() == [["A", "B", 4, 0.75]]
    assert found["kappa"].iloc[0] == pytest.approx(0.5)


def test_the_performance_page_compares_people_who_judged_the_same_slides(made, tmp_path):
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    month.fill(store, made[:30])
    month.decide(store, made[:12])
    month.decide(store, made[1:13])  # the next person on each
    store.close()

    at = drawn("performance", url)

    assert not at.exception
    pairs: Any = next(table.value for table in at.dataframe if list(table.value.columns)[:2] == ["One", "Other"])
    assert pairs["Slides"].sum() == 11


def test_rates_of_nothing_are_nan_and_shown_as_a_dash(tmp_path, made):
    rates = {rate.name: rate for rate in performance.rates(Counts(0, 0, 5, 0))}

    assert rates["TPR"].value != rates["TPR"].value
    url = sqlite_url(tmp_path / "store.sqlite")
    store = Store(url)
    good = [one for one in made if not one.is_bad and one.record.verdict is Verdict.USABLE][1:6]
    month.fill(store, good)
    month.decide(store, [good[1], good[1]])
    shown = {metric.label: metric.value for metric in drawn("performance", url).metric}
    assert shown["TPR"] == "–"
    assert shown["TNR"] == "100.0\N{NO-BREAK SPACE}%"


def test_a_higher_threshold_never_holds_more_slides_back(store):
    table = worklist(store)
    bad = performance.is_bad(table, performance.DECISIONS)
    share = table.set_index("slide_id")["artefact_share"].astype("float64")

    swept = performance.sweep(bad, share, [0.0, 0.05, 0.1, 0.3, 1.0])

    held = swept["tp"] + swept["fp"]
    assert held.is_monotonic_decreasing
    assert held.iloc[-1] == 0


def test_reliability_bins_hold_every_slide_with_a_truth_once(store):
    table = worklist(store)
    bad = performance.is_bad(table, performance.DECISIONS)
    share = table.set_index("slide_id")["artefact_share"].astype("float64")

    bins = performance.reliability(bad, share, (0, 0.01, 0.1, 1.0))

    assert bins["slides"].sum() == (bad.notna() & share.notna()).sum()


def test_unassessed_slides_are_no_call_of_the_software():
    called = performance.is_called(pd.Series(["unassessed", "usable", "reject"]), Verdict.REVIEW)

    assert called.isna().tolist() == [True, False, False]


def test_a_drifting_scanner_raises_an_alarm_and_a_steady_one_does_not():
    days = pd.to_datetime([f"2026-03-{day:02d}" for day in range(1, 21) for _ in range(10)])
    verdicts = ["reject"] + ["usable"] * 9
    steady = pd.DataFrame({"day": days, "verdict": verdicts * 20, "decision_action": None})
    drifting = steady.copy()
    drifting.loc[drifting["day"] == days.max(), "verdict"] = "reject"

    quiet = trends.share_trend(steady, "A", trends.HELD_BACK, ControlSettings(baseline_days=7))
    loud = trends.share_trend(drifting, "B", trends.HELD_BACK, ControlSettings(baseline_days=7))

    assert not any(quiet.alarms)
    assert trends.alarm_table([quiet, loud])["group"].tolist() == ["B"]


def test_days_with_few_slides_raise_no_alarm():
    days = pd.to_datetime(["2026-03-01"] * 20 + ["2026-03-02"] * 2)
    table = pd.DataFrame({"day": days, "verdict": ["usable"] * 20 + ["reject"] * 2, "decision_action": None})

    settings = ControlSettings(baseline_days=1, slides_min=3)

    assert trends.alarm_table([trends.share_trend(table, "A", trends.HELD_BACK, settings)]).empty


def test_lis_orders_find_slides_by_barcode_and_say_which_are_unknown():
    orders = lis.read_orders("barcode,priority\nB1,urgent\nB2, 3\nB9,usual\n", {"B1": "one", "B2": "two"})

    assert orders.priorities == {"one": 1, "two": 3}
    assert orders.unknown == ("B9",)


def test_lis_orders_with_an_unknown_priority_are_refused():
    with pytest.raises(SettingsError, match="asap"):
        lis.read_orders("slide,priority\none,asap\n", {"one": "one"})


def test_results_for_the_lis_carry_the_barcode_and_no_formula(store):
    table = queries.worklist(store.engine, month.RUN).head(1).assign(barcode="=1+1")

    text = lis.csv_bytes(lis.results(table)).decode()

    assert text.splitlines()[0].startswith("slide,barcode,priority,verdict,")
    assert ",'=1+1," in text


def test_attributes_that_the_table_does_not_say_are_unknown():
    table = read_table("slide,scanner,scanned\none.svs,A,2026-03-02\ntwo.svs,,\n")

    about = matched(table, {"one-1": "/s/one.svs", "two-2": "/s/two.svs", "three-3": "/s/three.svs"})

    assert about.loc["two-2", "scanner"] == "unknown"
    assert pd.isna(about.loc["two-2", "scanned"])
    assert about.loc["one-1", "batch"] == "unknown"
    assert "three-3" not in about.index


def test_the_laboratory_goes_before_the_header_and_the_header_before_nothing():
    told = matched(read_table("slide,scanner,scanned\na,A,2026-03-02\nb,,\n"), {"a": "/s/a.svs", "b": "/s/b.svs"})
    scans = pd.DataFrame(
        {"scanner": ["X", "X", ""], "scanned_at": ["2026-01-01 10:00", "2026-01-01 10:00", ""]}, index=["a", "b", "c"]
    )

    about = completed(told, scans)

    assert about["scanner"].tolist() == ["A", "X", "unknown"]
    assert about["scanned"].dropna().dt.strftime("%Y-%m-%d").tolist() == ["2026-03-02", "2026-01-01"]
    assert about.loc["c", "batch"] == "unknown"


@pytest.mark.parametrize(
    ("text", "said"),
    [("scanner\nA\n", "no column slide"), ("slide\na\na\n", "twice"), ("slide,scanned\na,soon\n", "'soon'")],
)
def test_a_wrong_table_of_the_laboratory_is_refused_in_one_sentence(text, said):
    with pytest.raises(SettingsError, match=said):
        matched(read_table(text), {"a": "/s/a.svs"})


def test_labels_name_slides_that_shall_not_be_used():
    labels = read_labels("slide,usable\na,no\nb.svs,Yes\nzz,no\n", {"a": "/s/a.svs", "b": "/s/b.svs"})

    assert labels.to_dict() == {"a": True, "b": False}


def test_new_scans_with_the_same_barcode_are_proposed_first():
    old = pd.Series({"run_id": "r", "slide_id": "x-1", "decision_at": pd.Timestamp("2026-03-02", tz="UTC")})
    later, earlier = pd.Timestamp("2026-03-03", tz="UTC"), pd.Timestamp("2026-03-01", tz="UTC")
    everything = pd.DataFrame(
        {
            "run_id": "r",
            "slide_id": ["x-1", "y-1", "z-1", "old-1"],
            "recorded": [later, later, later, earlier],
        }
    )

    found = candidates(everything, old, {"x-1": "C7", "z-1": "C7"})

    assert found == [("r", "z-1"), ("r", "y-1")]


def test_worklist_of_ten_thousand_slides_takes_less_than_a_second(tmp_path):
    store = Store(sqlite_url(tmp_path / "store.sqlite"))
    month.many(store, 10_000)
    queries.worklist(store.engine, month.RUN, limit=1)

    before = os.times()
    table = queries.worklist(store.engine, month.RUN)
    shown = shown_columns(table.assign(barcode="").head(1000))
    after = os.times()

    assert len(table) == 10_000
    assert len(shown) == 1000
    assert (after.user + after.system) - (before.user + before.system) < 1
