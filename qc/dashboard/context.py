"""What every page is given: the store, the run that is shown, and who looks at it. Made once per script run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, cast

import streamlit as st

from qc.dashboard import idle
from qc.pipeline.folder import RunFolder
from qc.store.database import Store
from qc.store.people import Actor, Role

SLIDE_KEY = "slide"
"""Query parameter and session key of the slide that Review shows."""


@dataclass(frozen=True)
class Context:
    """One look at the dashboard.

    Attributes:
        store: Results and decisions.
        run_id: The run that is shown.
        run: Its folder with maps and pictures; None when only the store is at hand.
        actor: Who looks, in the role that counts.
        pages: Pages by name, as `st.switch_page` takes them.
        store_url: SQLAlchemy URL of the store.
        url_base: What stands before every path of this server, such as `/qc`; usually empty.
    """

    store: Store
    run_id: str
    run: RunFolder | None
    actor: Actor
    pages: Mapping[str, object] = field(default_factory=dict)
    store_url: str = ""
    url_base: str = ""

    def may(self, least: Role) -> bool:
        """True when controls of this role are worth showing; the store checks again when something is written."""
        return self.actor.role.covers(least)

    def touch(self) -> None:
        """Note that the person is at work; a fragment that a click runs calls it, or the login would end meanwhile."""
        idle.touch(self.actor.subject)

    @property
    def slide_id(self) -> str:
        """The slide to review, from the address or the last page; empty when none was chosen."""
        return st.query_params.get(SLIDE_KEY) or st.session_state.get(SLIDE_KEY, "")

    def review(self, slide_id: str) -> NoReturn:
        """Go to Review with this slide."""
        st.session_state[SLIDE_KEY] = slide_id
        st.switch_page(cast(str, self.pages["review"]), query_params={SLIDE_KEY: slide_id})
