"""A person logs in at a real OIDC provider, in a real browser; another process asks nobody but this machine."""

import json
import os
import sys
from pathlib import Path

import pytest

from qc.store.database import Store, sqlite_url

sys.path.insert(0, str(Path(__file__).parent))
import month
from serving import CHROMIUM, WAIT_MS, dashboard_command, free_port, process

PEOPLE = (
    {"sub": "tess", "name": "Tess Tech", "groups": ["path-tech"]},
    {"sub": "gus", "name": "Gus Guest", "groups": ["golf club"]},
)

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium (apt install chromium)")


@pytest.fixture(scope="module")
def store_url(tmp_path_factory):
    url = sqlite_url(tmp_path_factory.mktemp("store") / "store.sqlite")
    store = Store(url)
    month.fill(store, month.made_up(30, days=5))
    store.close()
    return url


@pytest.fixture(scope="module")
def address(store_url, tmp_path_factory):
    """A dashboard whose login is a provider of its own process; the login ends after half a minute without a touch."""
    provider, port = free_port(), free_port()
    folder = tmp_path_factory.mktemp("login")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f"""
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{os.urandom(16).hex()}"
client_id = "slidegate"
client_secret = "not checked by the provider"
server_metadata_url = "http://localhost:{provider}/.well-known/openid-configuration"

[slidegate]
role_claim = "groups"
idle_minutes = 0.5

[slidegate.roles]
technician = ["path-tech"]
""",
        encoding="utf-8",
    )
    claims = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    oidc = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(provider), *claims]
    metadata = f"http://localhost:{provider}/.well-known/openid-configuration"
    (folder / "oidc").mkdir()
    with (
        process(oidc, metadata, folder / "oidc", AUTHLIB_INSECURE_TRANSPORT="1"),
        process(
            dashboard_command(port),
            f"http://localhost:{port}/_stcore/health",
            folder,
            QC_STORE=store_url,
            QC_RUN=str(folder),
            AUTHLIB_INSECURE_TRANSPORT="1",
        ),
    ):
        yield f"http://localhost:{port}"


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


def _log_in(page, address: str, subject: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=subject, exact=True).click()
    page.wait_for_url(f"{address}/**")


def test_a_technician_gets_the_role_of_the_claim_and_is_logged_out_when_idle(page, address):
    hosts = set()

    _log_in(page, address, "tess")

    page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "://" in request.url else "localhost"))
    page.get_by_text("Tess Tech · technician").wait_for()
    page.get_by_role("heading", name="Worklist").wait_for()
    assert {host.split(":")[0] for host in hosts} <= {"localhost", "127.0.0.1"}
    page.get_by_role("heading", name="End Session").wait_for()  # half a minute without a touch: the provider asks, too
    page.goto(address)
    page.get_by_role("button", name="Log in").wait_for()
    assert page.get_by_text("Tess Tech").count() == 0


def test_somebody_without_a_role_sees_no_slide(page, address):
    _log_in(page, address, "gus")

    page.get_by_text("Gus Guest has no role here").wait_for()
    assert page.get_by_text("Worklist").count() == 0
