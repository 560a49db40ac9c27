"""Curves in the unit square as SVG: ROC, reliability. In: named points. Out: text of an SVG file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qc.figures.svg import COLOURS, dot, line, picture, words

_SIDE_PX = 360
_LEFT_PX, _TOP_PX, _BOTTOM_PX = 60, 40, 54
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_LINE_HEIGHT_PX = 20


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
    lines = [words(width / 2, 22, title, 15, "middle"), *_frame(x_label, y_label)]
    for i, curve in enumerate(shown):
        lines += _drawn(curve, COLOURS[i % len(COLOURS)], _TOP_PX + _SIDE_PX + _BOTTOM_PX + _LINE_HEIGHT_PX * i)
    return picture(width, height, lines)


def _frame(x_label: str, y_label: str) -> Iterator[str]:
    left, right, bottom = _x(0), _x(1), _y(0)
    for tick in _TICKS:
        yield _line((tick, 0), (tick, 1), "#dddddd")
        yield _line((0, tick), (1, tick), "#dddddd")
        yield words(_x(tick), bottom + 16, f"{tick:g}", 11, "middle")
        yield words(left - 6, _y(tick) + 4, f"{tick:g}", 11, "end")
    yield _line((0, 0), (1, 1), "#999999")
    yield words((left + right) / 2, bottom + 36, x_label, 13, "middle")
    middle = (_y(0) + _y(1)) / 2
    yield words(18, middle, y_label, 13, "middle", f' transform="rotate(-90 18 {middle:.1f})"')


def _drawn(curve: Curve, colour: str, legend_top: float) -> Iterator[str]:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in curve.points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if curve.has_dots:
        yield from (dot(_x(x), _y(y), colour) for x, y in curve.points)
    yield f'<rect x="{_LEFT_PX}" y="{legend_top - 8}" width="20" height="3" fill="{colour}"/>'
    yield words(_LEFT_PX + 28, legend_top - 2, curve.name, 12, "start")


def _line(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    return line((_x(start[0]), _y(start[1])), (_x(end[0]), _y(end[1])), colour)


def _x(share: float) -> float:
    return _LEFT_PX + share * _SIDE_PX


def _y(share: float) -> float:
    return _TOP_PX + (1 - share) * _SIDE_PX
