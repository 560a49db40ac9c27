"""Labels of nodes and stages of patients in one CSV, as CAMELYON17 writes them. In: the file. Out: patients, staged.

Columns `patient` and `stage`: a line `patient_000.zip,pN0` is a patient, a line `patient_000_node_0.tif,negative` one
of the patient's nodes. Lines of patients may be left out, or say nothing: then there is nothing to compare with.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from qc.downstream.metastasis.stages import NodeLabel, PNStage, pn_stage, quadratic_kappa
from qc.errors import ManifestError

T = TypeVar("T", NodeLabel, PNStage)
_NODE = re.compile(r"(?P<patient>.+)_node_[^_]+")


@dataclass(frozen=True)
class StagedPatient:
    """A patient of the file.

    Attributes:
        name: Who.
        labels: Of the nodes, in the file's order.
        stated: Stage that the file states; None when it states none.
    """

    name: str
    labels: tuple[NodeLabel, ...]
    stated: PNStage | None

    @property
    def stage(self) -> PNStage:
        """Stage by the rules."""
        return pn_stage(self.labels)


def read_labels(path: Path) -> tuple[StagedPatient, ...]:
    """Patients in the order in which the file first names them.

    Raises:
        ManifestError: If the file is no such table, a label or stage is unknown, or a patient has no node or too many.
    """
    nodes: dict[str, list[NodeLabel]] = {}
    stated: dict[str, PNStage] = {}
    seen: set[str] = set()
    for number, name, value in _lines(path):
        if name in seen:
            raise ManifestError(f"{path}, line {number}: {name} is there twice", "remove one of the lines")
        seen.add(name)
        stem = re.sub(r"\.[^.]+$", "", name)
        if found := _NODE.fullmatch(stem):
            nodes.setdefault(found["patient"], []).append(_known(NodeLabel, value, path, number))
        else:
            nodes.setdefault(stem, [])
            if value:
                stated[stem] = _known(PNStage, value, path, number)
    try:
        patients = tuple(StagedPatient(name, tuple(labels), stated.get(name)) for name, labels in nodes.items())
        for one in patients:
            pn_stage(one.labels)
    except ValueError as error:
        raise ManifestError(
            f"{path}: {error}", "give every node of a patient a line like patient_000_node_0"
        ) from error
    if not patients:
        raise ManifestError(f"{path} names no patient", "give lines like patient_000_node_0.tif,negative")
    return patients


def agreement(patients: tuple[StagedPatient, ...]) -> tuple[int, int, float]:
    """Patients whose stated stage is that by the rules, patients with a stated stage, and the quadratic kappa."""
    both = [(one.stated, one.stage) for one in patients if one.stated]
    right = sum(stated == found for stated, found in both)
    return right, len(both), quadratic_kappa([one for one, _ in both], [one for _, one in both])


def _lines(path: Path) -> list[tuple[int, str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise ManifestError(f"{path} cannot be read as a CSV ({error})", "check the file") from error
    if not rows or [name.strip() for name in rows[0]] != ["patient", "stage"]:
        raise ManifestError(f"{path} has no header patient,stage", "write it as CAMELYON17 does")
    if short := next((number for number, row in enumerate(rows[1:], 2) if row and len(row) != 2), None):
        raise ManifestError(f"{path}, line {short} has not two columns", "write patient,stage")
    return [(number, row[0].strip(), row[1].strip()) for number, row in enumerate(rows[1:], 2) if row]


def _known(kind: type[T], value: str, path: Path, number: int) -> T:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(str(one) for one in kind)
        raise ManifestError(f"{path}, line {number}: {value!r} is none of {known}", "correct the line") from error
