"""A technician reviews slides in a real browser: zoom, overlay to the pixel, a decision by one key, found again."""

import base64
import http.client
import io
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qc.labels import ArtefactClass
from qc.store.database import Store
from qc.store.decision import Action, Reason

sys.path.insert(0, str(Path(__file__).parent))
from serving import CHROMIUM, WAIT_MS, dashboard

ALL_OVER = """localStorage.setItem("slidegate.viewer", JSON.stringify({opacity: 100, lines: false}))"""

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium (apt install chromium)")


@pytest.fixture(scope="module")
def run(tmp_path_factory, write_pyramid, make_run):
    return make_run(tmp_path_factory.mktemp("browser"), write_pyramid)


@pytest.fixture(scope="module")
def address(run, tmp_path_factory):
    """The dashboard on the marked run, in a process of its own."""
    with dashboard(tmp_path_factory.mktemp("server"), QC_RUN=str(run.folder.root)) as address:
        yield address


@pytest.fixture
def open_page(browser, address):
    """Opens a slide in a browser of its own, and waits until it is drawn."""
    contexts = []

    def open_page(slide_id, script="", places=1):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        if script:
            page.add_init_script(script)
        page.goto(f"{address}/review?slide={slide_id}", wait_until="commit")
        page.get_by_role("heading", name=slide_id).wait_for()
        if places:
            page.locator(".places li button").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()


DRAWN = """parts => parts
    .sort((a, b) => b.width * b.height - a.width * a.height)[0].toDataURL("image/png")"""


def stage(page):
    """(H, W, 3) of what is drawn of slide and overlay, once it no longer changes."""
    before = ""
    for _ in range(120):
        now = page.locator(".stage .canvas canvas").evaluate_all(DRAWN)
        if now == before:
            break
        before = now
        page.wait_for_timeout(600)
    picture = Image.open(io.BytesIO(base64.b64decode(before.split(",")[1]))).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB")).astype(int)


def box(is_inside):
    rows, columns = np.flatnonzero(is_inside.any(axis=1)), np.flatnonzero(is_inside.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1], rows[-1]])


def test_the_overlay_lies_on_a_known_artefact_to_the_pixel_and_nothing_leaves_the_host(open_page, run, address):
    slide_id = run.records["marked"].stamp.slide_id
    page = open_page(slide_id, ALL_OVER)
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "://" in request.url else ""))

    page.keyboard.press("f")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="1:1").click()
    covered = stage(page)
    page.keyboard.press("v")
    page.wait_for_timeout(1500)
    bare = stage(page)

    fold = np.array(ArtefactClass.FOLD.colour)
    over, under = box(np.abs(covered - fold).max(axis=2) < 4), box(bare.max(axis=2) < 60)
    assert np.abs(over - under).max() <= 1
    assert np.abs((over[2:] - over[:2] + 1) - (400, 320)).max() <= 1  # one pixel of the slide is one of the screen
    assert {host.split(":")[0] for host in hosts} <= {"127.0.0.1", ""}


def test_a_token_that_has_ended_is_renewed_and_the_picture_comes(open_page, run):
    page = open_page(run.records["plain"].stamp.slide_id, places=0)
    page.locator(".places .none", has_text="No artefact").wait_for()
    stage(page)
    tokens = []

    def refuse_the_first(route):
        tokens.append(route.request.headers["x-slide-token"])
        if tokens[-1] == tokens[0]:
            route.fulfill(status=401, body="{}")
        else:
            route.continue_()

    page.route("**/qc/tiles/**", refuse_the_first)
    page.get_by_role("button", name="1:1").click()

    for _ in range(60):
        if len(set(tokens)) > 1:
            break
        page.wait_for_timeout(500)
    assert len(set(tokens)) == 2
    assert np.abs(stage(page)[200:400, 200:400] - (236, 200, 220)).max() < 8  # the drawn slide's pink


def test_a_decision_by_key_is_found_after_a_reload_and_by_another_browser(open_page, run):
    slide_id = run.records["marked"].stamp.slide_id
    page = open_page(slide_id)
    page.wait_for_timeout(1500)

    page.keyboard.press("n")
    page.get_by_role("button", name="✓ No").wait_for()
    page.keyboard.press("t")
    page.wait_for_url(lambda url: slide_id not in url)

    store = Store(run.store_url)
    noted = store.decisions(run.run_id)[slide_id]
    store.close()
    assert (noted.choice.action, noted.choice.reason) == (Action.RE_CUT, Reason.FOLD)
    assert noted.choice.could_be_used is False
    for where in (page, open_page(slide_id)):
        where.goto(page.url.split("?")[0] + f"?slide={slide_id}", wait_until="commit")
        where.get_by_test_id("stAlert").filter(has_text="re-cut").first.wait_for()


def test_review_can_be_used_without_a_mouse_or_good_eyes(open_page, run):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(run.records["marked"].stamp.slide_id)
    page.wait_for_timeout(2000)

    found = Axe().run(page).response["violations"]

    ours = [(one["id"], node["target"]) for one in found for node in one["nodes"] if is_ours(node)]
    assert ours == []


def is_ours(node) -> bool:
    """True for what this project draws: everything inside a component; the rest is Streamlit's."""
    return any("stBidiComponent" in str(part) for part in node["target"])


@pytest.fixture
def connection(address):
    with closing(http.client.HTTPConnection(address.removeprefix("http://"))) as connection:
        yield connection


def test_answers_on_an_open_connection_wait_for_no_acknowledgement(connection):
    seconds = []
    for _ in range(30):
        started = time.perf_counter()
        connection.request("GET", "/_stcore/health")
        connection.getresponse().read()
        seconds.append(time.perf_counter() - started)

    assert min(seconds[1:]) < 0.03  # with delayed acknowledgements each takes 0.04 at least


def test_pictures_are_refused_without_a_token_and_for_paths(connection, run):
    slide_id = run.records["marked"].stamp.slide_id
    asked = [f"/qc/tiles/{slide_id}/0/0_0.jpg", f"/qc/slide/{slide_id}.json", "/qc/tiles/../../../etc/passwd"]
    statuses = []
    for path in asked:
        connection.putrequest("GET", path)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)

    assert statuses[:2] == [401, 401]
    assert 400 <= statuses[2] < 500


def test_a_slide_that_was_not_read_says_why_and_cannot_be_accepted(open_page, run):
    page = open_page(run.records["torn"].stamp.slide_id, places=0)

    page.get_by_text("This slide was not assessed").wait_for()

    assert page.get_by_role("button", name="accept").is_disabled()
    assert page.locator(".viewer").count() == 0
