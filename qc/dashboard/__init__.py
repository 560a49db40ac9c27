"""The dashboard: a store in, pages out. The only package that imports streamlit; it starts without torch."""
