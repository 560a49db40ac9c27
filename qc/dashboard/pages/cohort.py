"""Cohort: what can be used of each slide, which slides go together, and the selection as a manifest."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from qc.config.filter import filter_settings_for
from qc.dashboard import charts, lis, words
from qc.dashboard.attributes import GROUPS, UNKNOWN, attributes, read_table, setting_name
from qc.dashboard.brush import parallel_brush, within
from qc.dashboard.context import Context
from qc.dashboard.downloads import csv_button
from qc.dashboard.frames import Column, Frame
from qc.dashboard.reads import class_shares, worklist
from qc.dashboard.uploads import text_of
from qc.errors import QCError
from qc.labels import Verdict
from qc.manifest import write_manifest
from qc.metrics import wilson_interval
from qc.pipeline.filter_runs import filter_runs, read_runs
from qc.pipeline.folder import RunFolder
from qc.store.people import Role

_BARS = 60
_GROUPS_DRAWN = 16
_AXES = {
    "tissue_mm2": "tissue, mm²",
    "usable_mm2": "usable, mm²",
    "artefacts_percent": "artefacts, %",
    "focus_score": "focus, 0-10",
    "stain_score": "stain, 0-10",
    "domain_distance": "colour distance",
}


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Cohort")
    table = worklist(context)
    about = attributes(context)
    table = table.join(about, on="slide_id")
    table[list(GROUPS)] = table[list(GROUPS)].fillna(UNKNOWN)
    table["artefacts_percent"] = table["artefact_share"].astype("float64") * 100
    with st.container(horizontal=True, vertical_alignment="bottom"):
        verdicts = st.pills("Verdict", [str(v) for v in Verdict], selection_mode="multi", format_func=words.verdict)
        column = st.segmented_control("Groups", GROUPS, default="batch", key="cohort_group") or "batch"
        named = st.multiselect(f"Only these ({column})", sorted(set(table[column])), width=300)
    table = table[_keep(table, verdicts, column, named)].reset_index(drop=True)
    if table.empty:
        st.info("No slide is left. Choose fewer filters.")
        return
    st.markdown("**Drag along an axis to choose slides**; click it to let go.")
    axes = {name: title for name, title in _AXES.items() if table[name].notna().any()}
    chosen = table[within(table, parallel_brush(table, axes, key="cohort_brush"))]
    _selection(context, chosen, len(table))
    bars, groups = st.columns([3, 2], gap="large")
    with bars:
        _bars(context, chosen)
    with groups:
        _group_figure(chosen, column)
    _upload(context)


def _keep(table: Frame, verdicts: list[str], column: str, named: list[str]) -> Column:
    keep = pd.Series(True, index=table.index)
    if verdicts:
        keep &= table["verdict"].isin(verdicts)
    if named:
        keep &= table[column].isin(named)
    return keep


def _selection(context: Context, chosen: Frame, of: int) -> None:
    tissue, usable = chosen["tissue_mm2"].sum(), chosen["usable_mm2"].sum()
    passes = int((chosen["verdict"] == Verdict.USABLE).sum())
    cells = st.columns(4)
    cells[0].metric("Selected slides", f"{len(chosen):,} of {of:,}")
    cells[1].metric("Usable by verdict", f"{passes:,}")
    cells[2].metric("Usable tissue", words.number(usable, "mm²", 0 if usable >= 1000 else 1))
    cells[3].metric("Share of tissue usable", words.percent(usable / tissue) if tissue else words.MISSING)
    with st.container(horizontal=True):
        csv_button("Selected slides", lambda: lis.results(chosen), "selection")
        if context.run is not None and len(chosen):
            run, url, ids = context.run, str(context.store_url), frozenset(chosen["slide_id"])
            st.download_button(
                "Selected slides as manifest (Parquet)",
                lambda: manifest_of(run, url, ids),
                file_name="slidegate-manifest.parquet",
                icon=":material/grid_on:",
                on_click="ignore",
                help="Their good tiles, chosen as `qc filter` does with this run's profile. Takes about a second "
                "for each slide.",
            )


def manifest_of(run: RunFolder, store_url: str, slide_ids: frozenset[str]) -> bytes:
    """A manifest of some slides of a run, as `qc filter` would choose their tiles.

    Args:
        run: The run.
        store_url: Database with people's decisions and the verdicts in force.
        slide_ids: The slides.

    Raises:
        QCError: If a map is damaged.
    """
    runs = read_runs([run], store_url)
    some = replace(runs, records=tuple(record for record in runs.records if record.stamp.slide_id in slide_ids))
    manifest = filter_runs(some, filter_settings_for(runs.profile.name))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.parquet"
        write_manifest(manifest, path)
        return path.read_bytes()


def _bars(context: Context, chosen: Frame) -> None:
    shares = class_shares(context)
    known = chosen[chosen["slide_id"].isin(shares.index)].sort_values("artefact_share", ascending=False).head(_BARS)
    st.markdown(f"**What covers the tissue** of the {len(known)} worst selected slides")
    if known.empty:
        st.caption("No selected slide was assessed.")
        return
    figure = charts.usability_figure(shares.loc[known["slide_id"]], list(known["slide_id"]))
    st.plotly_chart(figure, config=charts.CONFIG, alt="Artefact shares of the worst selected slides")


def _group_figure(chosen: Frame, column: str) -> None:
    st.markdown(f"**Usable slides per {column}**, with 95 % intervals")
    table = usable_by_group(chosen, column)
    drawn = table.nlargest(_GROUPS_DRAWN, "slides").sort_values("group")
    st.plotly_chart(charts.groups_figure(drawn, "usable slides"), config=charts.CONFIG, alt="Usable per group")
    if len(table) > _GROUPS_DRAWN:
        st.caption(f"The {_GROUPS_DRAWN} largest of {len(table)} are drawn.")
    csv_button(f"Per {column}", lambda: table, f"{column}")


def usable_by_group(table: Frame, column: str) -> Frame:
    """Slides of each group and the share that is usable, slides that were not assessed included."""
    rows = []
    for name, members in table.groupby(column):
        usable, slides = int((members["verdict"] == Verdict.USABLE).sum()), len(members)
        low, high = wilson_interval(usable, slides)
        rows.append(
            {"group": str(name), "slides": slides, "usable": usable, "rate": usable / slides, "low": low, "high": high}
        )
    return pd.DataFrame(rows)


def _upload(context: Context) -> None:
    if not context.may(Role.QC_MANAGER):
        return
    with st.expander("The laboratory's table: barcode, scanner, stainer, stain, batch, day"):
        st.caption("Columns: slide (id, file name, stem or path), barcode, scanner, stainer, stain, batch, scanned.")
        file = st.file_uploader("Table (CSV)", type="csv", key="cohort_table")
        if file is None:
            return
        try:
            text = text_of(file.getvalue())
            lines = read_table(text)
        except QCError as error:
            st.error(str(error))
            return
        st.write(f"{len(lines):,} lines.")
        if st.button("Use this table", type="primary"):
            context.store.save_setting(context.actor, setting_name(context.run_id), text, note=file.name[:200])
            st.rerun()
