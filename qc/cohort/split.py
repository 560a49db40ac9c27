"""A cohort dealt into parts. In: the cohort table, settings and slides that look alike. Out: the part of each slide."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qc.cohort.assign import assign
from qc.cohort.balance import BalanceRow, balance
from qc.cohort.duplicates import HASH_BITS, Pair, groups_of
from qc.cohort.likeness import Likeness, likeness
from qc.cohort.strata import Trait, traits
from qc.cohort.units import Unit, make_units
from qc.cohort_table import Cohort
from qc.config.split import SplitSettings
from qc.errors import SettingsError


@dataclass(frozen=True)
class Placed:
    """Where a slide went.

    Attributes:
        slide: Its name in the cohort table.
        patient: Whose it is.
        label: What it shows.
        part: Where it went; empty when nowhere.
        duplicates: Name of its group of near-duplicates; empty when it has none.
        fingerprint: Of the file's content; empty when the file was not seen.
        path: Its file; empty when unknown.
    """

    slide: str
    patient: str
    label: str
    part: str
    duplicates: str = ""
    fingerprint: str = ""
    path: str = ""


@dataclass(frozen=True)
class Split:
    """A split and how alike its parts are.

    Attributes:
        slides: Every slide of the cohort table, by name.
        balance: Counts, shares and means of each part.
        likeness: How far parts lie apart, and how far they would at random.
        notes: What one should know before using it.
    """

    slides: tuple[Placed, ...]
    balance: tuple[BalanceRow, ...]
    likeness: Likeness
    notes: tuple[str, ...]

    @property
    def part_of(self) -> dict[str, str]:
        """Part by slide."""
        return {one.slide: one.part for one in self.slides}


def plan_split(
    cohort: Cohort,
    settings: SplitSettings,
    pairs: Sequence[Pair] = (),
    fingerprints: Mapping[str, str] | None = None,
) -> Split:
    """Deal patients into parts; the same for every order of the table's lines.

    Args:
        cohort: The table.
        settings: Parts, what shall be alike in them, the seed.
        pairs: Near-duplicates, by their names in the table.
        fingerprints: Fingerprint by slide, where the file was seen; equal ones are duplicates too.

    Raises:
        SettingsError: If slides of two patients are near-duplicates and nobody said to keep them together, there are
            fewer patients than parts, or a column cannot be stratified by.
    """
    seen = fingerprints or {}
    pairs = sorted({*pairs, *_copies(seen)})
    _refuse_strangers(cohort, pairs, settings)
    alike = groups_of(pairs)
    units = make_units(cohort.slides, alike)
    own = traits(cohort, units, settings.stratify)
    parts = assign(own, [len(unit.slides) for unit in units], settings.parts, settings.seed)
    group_of = {slide: f"duplicates-{i}" for i, group in enumerate(alike, 1) for slide in group}
    slides = [
        Placed(line.slide, line.patient, line.label, part, group_of.get(line.slide, ""), seen.get(line.slide, ""))
        for unit, part in zip(units, parts, strict=True)
        for line in unit.slides
    ]
    return Split(
        tuple(sorted(slides, key=lambda one: one.slide)),
        tuple(balance(cohort, units, parts, settings.parts)),
        likeness(cohort, units, parts, [one.column for one in settings.stratify], settings.seed),
        (*_joined(units), *_rare(own, settings)),
    )


def _copies(fingerprints: Mapping[str, str]) -> list[Pair]:
    """Slides with one fingerprint."""
    first: dict[str, str] = {}
    found = []
    for slide, fingerprint in sorted(fingerprints.items()):
        if fingerprint and first.setdefault(fingerprint, slide) != slide:
            found.append(Pair(0, first[fingerprint], slide))
    return found


def _refuse_strangers(cohort: Cohort, pairs: Sequence[Pair], settings: SplitSettings) -> None:
    patient_of = {line.slide: line.patient for line in cohort.slides}
    strangers = [pair for pair in pairs if patient_of[pair.first] != patient_of[pair.second]]
    if strangers and not settings.merge_duplicates:
        worst = strangers[0]
        more = f", and {len(strangers) - 1} more such pairs" if len(strangers) > 1 else ""
        raise SettingsError(
            f"slide {worst.first} of patient {patient_of[worst.first]} and slide {worst.second} of patient "
            f"{patient_of[worst.second]} are near-duplicates ({worst.bits} of {HASH_BITS} bits differ){more}",
            "correct the cohort table, or keep their patients together with --merge-duplicates",
        )


def _joined(units: Sequence[Unit]) -> list[str]:
    return [
        f"patients {unit.name} stay together: they have slides that are near-duplicates"
        for unit in units
        if len(unit.patients) > 1
    ]


def _rare(traits: Sequence[frozenset[Trait]], settings: SplitSettings) -> list[str]:
    """Single values that are too rare to be in every part."""
    counts = Counter(trait for own in traits for trait in own if len(trait) == 2)
    parts = len(settings.parts)
    return [
        f"{' '.join(trait)}: {count} patients for {parts} parts, so some part has none"
        for trait, count in sorted(counts.items())
        if count < parts
    ]
