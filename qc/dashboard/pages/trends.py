"""Trends."""

import streamlit as st

from qc.dashboard.context import Context


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Trends")
    st.caption(f"run {context.run_id}")
