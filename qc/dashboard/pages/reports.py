"""Reports: of the run, a batch, a period or one slide, as one file that opens without a network and prints."""

from datetime import date

import streamlit as st

from qc.dashboard.attributes import UNKNOWN, attributes, source
from qc.dashboard.context import Context
from qc.dashboard.reads import worklist
from qc.dashboard.reporting import Wanted, make_report
from qc.store.people import Role

_RUN, _BATCH, _PERIOD, _SLIDE = "the run", "a batch", "a period", "one slide"
_MIME = {"html": "text/html", "pdf": "application/pdf"}
_MADE = "reports_made"


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Reports")
    if context.run is None:
        st.info("Reports need the run's folder with maps and pictures; only its store is at hand.")
        return
    with st.container(horizontal=True, gap="large"):
        kind = st.segmented_control("Report on", [_RUN, _BATCH, _PERIOD, _SLIDE], default=_RUN) or _RUN
        form = st.segmented_control("Format", list(_MIME), default="html", format_func=str.upper) or "html"
    wanted = _wanted(context, kind, form)
    if wanted is None:
        return
    if st.button("Make the report", type="primary", icon=":material/description:"):
        with st.spinner("Drawing; a large run takes a minute."):
            made = make_report(context.run, context.store_url, wanted, source(context))
        st.session_state[_MADE] = (wanted, made)
    ready = st.session_state.get(_MADE)
    if ready and ready[0] == wanted:
        st.success(f"{wanted.file_name} is ready ({len(ready[1]) / 1e6:.1f} MB).")
        st.download_button(
            f"Save {wanted.file_name}",
            ready[1],
            file_name=wanted.file_name,
            mime=_MIME[form],
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption(
        "A report holds verdicts and limits, the human decision, settings and network in force with their known "
        "performance, and what it must not be used for. `qc report` makes the same on the command line."
    )


def _wanted(context: Context, kind: str, form: str) -> Wanted | None:
    """What was asked for; None while something is missing."""
    if kind == _SLIDE:
        ids = list(worklist(context)["slide_id"])
        known = context.slide_id
        slide_id = st.selectbox("Slide, worst first", ids, index=ids.index(known) if known in ids else 0)
        return Wanted(form, slide_id=slide_id, with_glass=context.may(Role.TECHNICIAN)) if slide_id else None
    if kind == _BATCH:
        batches = sorted(set(attributes(context)["batch"]) - {UNKNOWN})
        if not batches:
            st.info("No batch is known. Give the table of the laboratory under Cohort.")
            return None
        return Wanted(form, batch=str(st.selectbox("Batch", batches)))
    if kind == _PERIOD:
        days = st.date_input("First and last day", (date.today().replace(day=1), date.today()))
        chosen = days if isinstance(days, tuple) else (days,)
        return Wanted(form, since=chosen[0], until=chosen[1]) if len(chosen) == 2 else None
    return Wanted(form)
