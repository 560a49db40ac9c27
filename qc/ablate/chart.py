"""Figures of all runs in one picture: a dot and its interval for each run and measure. In: values. Out: an SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from qc.ablate.measure import Value
from qc.figures.svg import COLOURS, dot, line, picture, words

_LABEL_PX, _PANEL_PX, _GAP_PX, _ROW_PX, _TOP_PX, _BOTTOM_PX = 270, 180, 26, 22, 58, 20
_BOLD = ' font-weight="bold"'


@dataclass(frozen=True)
class Row:
    """One run: its name and one value for each panel; a heading when there are none."""

    name: str
    values: Sequence[Value] = ()


def interval_chart(title: str, panels: Sequence[str], rows: Sequence[Row]) -> str:
    """An SVG with a panel for each measure, 0-1 or from the lowest interval, and a row for each run."""
    width = _LABEL_PX + len(panels) * (_PANEL_PX + _GAP_PX)
    height = _TOP_PX + len(rows) * _ROW_PX + _BOTTOM_PX
    lines = [words(width / 2, 20, title, 15, "middle")]
    for place, row in enumerate(rows):
        y = _TOP_PX + place * _ROW_PX + 15
        lines.append(words(8 if not row.values else 22, y, row.name, 12, "start", "" if row.values else _BOLD))
    for place, panel in enumerate(panels):
        lines += _panel(place, panel, rows)
    return picture(width, height, lines)


def _panel(place: int, name: str, rows: Sequence[Row]) -> Iterator[str]:
    left, bottom = _LABEL_PX + place * (_PANEL_PX + _GAP_PX), _TOP_PX + len(rows) * _ROW_PX
    shown = [row.values[place] for row in rows if row.values and not isnan(row.values[place].value)]
    least = min((min(one.value, one.low) if not isnan(one.low) else one.value for one in shown), default=0.0)
    start = int(5 * max(0.0, least)) / 5 if least < 1 else 0.0
    colour = COLOURS[place % len(COLOURS)]

    def at(value: float) -> float:
        return left + (value - start) / (1 - start) * _PANEL_PX

    yield words(left + _PANEL_PX / 2, 40, name, 13, "middle")
    for step in range(5):
        tick = start + (1 - start) * step / 4
        yield line((at(tick), _TOP_PX), (at(tick), bottom), "#dddddd")
        yield words(at(tick), bottom + 14, f"{tick:.3g}", 10, "middle")
    for index, row in enumerate(rows):
        if not row.values or isnan(row.values[place].value):
            continue
        value, y = row.values[place], _TOP_PX + index * _ROW_PX + 11
        if not isnan(value.low):
            yield line((at(value.low), y), (at(value.high), y), colour, 2)
        yield dot(at(value.value), y, colour)
