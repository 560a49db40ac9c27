"""The cohort table: whose slide it is, what it is called, what is known about the patient.

In: a CSV with columns slide, patient, label and any others. Out: one `CohortSlide` per line, in the file's order.
"""

import csv
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from qc.errors import SettingsError

_OWN_COLUMNS = ("slide", "patient", "label")
_MISSING = frozenset({"", "na", "n/a", "nan", "null"})


@dataclass(frozen=True)
class CohortSlide:
    """One line of the table.

    Attributes:
        slide: Slide id, path, file name or stem.
        patient: Whose it is; never empty.
        label: What it shows; empty when unknown.
        clinical: Further columns: numbers as floats, NaN when missing; text, empty when missing.
    """

    slide: str
    patient: str
    label: str
    clinical: Mapping[str, float | str]


@dataclass(frozen=True)
class Cohort:
    """All lines of a table.

    Attributes:
        slides: One entry per slide.
        numeric: Names of the clinical columns that hold numbers.
        categorical: Names of the clinical columns that hold text.
    """

    slides: tuple[CohortSlide, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    def match(self, paths: Mapping[str, str]) -> dict[str, CohortSlide]:
        """The table's lines for the slides of a run; slides that the table does not name are left out.

        Args:
            paths: Path of each slide, by slide id.

        Raises:
            SettingsError: If one line fits two slides, as a bare file name does that occurs in two folders.
        """
        lines = {line.slide: line for line in self.slides}
        return {slide_id: lines[name] for slide_id, name in match_names(lines, paths).items()}


def match_names(names: Collection[str], paths: Mapping[str, str]) -> dict[str, str]:
    """What a table calls each slide of a run; slides that it does not name are left out.

    Args:
        names: Ids, paths, file names or stems that a table has.
        paths: Path of each slide, by slide id.

    Raises:
        SettingsError: If one name fits two slides, as a bare file name does that occurs in two folders.
    """
    found: dict[str, str] = {}
    path_of: dict[str, str] = {}
    for slide_id, path in paths.items():
        name = next((name for name in _names(slide_id, path) if name in names), None)
        if name is None:
            continue
        if name in path_of:
            raise SettingsError(
                f"the table's line {name} fits both {path_of[name]} and {path}", "name the slides by their paths or ids"
            )
        path_of[name], found[slide_id] = path, name
    return found


def read_cohort(path: Path) -> Cohort:
    """Read a cohort table.

    A clinical column holds numbers when every value that is not missing is one. `NA`, `N/A`, `NaN` and `null`
    mean missing, as an empty field does.

    Raises:
        SettingsError: If the file is no such table, a slide or patient is missing, or a slide is listed twice.
    """
    lines = _lines(path)
    _check(lines, path)
    names = [name for name in lines[0] if name not in _OWN_COLUMNS]
    columns = {name: _values([line[name] for line in lines], name, path) for name in names}
    slides = tuple(
        CohortSlide(line["slide"], line["patient"], line.get("label", ""), {name: columns[name][i] for name in names})
        for i, line in enumerate(lines)
    )
    numeric = tuple(name for name in names if isinstance(columns[name][0], float))
    return Cohort(slides, numeric, tuple(name for name in names if name not in numeric))


def _lines(path: Path) -> list[dict[str, str]]:
    """The lines as texts, spaces stripped and missing values empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets write a byte order mark
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            rows = [row for row in reader if any(row)]
    except (OSError, ValueError, csv.Error) as error:
        raise SettingsError(f"{path} cannot be read as a CSV ({error})", "check the file") from error
    if twice := {name for name in header if header.count(name) > 1}:
        raise SettingsError(f"{path} has two columns {min(twice)}", "rename or remove one")
    for name in ("slide", "patient"):
        if name not in header:
            raise SettingsError(f"{path} has no column {name}", "give columns slide, patient and label, with commas")
    if not rows:
        raise SettingsError(f"{path} lists no slides", "add a line for each slide")
    for row in rows:
        if len(row) != len(header):
            raise SettingsError(
                f"{path} has {len(header)} columns, but {len(row)} in the line {','.join(row)}", "correct the line"
            )
    return [{name: _text(value) for name, value in zip(header, row, strict=True)} for row in rows]


def _text(value: str) -> str:
    stripped = value.strip()
    return "" if stripped.lower() in _MISSING else stripped


def _check(lines: Sequence[Mapping[str, str]], path: Path) -> None:
    patient_of: dict[str, str] = {}
    for line in lines:
        slide, patient = line["slide"], line["patient"]
        if not slide:
            raise SettingsError(f"{path}: a line of patient {patient or '?'} names no slide", "name it or remove it")
        if not patient:
            raise SettingsError(
                f"{path}: slide {slide} has no patient", "fill it in; slides of one patient must stay together"
            )
        if slide in patient_of:
            known = patient_of[slide]
            whose = "" if known == patient else f", with patients {known} and {patient}"
            raise SettingsError(f"{path} lists slide {slide} twice{whose}", "keep the line that is right")
        patient_of[slide] = patient


def _values(texts: Sequence[str], name: str, path: Path) -> list[float] | list[str]:
    """Floats when all that is there are numbers, else the texts."""
    try:
        numbers = [float(text) if text else math.nan for text in texts]
    except ValueError:
        return list(texts)
    if all(map(math.isnan, numbers)):
        return list(texts)
    if any(map(math.isinf, numbers)):
        raise SettingsError(f"{path}: column {name} holds an infinite number", "correct it or leave it empty")
    return numbers


def _names(slide_id: str, path: str) -> tuple[str, ...]:
    """What a table may call a slide, most certain first."""
    return slide_id, path, PurePath(path).name, PurePath(path).stem
