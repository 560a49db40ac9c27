"""Parts of reports that are no tables. In: text, links, commands. Out: markdown, each with an end."""

from collections.abc import Sequence
from textwrap import fill

_WIDTH = 118


def paragraph(text: str) -> str:
    """The text in lines no wider than a page; numbers, paths and commands are not broken."""
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def picture(link: str, text: str) -> str:
    """A picture with what it shows, for those who see it and for those who do not."""
    return f"![{text}]({link})\n\n*{text}*\n"


def typed(commands: Sequence[str]) -> str:
    """Commands as they were typed."""
    return "```sh\n" + "\n".join(commands) + "\n```\n"


def conclusions(notes: Sequence[str]) -> list[str]:
    """What follows, a paragraph each under one heading; nothing without notes."""
    return ["## What follows\n", *map(paragraph, notes)] if notes else []
