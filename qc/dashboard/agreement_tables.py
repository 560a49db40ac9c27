"""Tables of agreement on the Performance page: people with the software, and with each other."""

import math

import pandas as pd
import streamlit as st

from qc.dashboard import agreement, words
from qc.dashboard.downloads import csv_button
from qc.dashboard.frames import Column, Frame


def with_interval(row: dict, name: str) -> str:
    """A rate of a row with its interval: `83% (61%-94%)`."""
    if math.isnan(row[name]):
        return words.MISSING
    return f"{row[name]:.0%} ({row[f'{name}_low']:.0%}-{row[f'{name}_high']:.0%})"


def software_and_people(table: Frame, bad: Column, called: Column) -> None:
    """Each person against the software."""
    people = table.set_index("slide_id")["decision_name"]
    found = agreement.agreement(bad, called, people)
    out = pd.DataFrame({"Who": found["who"], "Slides": found["slides"]})
    out["Agrees with the software"] = [with_interval(row, "agree") for row in found.to_dict("records")]
    out["Cohen's kappa"] = found["kappa"].map(lambda value: words.number(value, digits=2))
    st.dataframe(out, hide_index=True, alt="Agreement of each person with the software")
    st.caption("Kappa is agreement beyond chance: 0 is chance, 1 is perfect. One decision in force for each slide.")


def people_and_people(raters: dict[str, Column]) -> None:
    """People against people: how well anybody, or any software, could do at all."""
    found = agreement.between(raters)
    st.markdown("**People against each other**, on slides that both have judged")
    if found.empty:
        st.caption(
            "No two people have judged the same slide. Open decided slides from the worklist for a second look; "
            "under Review, “Hide what the software says until I decide” hides the first decision, too."
        )
        return
    out = pd.DataFrame({"One": found["one"], "Other": found["other"], "Slides": found["slides"]})
    out["They agree"] = [with_interval(row, "agree") for row in found.to_dict("records")]
    out["Cohen's kappa"] = found["kappa"].map(lambda value: words.number(value, digits=2))
    st.dataframe(out, hide_index=True, alt="Agreement of people with each other; the same as CSV below.")
    csv_button("People against each other", lambda: found, "people")
