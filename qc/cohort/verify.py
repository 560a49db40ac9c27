"""Leakage. In: slides and the parts they were put in. Out: everything that is in two parts and should be in one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qc.cohort.duplicates import groups_of, near_duplicates
from qc.cohort.overviews import SeenSlide
from qc.cohort.split import Placed
from qc.cohort_table import Cohort, match_names


@dataclass(frozen=True)
class Leak:
    """One reason not to trust a split.

    Attributes:
        kind: `patient`, `slide`, `file`, `fingerprint`, `near-duplicates` or `unknown patient`.
        sentence: What is where.
    """

    kind: str
    sentence: str


def find_leaks(slides: Sequence[Placed]) -> tuple[Leak, ...]:
    """Whatever is in two parts: a patient, a slide, a file, the content of a file, a group of near-duplicates.

    A slide whose patient is unknown is a leak as well, since nothing can be said about it. Slides that are in no part
    cannot leak.

    Args:
        slides: One entry for each slide, or several where a manifest's tiles disagree.
    """
    placed = [one for one in slides if one.part]
    leaks = [
        Leak("unknown patient", f"slide {name} in {part} has no patient")
        for name, part in sorted({(one.slide, one.part) for one in placed if not one.patient})
    ]
    kinds: tuple[tuple[str, Callable[[Placed], str]], ...] = (
        ("patient", lambda one: one.patient),
        ("slide", lambda one: one.slide),
        ("file", lambda one: str(Path(one.path).resolve()) if one.path else ""),
        ("fingerprint", lambda one: one.fingerprint),
        ("near-duplicates", lambda one: one.duplicates),
    )
    for kind, key in kinds:
        leaks += _in_two_parts(kind, placed, key)
    return tuple(leaks)


def with_cohort(slides: Sequence[Placed], cohort: Cohort) -> list[Placed]:
    """The entries, and each once more with the patient whom the cohort table names."""
    lines = cohort.match({one.slide: one.path or one.slide for one in slides})
    own = [one for one in slides if one.patient or one.slide not in lines]
    return own + [replace(one, patient=lines[one.slide].patient) for one in slides if one.slide in lines]


def with_seen(slides: Sequence[Placed], seen: Sequence[SeenSlide], bits_max: int) -> list[Placed]:
    """The entries, and each once more with the fingerprint and the near-duplicates of the slide that was looked at."""
    names = match_names({one.slide for one in slides}, {one.slide_id: one.path for one in seen})
    by_name = {names[one.slide_id]: one for one in seen if one.slide_id in names}
    looks = {name: one.look for name, one in by_name.items() if one.look is not None}
    groups = groups_of(near_duplicates(looks, bits_max))
    group_of = {name: ", ".join(group) for group in groups for name in group}
    return [
        *slides,
        *(
            replace(one, fingerprint=by_name[one.slide].fingerprint, duplicates=group_of.get(one.slide, ""))
            for one in slides
            if one.slide in by_name
        ),
    ]


def _in_two_parts(kind: str, slides: Iterable[Placed], key: Callable[[Placed], str]) -> list[Leak]:
    members: dict[str, dict[str, set[str]]] = {}
    for one in slides:
        if name := key(one):
            members.setdefault(name, {}).setdefault(one.part, set()).add(one.slide)
    return [
        Leak(kind, f"{_named(kind, name)} is in {' and '.join(_where(part, names) for part, names in parts)}")
        for name, found in sorted(members.items())
        if len(parts := sorted(found.items())) > 1
    ]


def _where(part: str, slides: set[str]) -> str:
    """A part and one of its slides."""
    more = f" and {len(slides) - 1} more" if len(slides) > 1 else ""
    return f"{part} (slide {min(slides)}{more})"


def _named(kind: str, name: str) -> str:
    return f"the content {name[:12]}" if kind == "fingerprint" else f"{kind} {name}"
