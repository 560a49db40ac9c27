"""The script that Streamlit runs for every look: who looks, at which run, on which page."""

import streamlit as st

from qc.dashboard import navigation
from qc.dashboard.context import Context
from qc.dashboard.login import require_actor, show_actor
from qc.dashboard.sources import Sources
from qc.errors import QCError


def main() -> None:
    """Draw one page; an error of ours is one sentence, never a trace."""
    st.set_page_config(page_title="SlideGate", page_icon=str(navigation.ICON), layout="wide")
    try:
        sources = Sources.from_environment()
        store = sources.open_store()
        actor = require_actor(store)
        run_id, run = navigation.choose_run(store, sources)
        page = navigation.navigate(Context(store, run_id, run, actor))
        show_actor(actor)
        page.run()
    except QCError as error:
        st.error(error.message)
        if error.hint:
            st.info(f"Way out: {error.hint}")


main()
