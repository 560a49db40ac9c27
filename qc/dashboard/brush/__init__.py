"""Parallel coordinates that can be brushed: slides as lines over axes in, the chosen ranges out."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from qc.dashboard.frames import Column, Frame

_HERE = Path(__file__).parent
_LINES_MAX = 3000
_HTML = '<div class="parallel"><canvas></canvas><svg></svg></div>'


def parallel_brush(table: Frame, axes: Mapping[str, str], key: str) -> dict[str, tuple[float, float]]:
    """Draw the axes and give what was brushed.

    Args:
        table: A row for each slide; the columns of `axes` hold numbers, NaN where there is none.
        axes: Column -> title with unit.
        key: Of the element, the same over reruns.

    Returns:
        Lowest and highest value for each brushed column; columns without a brush are left out.
    """
    drawn = table if len(table) <= _LINES_MAX else table.sample(_LINES_MAX, random_state=0)
    data = {
        "axes": [_axis(table[name], name, title) for name, title in axes.items()],
        "rows": drawn[list(axes)].astype(object).where(drawn[list(axes)].notna(), None).to_numpy().tolist(),
    }
    components: Any = st.components
    mount = components.v2.component("slidegate_parallel", html=_HTML, css=_text("brush.css"), js=_text("brush.js"))
    result = mount(key=key, data=data, default={"ranges": {}}, on_ranges_change=lambda: None)
    ranges: Any = result.ranges or {}
    return {name: (float(low), float(high)) for name, (low, high) in ranges.items() if name in axes}


def within(table: Frame, ranges: Mapping[str, tuple[float, float]]) -> Column:
    """Rows inside all ranges; a row without a value on a brushed axis is outside."""
    chosen = pd.Series(True, index=table.index)
    for name, (low, high) in ranges.items():
        chosen &= table[name].between(low, high)
    return chosen


def _axis(values: Column, name: str, title: str) -> dict[str, Any]:
    known = values.dropna()
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return {"name": name, "title": title, "low": low, "high": high if high > low else low + 1}


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
