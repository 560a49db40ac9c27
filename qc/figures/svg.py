"""Pieces of an SVG. In: places in pixels and words. Out: text of elements, and of a whole file."""

from collections.abc import Iterable
from html import escape

COLOURS = ("#0033a0", "#c45100", "#007a3d", "#7a3fa0", "#5a5a5a")
_FONT = 'font-family="sans-serif"'


def picture(width: float, height: float, elements: Iterable[str]) -> str:
    """A file with a white ground and the elements on it."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    return "\n".join([*lines, *elements, "</svg>"]) + "\n"


def words(x: float, y: float, text: str, size: int, anchor: str, more: str = "") -> str:
    """A line of text; `more` are further attributes."""
    place = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text {place} font-size="{size}" {_FONT} text-anchor="{anchor}"{more}>{escape(text)}</text>'


def line(start: tuple[float, float], end: tuple[float, float], colour: str, width_px: int = 1) -> str:
    """A straight line."""
    ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width_px}"/>'


def dot(x: float, y: float, colour: str) -> str:
    """A point of a curve."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
