"""The shell: one script, one menu, one set of options; without a login only this machine is answered."""

import asyncio
import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qc.dashboard.app import MAIN_SCRIPT
from qc.dashboard.loopback import LoopbackOnly
from qc.dashboard.serve import options

ROOT = Path(__file__).parents[2]


def _answer(client: str, host: str, has_login: bool = False, kind: str = "http") -> list[dict]:
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": f"{kind}.request"}

    async def inner(scope, receive, send):
        await send({"type": "passed on"})

    scope = {"type": kind, "client": (client, 5), "headers": [(b"host", host.encode())]}
    asyncio.run(LoopbackOnly(inner, lambda: has_login)(scope, receive, send))
    return sent


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1", "[::1]:8501"])
def test_this_machine_is_answered_without_a_login(host):
    assert _answer("127.0.0.1", host) == [{"type": "passed on"}]


@pytest.mark.parametrize(
    ("client", "host"),
    [("10.0.0.7", "localhost"), ("127.0.0.1", "evil.example"), ("::ffff:10.0.0.7", "localhost"), ("127.0.0.1", "")],
)
def test_other_machines_and_other_names_are_refused_without_a_login(client, host):
    assert _answer(client, host)[0]["status"] == 403
    assert _answer(client, host, kind="websocket")[0]["type"] == "websocket.close"


def test_other_machines_are_answered_once_there_is_a_login():
    assert _answer("10.0.0.7", "qc.hospital.example", has_login=True) == [{"type": "passed on"}]


def test_both_ways_to_start_have_the_same_options():
    beside = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

    ours = options("127.0.0.1", 8501)

    assert ours["theme.primaryColor"] == beside["theme"]["primaryColor"] == "#0047ab"
    assert ours["browser.gatherUsageStats"] is False
    assert ours["client.showErrorDetails"] == "none"
    assert ours["server.address"] == beside["server"]["address"] == "127.0.0.1"


def test_no_folder_of_pages_lies_beside_the_script_which_streamlit_would_run():
    assert MAIN_SCRIPT.is_file()
    assert not (MAIN_SCRIPT.parent / "pages").exists()


def test_without_results_the_screen_says_how_to_make_some(tmp_path, monkeypatch):
    monkeypatch.setenv("QC_RUN", str(tmp_path / "nothing"))
    monkeypatch.delenv("QC_STORE", raising=False)

    at = AppTest.from_file(str(MAIN_SCRIPT), default_timeout=120).run()

    assert not at.exception
    assert "holds no results" in at.error[0].value
    assert "qc demo" in at.info[0].value
