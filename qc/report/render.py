"""Values in, one HTML document out. Everything that comes from files or people is escaped."""

from typing import Any, Literal

import jinja2

from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.report.words import icon, interval, number, percent
from qc.store.decision import Action
from qc.version import __version__

Paper = Literal["A4", "letter"]

TONES = {Verdict.USABLE: "#1f8a4c", Verdict.REVIEW: "#c97a12", Verdict.REJECT: "#b00020", Verdict.UNASSESSED: "#5a3c8c"}
"""Colours of verdicts in charts; words and signs stand beside them."""


def html(template: str, page: Any, paper: Paper = "A4", **more: Any) -> str:
    """A template, filled.

    Args:
        template: `slide.html` or `cohort.html`.
        page: Its values.
        paper: Size of the page.
        more: Further values that the template names.
    """
    return _environment().get_template(template).render(page=page, paper=paper, **more)


def hex_colour(colour: tuple[int, int, int]) -> str:
    """A colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("qc.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "version": __version__,
        "icon": icon,
        "tone": lambda verdict: TONES[Verdict(verdict)],
        "hex": hex_colour,
        "percent": percent,
        "interval": interval,
        "number": number,
        "classes": [(cls.label, hex_colour(cls.colour)) for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED)],
        "actions": [action.label for action in Action],
    }
    return environment
