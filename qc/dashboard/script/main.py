"""The script that Streamlit runs for every look: who looks, at which run, on which page."""

import streamlit as st

from qc.dashboard import navigation
from qc.dashboard.context import Context
from qc.dashboard.login import require_actor, show_actor
from qc.dashboard.sources import Sources
from qc.errors import QCError
from qc.store.database import Store
from qc.store.people import Actor


def main() -> None:
    """Draw one page; an error of ours is one sentence, never a trace."""
    st.set_page_config(page_title="SlideGate", page_icon=str(navigation.ICON), layout="wide")
    st.logo(str(navigation.LOGO), size="large", icon_image=str(navigation.ICON))
    st.html(navigation.style())
    try:
        sources = Sources.from_environment()
        store = sources.open_store()
        actor = require_actor(store)
        page_context = _context(sources, store, actor)
        page = navigation.navigate(page_context)
        navigation.show_profile(page_context)
        show_actor(actor)
        page.run()
    except QCError as error:
        st.error(error.message)
        if error.hint:
            st.info(f"Way out: {error.hint}")


def _context(sources: Sources, store: Store, actor: Actor) -> Context:
    run_id, run = navigation.choose_run(store, sources)
    url_base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return Context(store, run_id, run, actor, store_url=sources.store_url, url_base=f"/{url_base}" if url_base else "")


main()
