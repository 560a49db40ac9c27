"""The server of `qc dashboard`: address and port in, a running server until it is interrupted."""

import tomllib
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.web import bootstrap

from qc.dashboard.app import MAIN_SCRIPT, lifespan, middleware, routes
from qc.dashboard.login import is_configured

_OPTIONS = Path(__file__).with_name("config.toml")


def options(address: str, port: int) -> dict[str, Any]:
    """Streamlit's options as `config.toml` states them, with an address and a port."""
    stated = dict(_flat(tomllib.loads(_OPTIONS.read_text(encoding="utf-8"))))
    return {**stated, "server.address": address, "server.port": port}


def prepare(address: str, port: int) -> bool:
    """Set the options; True when a login is configured."""
    bootstrap.load_config_options(options(address, port))
    return is_configured()


def serve(address: str, port: int) -> None:
    """Serve until interrupted."""
    prepare(address, port)
    app = st.App(MAIN_SCRIPT, routes=routes(), lifespan=lifespan, middleware=middleware())
    app.run(config=options(address, port))


def _flat(group: dict[str, Any], prefix: str = "") -> "list[tuple[str, Any]]":
    found: list[tuple[str, Any]] = []
    for name, value in group.items():
        found += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return found
