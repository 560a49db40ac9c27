"""Sentences of reports. In: text. Out: paragraphs no wider than a page."""

from textwrap import fill

_WIDTH = 118


def paragraph(text: str) -> str:
    """The text in lines, with an end; numbers, paths and commands are not broken."""
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"
