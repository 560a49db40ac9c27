"""The script that Streamlit runs, in a folder of its own: Streamlit would run files of a folder `pages` beside it."""
