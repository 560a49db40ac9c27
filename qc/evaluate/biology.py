"""Views of slides on which biology resembles artefacts: blood, fat, necrosis. In: a table. Out: groups of views."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from qc.errors import SettingsError


@dataclass(frozen=True)
class Biology:
    """What is seen in which views; (slide, view) each."""

    name: str
    views: frozenset[tuple[str, str]]

    @property
    def slides(self) -> list[str]:
        """Slides of the views, in alphabetical order."""
        return sorted({slide for slide, _ in self.views})


def read_biology(path: Path) -> list[Biology]:
    """Read a CSV: slide, views (names separated by spaces), biology; groups come in the order of the file.

    Raises:
        SettingsError: If the file or a column is missing.
    """
    try:
        rows = pd.read_csv(path, dtype=str)[["slide", "views", "biology"]].to_numpy().tolist()
        views: dict[str, set[tuple[str, str]]] = {}
        for slide, names, biology in rows:
            views.setdefault(biology, set()).update((slide, view) for view in names.split())
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise SettingsError(f"{path} is no table of views ({error})", "see datasets/README.md") from error
    return [Biology(name, frozenset(group)) for name, group in views.items()]
