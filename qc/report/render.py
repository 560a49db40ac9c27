"""Values in, one HTML document out. Everything that comes from files or people is escaped."""

from typing import Any, Literal

import jinja2

from qc.labels import ARTEFACTS, ArtefactClass, Verdict
from qc.metrics.percent import percent
from qc.report.words import interval, number
from qc.store.decision import Action
from qc.version import __version__

Paper = Literal["A4", "letter"]


def html(template: str, page: Any, paper: Paper = "A4", **more: Any) -> str:
    """A template, filled.

    Args:
        template: `slide.html` or `cohort.html`.
        page: Its values.
        paper: Size of the page.
        more: Further values that the template names.
    """
    return _environment().get_template(template).render(page=page, paper=paper, **more)


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
        "icon": lambda verdict: Verdict(verdict).icon,
        "tone": lambda verdict: Verdict(verdict).hex_colour,
        "percent": percent,
        "interval": interval,
        "number": number,
        "classes": [(cls.label, cls.hex_colour) for cls in (*ARTEFACTS, ArtefactClass.UNASSESSED)],
        "actions": [action.label for action in Action],
    }
    return environment
