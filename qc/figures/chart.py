"""Curves in the unit square as SVG: ROC, reliability. In: named points. Out: text of an SVG file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_SIDE_PX = 360
_LEFT_PX, _TOP_PX, _BOTTOM_PX = 60, 40, 54
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_COLOURS = ("#0033a0", "#c45100", "#007a3d", "#7a3fa0", "#5a5a5a")
_LINE_HEIGHT_PX = 20
_FONT = 'font-family="sans-serif"'


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in the unit square, joined in order, with a dot at each where `has_dots`."""

    name: str
    points: Sequence[tuple[float, float]]
    has_dots: bool = False


def unit_chart(title: str, x_label: str, y_label: str, curves: Sequence[Curve]) -> str:
    """An SVG with the diagonal, the curves and a legend below; curves without points are left out."""
    shown = [curve for curve in curves if curve.points]
    width, height = _LEFT_PX + _SIDE_PX + 30, _TOP_PX + _SIDE_PX + _BOTTOM_PX + _LINE_HEIGHT_PX * len(shown)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(width / 2, 22, title, 15, "middle"),
        *_frame(x_label, y_label),
    ]
    for i, curve in enumerate(shown):
        lines += _drawn(curve, _COLOURS[i % len(_COLOURS)], _TOP_PX + _SIDE_PX + _BOTTOM_PX + _LINE_HEIGHT_PX * i)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _frame(x_label: str, y_label: str) -> Iterator[str]:
    left, right, bottom = _x(0), _x(1), _y(0)
    for tick in _TICKS:
        yield _line((tick, 0), (tick, 1), "#dddddd")
        yield _line((0, tick), (1, tick), "#dddddd")
        yield _text(_x(tick), bottom + 16, f"{tick:g}", 11, "middle")
        yield _text(left - 6, _y(tick) + 4, f"{tick:g}", 11, "end")
    yield _line((0, 0), (1, 1), "#999999")
    yield _text((left + right) / 2, bottom + 36, x_label, 13, "middle")
    middle = (_y(0) + _y(1)) / 2
    yield _text(18, middle, y_label, 13, "middle", f' transform="rotate(-90 18 {middle:.1f})"')


def _drawn(curve: Curve, colour: str, legend_top: float) -> Iterator[str]:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in curve.points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if curve.has_dots:
        yield from (f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="4" fill="{colour}"/>' for x, y in curve.points)
    yield f'<rect x="{_LEFT_PX}" y="{legend_top - 8}" width="20" height="3" fill="{colour}"/>'
    yield _text(_LEFT_PX + 28, legend_top - 2, curve.name, 12, "start")


def _line(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x1, y1), (x2, y2) = start, end
    ends = f'x1="{_x(x1):.1f}" y1="{_y(y1):.1f}" x2="{_x(x2):.1f}" y2="{_y(y2):.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="1"/>'


def _text(x: float, y: float, text: str, size: int, anchor: str, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text {place} font-size="{size}" {_FONT} text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _x(share: float) -> float:
    return _LEFT_PX + share * _SIDE_PX


def _y(share: float) -> float:
    return _TOP_PX + (1 - share) * _SIDE_PX
