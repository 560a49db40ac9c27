"""Every page in a real browser: it draws, and asks nobody but this machine; the brush chooses slides."""

import http.client
import statistics
import sys
import time
from pathlib import Path

import pytest

from qc.dashboard.attributes import setting_name
from qc.store.database import Store, sqlite_url
from qc.store.people import Actor, Role

sys.path.insert(0, str(Path(__file__).parent))
import month
from serving import CHROMIUM, WAIT_MS, dashboard

PAGES = {
    "": "Worklist",
    "queues": "Queues",
    "performance": "Performance",
    "cohort": "Cohort",
    "trends": "Trends",
    "reports": "Reports",
    "audit": "Audit",
    "settings": "Settings",
}

_OF_STREAMLIT = {"list", "listitem"}  # how it builds the menu at the side

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium (apt install chromium)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder with nothing but a store of sixty slides."""
    folder = tmp_path_factory.mktemp("month")
    store = Store(sqlite_url(folder / "store.sqlite"))
    made = month.made_up(60, days=6)
    month.fill(store, made)
    boss = Actor(subject="boss", name="Boss", role=Role.ADMIN)
    store.save_setting(boss, setting_name(month.RUN), month.cohort_csv(made))
    month.decide(store, made[:20])
    store.close()
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with dashboard(folder, QC_RUN=str(folder)) as address:
        yield address


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


def test_no_page_asks_another_host_or_shows_a_trace(page, address):
    asked: set[str] = set()
    broken: list[str] = []
    page.on("request", lambda request: asked.add(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))

    for path, title in PAGES.items():
        page.goto(f"{address}/{path}")
        page.get_by_role("heading", name=title, level=1).wait_for()
        page.get_by_text("No login is configured").wait_for()
        page.wait_for_load_state("networkidle")
        assert page.get_by_test_id("stException").count() == 0, title

    outside = {url for url in asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))}
    assert not outside
    assert not broken


def test_a_kept_connection_is_answered_without_waiting_for_a_delayed_acknowledgement(address):
    """Without uvloop each answer waits 44 ms for the kernel's delayed ACK: zooming would crawl."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    times = []
    for _ in range(31):
        before = time.perf_counter()
        connection.request("GET", "/_stcore/health")
        connection.getresponse().read()
        times.append(time.perf_counter() - before)
    connection.close()

    assert statistics.median(times) < 0.03


def test_a_brushed_axis_leaves_fewer_slides(page, address):
    page.goto(f"{address}/cohort")
    axis = page.locator(".parallel .hit").nth(2)
    axis.wait_for()
    page.get_by_text("60 of 60").wait_for()
    box = axis.bounding_box()

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.7, steps=4)
    page.mouse.up()

    page.get_by_text("60 of 60").wait_for(state="detached")
    shown = page.get_by_test_id("stMetricValue").first.inner_text()
    assert int(shown.split(" ")[0]) < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_but_the_menu_of_streamlit(browser, address, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": 1280, "height": 1400}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    found = {}
    for path, title in PAGES.items():
        page.goto(f"{address}/{path}")
        page.get_by_role("heading", name=title, level=1).wait_for()
        page.get_by_text("No login is configured").wait_for()
        page.wait_for_load_state("networkidle")
        for violation in Axe().run(page).response["violations"]:
            if violation["id"] not in _OF_STREAMLIT:
                found[title, violation["id"]] = [node["html"][:120] for node in violation["nodes"]]
    context.close()

    assert not found


def test_a_new_result_appears_on_the_worklist_by_itself(page, address, folder):
    page.goto(address)
    page.get_by_text("40 slides, urgent ones first").wait_for()  # twenty of sixty are decided

    store = Store(sqlite_url(folder / "store.sqlite"))
    store.save(month.RUN, month.made_up(61, seed=3, days=6)[60].record)
    store.close()

    page.get_by_text("41 slides, urgent ones first").wait_for()
