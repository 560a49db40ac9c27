"""Figures of all runs in one picture: a dot and its interval for each run and measure. In: values. Out: an SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

from qc.ablate.measure import Value

_LABEL_PX, _PANEL_PX, _GAP_PX, _ROW_PX, _TOP_PX, _BOTTOM_PX = 270, 180, 26, 22, 58, 20
_COLOURS = ("#0033a0", "#c45100", "#007a3d", "#7a3fa0")
_FONT = 'font-family="sans-serif"'


@dataclass(frozen=True)
class Row:
    """One run: its name and one value for each panel; a heading when there are none."""

    name: str
    values: Sequence[Value] = ()


def interval_chart(title: str, panels: Sequence[str], rows: Sequence[Row]) -> str:
    """An SVG with a panel for each measure, 0-1 or from the lowest interval, and a row for each run."""
    width = _LABEL_PX + len(panels) * (_PANEL_PX + _GAP_PX)
    height = _TOP_PX + len(rows) * _ROW_PX + _BOTTOM_PX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(width / 2, 20, title, 15, "middle"),
    ]
    for place, row in enumerate(rows):
        y = _TOP_PX + place * _ROW_PX + 15
        lines.append(_text(8 if not row.values else 22, y, row.name, 12, "start", not row.values))
    for place, panel in enumerate(panels):
        lines += _panel(place, panel, rows)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(place: int, name: str, rows: Sequence[Row]) -> Iterator[str]:
    left, bottom = _LABEL_PX + place * (_PANEL_PX + _GAP_PX), _TOP_PX + len(rows) * _ROW_PX
    shown = [row.values[place] for row in rows if row.values and not isnan(row.values[place].value)]
    least = min((min(one.value, one.low) if not isnan(one.low) else one.value for one in shown), default=0.0)
    start = int(5 * max(0.0, least)) / 5 if least < 1 else 0.0
    colour = _COLOURS[place % len(_COLOURS)]

    def at(value: float) -> float:
        return left + (value - start) / (1 - start) * _PANEL_PX

    yield _text(left + _PANEL_PX / 2, 40, name, 13, "middle")
    for step in range(5):
        tick = start + (1 - start) * step / 4
        yield _line(at(tick), at(tick), _TOP_PX, bottom, "#dddddd", 1)
        yield _text(at(tick), bottom + 14, f"{tick:.3g}", 10, "middle")
    for index, row in enumerate(rows):
        if not row.values or isnan(row.values[place].value):
            continue
        value, y = row.values[place], _TOP_PX + index * _ROW_PX + 11
        if not isnan(value.low):
            yield _line(at(value.low), at(value.high), y, y, colour, 2)
        yield f'<circle cx="{at(value.value):.1f}" cy="{y}" r="4" fill="{colour}"/>'


def _line(x1: float, x2: float, y1: float, y2: float, colour: str, width_px: int) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width_px}"/>'


def _text(x: float, y: float, text: str, size: int, anchor: str, is_bold: bool = False) -> str:
    weight = ' font-weight="bold"' if is_bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text {place} font-size="{size}" {_FONT} text-anchor="{anchor}"{weight}>{escape(text)}</text>'
