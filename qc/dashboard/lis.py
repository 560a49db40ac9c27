"""Tables for and from the laboratory information system: slides by barcode, priorities in, results out."""

from dataclasses import dataclass

from qc.dashboard.frames import Frame
from qc.dashboard.uploads import table_of
from qc.dashboard.words import PRIORITIES
from qc.errors import SettingsError
from qc.exchange.tables import without_formulas

_WORDS = {word: level for level, word in PRIORITIES.items()}
_RESULTS = {
    "slide_id": "slide",
    "barcode": "barcode",
    "priority": "priority",
    "verdict": "verdict",
    "reason": "reason",
    "artefact_share": "artefact_share",
    "tissue_mm2": "tissue_mm2",
    "usable_mm2": "usable_mm2",
    "focus_score": "focus_score",
    "stain_score": "stain_score",
    "decision_action": "decision",
    "decision_reason": "decision_reason",
    "decision_note": "decision_note",
    "decision_name": "decided_by",
    "decision_at": "decided_at",
}


@dataclass(frozen=True)
class Orders:
    """What the laboratory asks for.

    Attributes:
        priorities: Priority by slide id.
        unknown: Names in the table that fit no slide of the run.
    """

    priorities: dict[str, int]
    unknown: tuple[str, ...]


def read_orders(text: str, slide_of: dict[str, str]) -> Orders:
    """A CSV with the column `barcode` or `slide`, and `priority`: usual, urgent, at once, or a whole number.

    Args:
        text: The CSV.
        slide_of: Slide id by everything a slide may be called.

    Raises:
        SettingsError: If it is no such table.
    """
    table = table_of(text)
    key = next((name for name in ("barcode", "slide") if name in table), None)
    if key is None or "priority" not in table:
        raise SettingsError("the table lacks a column", "give barcode (or slide) and priority")
    priorities: dict[str, int] = {}
    unknown: list[str] = []
    for name, wanted in zip(table[key].str.strip(), table["priority"].str.strip().str.lower(), strict=True):
        if name in slide_of:
            priorities[slide_of[name]] = _level(wanted)
        else:
            unknown.append(name)
    return Orders(priorities, tuple(unknown))


def results(table: Frame) -> Frame:
    """A worklist as the laboratory system takes it: a row for each slide."""
    return table.reindex(columns=list(_RESULTS)).rename(columns=_RESULTS)


def csv_bytes(table: Frame) -> bytes:
    """Any table as CSV, UTF-8; text that a spreadsheet would run as a formula is made harmless."""
    return without_formulas(table).to_csv(index=False).encode("utf-8")


def _level(text: str) -> int:
    if text in _WORDS:
        return _WORDS[text]
    if text.isdecimal() and int(text) <= 9:
        return int(text)
    raise SettingsError(f"{text!r} is no priority", f"write {', '.join(_WORDS)}, or a number from 0 to 9")
