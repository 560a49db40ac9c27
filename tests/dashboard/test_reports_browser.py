"""Reports from the dashboard in a real browser: made on request, saved as a file that holds what was asked for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from serving import CHROMIUM, WAIT_MS, dashboard

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium (apt install chromium)")


@pytest.fixture(scope="module")
def run(tmp_path_factory, write_pyramid, make_run):
    return make_run(tmp_path_factory.mktemp("reports"), write_pyramid)


@pytest.fixture
def page(browser, run, tmp_path):
    with dashboard(tmp_path, QC_RUN=str(run.folder.root)) as address:
        page = browser.new_page(accept_downloads=True)
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{address}/reports")
        page.get_by_role("button", name="Make the report").wait_for()
        settle(page)
        yield page
        page.close()


def settle(page):
    """Wait until the page is drawn: what is clicked while it is drawn anew may be lost."""
    page.wait_for_timeout(500)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def save(page, name):
    page.get_by_role("button", name="Make the report").click()
    button = page.get_by_role("button", name=name)
    button.wait_for()
    settle(page)
    with page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == name.removeprefix("Save ")
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_reports_of_the_run_and_of_one_slide_are_made_and_saved(page, run):
    slide_id = run.records["torn"].stamp.slide_id  # the worst one comes first

    of_run = save(page, "Save slidegate-run.html")
    page.get_by_role("radio", name="one slide").click()
    page.get_by_text("Slide, worst first").wait_for()
    settle(page)
    of_slide = save(page, f"Save slidegate-{slide_id}.html")

    assert "Cohort report" in of_run
    assert run.records["marked"].stamp.slide_id in of_run
    assert slide_id in of_run
    assert f"<h1>{slide_id}</h1>" in of_slide
    assert "its pixels cannot be decoded" in of_slide
    assert page.get_by_test_id("stException").count() == 0
