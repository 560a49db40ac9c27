"""The menu: which pages there are, in which order, and which run they show."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import streamlit as st

from qc.dashboard.context import Context
from qc.dashboard.plain_text import plain
from qc.dashboard.sources import Sources
from qc.errors import RunError
from qc.pipeline.folder import RunFolder
from qc.store import queries
from qc.store.database import Store

ICON = Path(__file__).with_name("icon.png")
LOGO = Path(__file__).with_name("logo.svg")
_STYLE = """
.stMainBlockContainer { padding: 2.6rem 2.2rem 2rem; }
.stTextArea textarea { font-family: var(--st-code-font, monospace); }
"""
_LIGHT_STYLE = """
.stApp [data-testid="stCaptionContainer"] { color: #55606d; opacity: 1; }
"""
_DARK_STYLE = """
[data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primaryFormSubmit"] { color: #0b1220; }
"""
"""Streamlit's own captions, and white on the lighter blue of the dark theme, are too faint to read."""

_MENU: dict[str, dict[str, tuple[str, str]]] = {
    "Work": {
        "worklist": ("Worklist", ":material/checklist:"),
        "review": ("Review", ":material/biotech:"),
        "queues": ("Queues", ":material/inbox:"),
    },
    "Quality": {
        "performance": ("Performance", ":material/rule:"),
        "cohort": ("Cohort", ":material/grid_view:"),
        "trends": ("Trends", ":material/monitoring:"),
    },
    "Records": {
        "reports": ("Reports", ":material/description:"),
        "audit": ("Audit", ":material/history:"),
        "settings": ("Settings", ":material/tune:"),
    },
}


def style() -> str:
    """Style sheet for the theme in use: less room above pages, text that can be read on buttons."""
    is_dark = st.context.theme.type == "dark"
    return f"<style>{_STYLE}{_DARK_STYLE if is_dark else _LIGHT_STYLE}</style>"


def navigate(context: Context) -> Any:
    """The menu; returns the page that was asked for, ready to run."""
    pages: dict[str, Any] = {}
    shown = replace(context, pages=pages)
    for section in _MENU.values():
        for name, (title, icon) in section.items():
            draw = partial(_draw, name, shown)
            pages[name] = st.Page(draw, title=title, icon=icon, url_path=name, default=name == "worklist")
    return st.navigation({title: [pages[name] for name in section] for title, section in _MENU.items()})


def choose_run(store: Store, sources: Sources) -> tuple[str, RunFolder | None]:
    """The run to show: the folder's own, or another of the same store.

    Raises:
        RunError: If the store holds no run.
    """
    runs = queries.runs(store.engine)
    if runs.empty:
        raise RunError("the store holds no run yet", "make one with `qc assess`")
    own, ids = sources.run_id(), list(runs["run_id"])
    names = dict(zip(ids, map(_run_name, runs.to_dict("records")), strict=True))
    chosen = ids[0] if own not in ids else own
    if len(ids) > 1:
        chosen = st.sidebar.selectbox("Run", ids, index=ids.index(chosen), format_func=names.__getitem__) or chosen
    return chosen, sources.folder if chosen == own else None


def show_profile(context: Context) -> None:
    """Say so when a run is judged by other limits than it was assessed with."""
    profile = context.store.profile_in_force(context.run_id)
    if profile is not None:
        st.sidebar.caption(f"Judged by {plain(profile.title)}, not as assessed")


def _draw(name: str, context: Context) -> None:
    """Import a page when it is asked for, so that the first one is quick."""
    page: Callable[[Context], None] = import_module(f"qc.dashboard.pages.{name}").page
    page(context)


def _run_name(run: Mapping[Hashable, Any]) -> str:
    return f"{run['created']:%Y-%m-%d %H:%M} · {run['profile']} · {run['slides']} slides"
