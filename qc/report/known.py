"""How well a network is known to see. In: its card. Out: the figures as a table and a list."""

from dataclasses import dataclass

from qc.labels import ArtefactClass
from qc.metrics.percent import MISSING
from qc.nets.card import Card


@dataclass(frozen=True)
class Known:
    """How well the network is known to see, as its card says."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    others: tuple[tuple[str, str], ...]
    misses_half: tuple[str, ...]


def known_performance(card: Card) -> Known:
    """The card's figures: those of a class as a table, all others as a list."""
    names = {cls.name.lower(): cls.label for cls in ArtefactClass}
    table: dict[str, dict[str, float | None]] = {}
    others: list[tuple[str, str]] = []
    for key, value in card.figures.items():
        metric, _, what = key.partition("_")
        if what in names:
            table.setdefault(what, {})[metric] = value
        else:
            shown = MISSING if value is None else f"{value:,.0f}" if value == int(value) else f"{value:.3f}"
            others.append((key.replace("_", " "), shown))
    metrics = tuple(dict.fromkeys(metric for figures in table.values() for metric in figures))
    rows = tuple(
        (names[what], tuple(_figure(figures.get(metric)) for metric in metrics)) for what, figures in table.items()
    )
    weak = tuple(names[what] for what, figures in table.items() if (figures.get("tpr") or 1.0) < 0.5)
    return Known(card.name, tuple(_METRICS.get(one, one.upper()) for one in metrics), rows, tuple(others), weak)


_METRICS = {"auroc": "AUROC", "tpr": "TPR at its threshold", "tnr": "TNR", "npv": "NPV", "ppv": "PPV"}


def _figure(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"
