"""The door to the dashboard: `uv run streamlit run app.py` or `uvicorn app:app`; `qc dashboard RUN` opens the same."""

import streamlit as st

from qc.dashboard.app import MAIN_SCRIPT, lifespan, middleware, routes

app = st.App(MAIN_SCRIPT, routes=routes(), lifespan=lifespan, middleware=middleware())
