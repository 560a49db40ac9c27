"""Patients into parts: never a slide, a patient or a file on both sides."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from qc.errors import SettingsError


class Member(Protocol):
    """What belongs to a patient, and is cut from a slide."""

    @property
    def patient(self) -> str:
        """Whose tissue it is."""
        ...

    @property
    def slide(self) -> str:
        """What it is cut from."""
        ...

    @property
    def file(self) -> str:
        """Where its pixels are."""
        ...


def split_patients(
    members: Sequence[Member], parts: Mapping[str, float], seed: int, dealt_before: Mapping[str, str] | None = None
) -> dict[str, list[int]]:
    """Indices of `members` by part.

    Patients are put in an order that depends on `seed` and their names only, then dealt to the part that lacks most
    of its share of patients; with few patients no part with a share stays empty as long as there are enough of them.

    Args:
        members: Anything with a patient.
        parts: Shares that add up to 1.
        seed: Another seed gives another split.
        dealt_before: Part of each patient that has one already; only the others are dealt.
    """
    patients = sorted({member.patient for member in members}, key=lambda name: _order(name, seed))
    part_of = {patient: part for patient, part in (dealt_before or {}).items() if patient in patients}
    dealt = {part: sum(other == part for other in part_of.values()) for part in parts}
    for count, patient in enumerate([one for one in patients if one not in part_of], len(part_of) + 1):
        empty = [name for name in parts if parts[name] and not dealt[name]]
        open_parts = empty if len(empty) > len(patients) - count else list(parts)
        part = max(open_parts, key=lambda name: parts[name] * count - dealt[name])
        part_of[patient] = part
        dealt[part] += 1
    split: dict[str, list[int]] = {name: [] for name in parts}
    for index, member in enumerate(members):
        split[part_of[member.patient]].append(index)
    verify_split(members, split)
    return split


def verify_split(members: Sequence[Member], split: Mapping[str, Sequence[int]]) -> None:
    """Make sure that nothing is in two parts.

    Raises:
        SettingsError: If a patient, a slide or a file is.
    """
    for kind in ("patient", "slide", "file"):
        part_of: dict[str, str] = {}
        for part, indices in split.items():
            for index in indices:
                name = getattr(members[index], kind)
                other = part_of.setdefault(name, part)
                if other != part:
                    raise SettingsError(
                        f"{kind} {name} is in both {other} and {part}", "name the patient of each slide in its source"
                    )


def _order(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
